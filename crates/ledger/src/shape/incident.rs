//! The stored shape of an incident.

use regreen_domain::{FailureClass, Outcome, Plan, Verification, VerificationFactor};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    LedgerError,
    scrub::{Scrub, scrub_text},
    shape::{DecisionV1, DiagnosisV1, InputsV1},
};

/// The version that this build writes, and the newest it reads.
pub(crate) const VERSION: u32 = 3;

/// One failure of one command, from its diagnosis to its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Report)]
pub struct Incident {
    /// Version of this shape.
    pub version: u32,
    /// The id.
    pub id: String,
    /// When it was opened.
    pub opened_at: i64,
    /// When it last changed.
    pub changed_at: i64,
    /// When the wrapped command first ended.
    pub command_ended_at: Option<i64>,
    /// When it was closed.
    pub closed_at: Option<i64>,
    /// Where it happened.
    pub place: Place,
    /// The masked argv.
    pub command: Vec<String>,
    /// The command's first exit code.
    pub exit_code: Option<i32>,
    /// The exit code that the run ended with.
    pub final_exit_code: Option<i32>,
    /// Whether it is over.
    pub state: State,
    /// Id of how it ended.
    pub outcome: Option<String>,
    /// By which the run's own processes and files are known again.
    pub run_marker: Option<String>,
    /// 1 for the first incident of this commit and job.
    pub attempt: u32,
    /// Why the command failed.
    pub diagnosis: DiagnosisV1,
    /// What was decided.
    pub decision: Option<DecisionV1>,
    /// What it was decided from. Since version 2 of this shape.
    #[serde(default)]
    pub inputs: Option<InputsV1>,
    /// A person's word, where it was asked for.
    pub approval: Option<Approval>,
    /// What a step in the middle of the plan asked. Since version 3 of this shape.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<Question>,
    /// The incident that carried out what was approved. Since version 2 of this shape.
    #[serde(default)]
    pub handed_over_to: Option<String>,
    /// What was checked.
    pub verification: Option<Vec<FactorV1>>,
    /// What was changed in tracked files.
    pub patch: Option<Patch>,
    /// How long each stage took.
    pub timings: Timings,
    /// What became of it without Regreen, where it was left alone to be compared and that was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub followed: Option<Followed>,
    /// Came from another ledger: it can be read, not acted upon.
    #[serde(skip)]
    pub imported: bool,
}

/// Where an incident happened.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportPlace)]
pub struct Place {
    /// The workspace.
    pub workspace: String,
    /// The repository, where it is known.
    pub repository: Option<String>,
    /// The commit, where there is one.
    pub commit: Option<String>,
    /// The CI job, where there is one.
    pub job: Option<String>,
}

/// Whether an incident is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = ReportState)]
pub enum State {
    /// A process works on it, or died on it.
    Open,
    /// Waiting for a person's word.
    AwaitingApproval,
    /// A person agreed; the next run with the same failure and the same playbook carries it out.
    Approved,
    /// It is over.
    Closed,
}

/// A person's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportApproval)]
pub struct Approval {
    /// Yes or no.
    pub granted: bool,
    /// Whose word.
    pub actor: String,
    /// Why, where it was said.
    pub reason: Option<String>,
    /// When.
    pub at: i64,
}

/// What a step asked while its plan was carried out, and the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportQuestion)]
pub struct Question {
    /// Id of the step.
    pub step: String,
    /// What it asked.
    pub text: String,
    /// When.
    pub at: i64,
    /// A person's word, once it was given.
    pub answer: Option<Approval>,
}

/// What became of an incident in which nothing was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportFollowed)]
pub struct Followed {
    /// The attempt of the run by which it was seen: the next one.
    pub attempt: u32,
    /// Whether that ended well.
    pub green: bool,
    /// When it was seen.
    pub at: i64,
}

/// One factor of a verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportFactor)]
pub struct FactorV1 {
    /// Stable name.
    pub name: String,
    /// `null` where it could not be checked.
    pub held: Option<bool>,
    /// One sentence.
    pub says: String,
}

/// What was changed in tracked files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportPatch)]
pub struct Patch {
    /// Where the patch lies, where it was written.
    pub path: Option<String>,
    /// One line.
    pub summary: String,
}

