//! The stored shape of a diagnosis.

use regreen_domain::{
    Alternative, Confidence, Diagnosis, Evidence, FailureClass, Fingerprint, PatternSource, Role, Tool,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::scrub::{Scrub, scrub_text};

/// A diagnosis as it was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportDiagnosis)]
pub struct DiagnosisV1 {
    /// Whether a failure was found at all.
    pub failed: bool,
    /// Id of the coarse answer; follows from `class`, stored for readers that don't know the taxonomy.
    pub verdict: String,
    /// Id of the class.
    pub class: String,
    /// Id of the pattern that decided.
    pub pattern: Option<String>,
    /// Whose it is: `built-in`, `operator`, `repository` or `accepted`; none in records of before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern_source: Option<String>,
    /// The tool that failed.
    pub tool: Option<String>,
    /// The step of the job that failed.
    pub step: Option<String>,
    /// Confidence in `class`, 0 to 1.
    pub confidence: f64,
    /// Whether a probe confirmed it.
    pub confirmed: bool,
    /// Root first.
    pub evidence: Vec<EvidenceV1>,
    /// The runners-up, surest first.
    pub alternatives: Vec<AlternativeV1>,
    /// One sentence that says why.
    pub reason: String,
    /// The failure's stable name.
    pub fingerprint: String,
    /// Whether part of the log was not read.
    pub truncated: bool,
}

/// One line of evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportEvidence)]
pub struct EvidenceV1 {
    /// Line of the raw log, from 1.
    pub line: u64,
    /// Column in Unicode scalars, from 1.
    pub column: u32,
    /// The masked line.
    pub text: String,
    /// `root` or `symptom`.
    pub role: String,
}

/// A class that was not chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportAlternative)]
pub struct AlternativeV1 {
    /// Id of the class.
    pub class: String,
    /// Confidence in it.
    pub confidence: f64,
}

impl DiagnosisV1 {
    /// The diagnosis again; `None` where it names something that this version doesn't know.
    pub fn to_domain(&self) -> Option<Diagnosis> {
        Some(Diagnosis {
            failed: self.failed,
            class: FailureClass::parse(&self.class)?,
            pattern: self.pattern.clone(),
            pattern_source: self.source(),
            tool: match &self.tool {
                Some(name) => Some(Tool::new(name)?),
                None => None,
            },
            step: self.step.clone(),
            confidence: Confidence::from_stored(self.confidence)?,
            confirmed: self.confirmed,
            evidence: self.evidence.iter().map(EvidenceV1::to_domain).collect::<Option<_>>()?,
            alternatives: self.alternatives.iter().map(AlternativeV1::to_domain).collect::<Option<_>>()?,
            reason: self.reason.clone(),
            fingerprint: Fingerprint::parse(&self.fingerprint).or_else(|| {
                // A diagnosis without evidence has the empty fingerprint.
                self.fingerprint.is_empty().then(Fingerprint::default)
            })?,
            truncated: self.truncated,
        })
    }

    /// Whose the pattern is that decided; `None` where there is none, or that was not recorded.
    pub fn source(&self) -> Option<PatternSource> {
        self.pattern_source.as_deref().and_then(PatternSource::parse)
    }

    pub(crate) fn scrub(&mut self, scrub: &dyn Scrub) {
        for text in [&mut self.pattern, &mut self.pattern_source, &mut self.tool, &mut self.step]
            .into_iter()
            .flatten()
        {
            scrub_text(scrub, text);
        }
        scrub_text(scrub, &mut self.reason);
        for line in &mut self.evidence {
            scrub_text(scrub, &mut line.text);
        }
    }
}

impl From<&Diagnosis> for DiagnosisV1 {
    fn from(d: &Diagnosis) -> Self {
        DiagnosisV1 {
            failed: d.failed,
            verdict: d.class.verdict().to_string(),
            class: d.class.id().to_owned(),
            pattern: d.pattern.clone(),
            pattern_source: d.pattern_source.map(|source| source.id().to_owned()),
            tool: d.tool.as_ref().map(|t| t.as_str().to_owned()),
            step: d.step.clone(),
            confidence: d.confidence.value(),
            confirmed: d.confirmed,
            evidence: d
                .evidence
                .iter()
                .map(|e| EvidenceV1 {
                    line: e.line,
                    column: e.column,
                    text: e.text.clone(),
                    role: e.role.id().to_owned(),
                })
                .collect(),
            alternatives: d
                .alternatives
                .iter()
                .map(|a| AlternativeV1 { class: a.class.id().to_owned(), confidence: a.confidence.value() })
                .collect(),
            reason: d.reason.clone(),
            fingerprint: d.fingerprint.as_str().to_owned(),
            truncated: d.truncated,
        }
    }
}

impl EvidenceV1 {
    fn to_domain(&self) -> Option<Evidence> {
        let role = [Role::Root, Role::Symptom].into_iter().find(|role| role.id() == self.role)?;
        Some(Evidence { line: self.line, column: self.column, text: self.text.clone(), role })
    }
}

impl AlternativeV1 {
    fn to_domain(&self) -> Option<Alternative> {
        Some(Alternative {
            class: FailureClass::parse(&self.class)?,
            confidence: Confidence::from_stored(self.confidence)?,
        })
    }
}