/// How long each stage took, in milliseconds; `null` where it did not run or was not measured.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportTimings)]
pub struct Timings {
    /// From the command's end to the diagnosis.
    pub detect: Option<u64>,
    /// From the diagnosis to the decision.
    pub decide: Option<u64>,
    /// The plan's steps.
    pub act: Option<u64>,
    /// The verification.
    pub verify: Option<u64>,
    /// The wrapped command itself; beside the fleet the jobs that ran again, together.
    pub command: Option<u64>,
    /// What Regreen added to the command: from its end to the decision.
    pub overhead: Option<u64>,
}

impl State {
    /// The stable id.
    pub const fn id(self) -> &'static str {
        match self {
            State::Open => "open",
            State::AwaitingApproval => "awaiting-approval",
            State::Approved => "approved",
            State::Closed => "closed",
        }
    }
}

impl Incident {
    /// Reads a stored record of this version or an older one.
    ///
    /// # Errors
    /// `Newer` for a shape of a later version, `Shape` for anything that is no record.
    pub(crate) fn parse(record: &str) -> Result<Incident, LedgerError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let wrong = |source| LedgerError::Shape { what: "the record of an incident".to_owned(), source };
        let Versioned { version } = serde_json::from_str(record).map_err(wrong)?;
        if version > VERSION {
            return Err(LedgerError::Newer { found: version.into(), supported: VERSION.into() });
        }
        serde_json::from_str(record).map_err(wrong)
    }

    /// The record as it is stored.
    pub(crate) fn to_record(&self) -> Result<String, LedgerError> {
        serde_json::to_string(self)
            .map_err(|source| LedgerError::Shape { what: format!("incident `{}`", self.id), source })
    }

    /// How it ended; `None` while it is open, or where this version doesn't know the word.
    pub fn outcome(&self) -> Option<Outcome> {
        self.outcome.as_deref().and_then(Outcome::parse)
    }

    /// The class; `Unknown` where this version doesn't know the word.
    pub fn class(&self) -> FailureClass {
        FailureClass::parse(&self.diagnosis.class).unwrap_or(FailureClass::Unknown)
    }

    /// The plan that was decided on; `None` where there is none or this version can't carry it out.
    pub fn plan(&self) -> Option<Plan> {
        self.decision.as_ref()?.plan.as_ref()?.to_domain()
    }

    /// Every free text; ids and closed vocabularies stay as they are.
    pub(crate) fn scrub(&mut self, scrub: &dyn Scrub) {
        self.place.scrub(scrub);
        self.command.iter_mut().for_each(|arg| scrub_text(scrub, arg));
        self.run_marker.iter_mut().for_each(|text| scrub_text(scrub, text));
        self.diagnosis.scrub(scrub);
        if let Some(plan) = self.decision.as_mut().and_then(|d| d.plan.as_mut()) {
            scrub_text(scrub, &mut plan.playbook);
            plan.paths.iter_mut().for_each(|path| scrub_text(scrub, path));
            plan.steps.iter_mut().for_each(|step| step.scrub(scrub));
        }
        if let Some(inputs) = &mut self.inputs {
            inputs.scrub(scrub);
        }
        if let Some(approval) = &mut self.approval {
            scrub_text(scrub, &mut approval.actor);
            approval.reason.iter_mut().for_each(|text| scrub_text(scrub, text));
        }
        if let Some(question) = &mut self.question {
            scrub_text(scrub, &mut question.text);
            if let Some(answer) = &mut question.answer {
                scrub_text(scrub, &mut answer.actor);
                answer.reason.iter_mut().for_each(|text| scrub_text(scrub, text));
            }
        }
        for factor in self.verification.iter_mut().flatten() {
            scrub_text(scrub, &mut factor.name);
            scrub_text(scrub, &mut factor.says);
        }
        if let Some(patch) = &mut self.patch {
            patch.path.iter_mut().for_each(|text| scrub_text(scrub, text));
            scrub_text(scrub, &mut patch.summary);
        }
    }
}

impl Place {
    pub(crate) fn scrub(&mut self, scrub: &dyn Scrub) {
        scrub_text(scrub, &mut self.workspace);
        for text in [&mut self.repository, &mut self.commit, &mut self.job].into_iter().flatten() {
            scrub_text(scrub, text);
        }
    }
}

impl FactorV1 {
    pub(crate) fn of(verification: &Verification) -> Vec<FactorV1> {
        let one =
            |f: &VerificationFactor| FactorV1 { name: f.name.clone(), held: f.held, says: f.says.clone() };
        verification.factors.iter().map(one).collect()
    }
}
