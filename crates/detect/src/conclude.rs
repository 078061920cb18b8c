//! From what a scan found, and what probes saw, to the diagnosis and the sentence that says why.

use std::collections::BTreeMap;

use regreen_domain::{Confidence, Diagnosis, FailureClass, Finding, Fingerprint, Standing, Tool};
use regreen_logs::Ending;
use regreen_mask::Masker;

use crate::alternatives::{besides, measured};
use crate::detection::{Detection, Signature};
use crate::evidence::{self, shown};
use crate::ranking::{Ranked, Ranking, rank};
use crate::settle::{lasting, settle};
use crate::{Detector, Scan, fingerprint};

impl Detector<'_> {
    /// Draws the conclusion. The same scan and findings always give the same answer.
    pub fn conclude(&self, scan: &Scan, findings: &[Finding], masker: &Masker) -> Detection {
        let hits: Vec<Ranked<'_>> =
            scan.hits.iter().filter_map(|hit| Some((hit, self.pattern(hit.pattern)?))).collect();
        let signatures = hits.iter().map(|hit| signature(*hit, scan)).collect();
        let hung = scan.exit.is_some_and(|exit| exit.hung());
        let ranking = if succeeded(scan) { Ranking::Nothing } else { rank(&hits, hung) };
        let case = Case { detector: self, scan, hits: &hits, masker };
        let (diagnosis, root) = match ranking {
            Ranking::Root(root) => (case.of_root(root, findings), Some(root)),
            Ranking::Mixed { code, infra } => (case.mixed(code, infra), None),
            Ranking::Nothing => (case.without_signature(findings), None),
        };
        let captures = root.map_or(BTreeMap::new(), |root| evidence::captures(root, &hits));
        Detection { diagnosis, captures, signatures }
    }
}

/// Whether it is known that nothing failed.
fn succeeded(scan: &Scan) -> bool {
    scan.exit.map_or(scan.ending == Ending::Passed, |exit| !exit.failed())
}

fn signature((hit, pattern): Ranked<'_>, scan: &Scan) -> Signature {
    Signature {
        pattern: pattern.id.clone(),
        class: pattern.class,
        also: pattern.also.clone(),
        tool: tool((hit, pattern), scan),
        line: hit.line,
        counts: hit.counts,
        captures: hit.captures.clone(),
    }
}

/// The command's own tool where the words can be its; else the one that usually says them.
fn tool((_, pattern): Ranked<'_>, scan: &Scan) -> Option<Tool> {
    let own = scan.command.as_ref().and_then(|command| command.tool.as_ref());
    own.filter(|tool| pattern.tools.is_empty() || pattern.tools.contains(tool))
        .or(pattern.tools.first())
        .cloned()
}

/// Everything that the sentences of a diagnosis are made from.
struct Case<'s> {
    detector: &'s Detector<'s>,
    scan: &'s Scan,
    hits: &'s [Ranked<'s>],
    masker: &'s Masker,
}

impl Case<'_> {
    fn of_root(&self, root: Ranked<'_>, findings: &[Finding]) -> Diagnosis {
        let (hit, pattern) = root;
        let settled = settle(pattern, findings);
        let said = format!("line {}: {}", hit.line, pattern.title);
        let evidence = evidence::of_root(root, self.hits, self.masker);
        let Some(class) = settled.class else {
            let reason =
                format!("{said}; but what it means was looked for in the workspace and is not there");
            let unknown = Diagnosis { evidence, reason, tool: tool(root, self.scan), ..self.unknown() };
            return Diagnosis {
                alternatives: besides(FailureClass::Unknown, Some(root), self.hits),
                ..unknown
            };
        };
        let mut confidence = measured(pattern);
        let mut reason = said;
        if let Some(finding) = settled.confirmed_by {
            confidence = confidence.and_witness(self.probe(finding));
            reason = format!("{reason}; confirmed: {}", shown(&finding.says, self.masker));
        } else if let Some(finding) = settled.forbidden_by {
            reason = format!("{reason}; must not be healed: {}", shown(&finding.says, self.masker));
        }
        Diagnosis {
            failed: true,
            class,
            pattern: Some(pattern.id.clone()),
            tool: tool(root, self.scan),
            confidence,
            confirmed: settled.confirmed_by.is_some(),
            evidence,
            alternatives: besides(class, Some(root), self.hits),
            reason,
            fingerprint: fingerprint::of_root(class, root),
            ..self.unknown()
        }
    }

    fn mixed(&self, code: Ranked<'_>, infra: Ranked<'_>) -> Diagnosis {
        let reason = format!(
            "line {} speaks for the project's own code ({}), line {} for the infrastructure ({}), and neither follows \
             from the other",
            code.0.line, code.1.title, infra.0.line, infra.1.title
        );
        let evidence = [code, infra].map(|(hit, _)| evidence::of_symptom(hit, self.masker)).to_vec();
        Diagnosis {
            failed: true,
            evidence,
            alternatives: besides(FailureClass::Unknown, None, self.hits),
            reason,
            ..self.unknown()
        }
    }

    /// No signature decides. The workspace may still: damage that a probe sees in what the command had to read.
    fn without_signature(&self, findings: &[Finding]) -> Diagnosis {
        let unknown = self.unknown();
        let Some(command) = self.scan.command.as_ref().filter(|_| unknown.failed) else { return unknown };
        let reads = command.fetches || command.kind == regreen_domain::CommandKind::Install;
        let seen = findings.iter().find(|finding| {
            reads
                && finding.standing == Standing::Confirms
                && lasting(finding.class)
                && command.tool.as_ref() == Some(&finding.tool)
        });
        let Some(finding) = seen else { return unknown };
        let says = shown(&finding.says, self.masker);
        Diagnosis {
            class: finding.class,
            tool: Some(finding.tool.clone()),
            confidence: self.probe(finding),
            reason: format!("the log names no cause, but the workspace does: {says}"),
            fingerprint: fingerprint::of_finding(finding.class, finding.probe, finding.tool.as_str()),
            ..unknown
        }
    }

    fn probe(&self, finding: &Finding) -> Confidence {
        Confidence::wilson(self.detector.catalog.probe(finding.probe))
    }

    /// The honest answer, with what was seen.
    fn unknown(&self) -> Diagnosis {
        let scan = self.scan;
        // A log that does not say how it ended is of a failure until shown otherwise: nobody asks about the others.
        let failed = !succeeded(scan);
        let words = scan.last_words.as_ref().filter(|_| failed);
        Diagnosis {
            failed,
            class: FailureClass::Unknown,
            pattern: None,
            tool: scan.command.as_ref().and_then(|command| command.tool.clone()),
            step: scan.step.clone(),
            confidence: Confidence::NONE,
            confirmed: false,
            evidence: words.map(|words| evidence::of_last_words(words, self.masker)).into_iter().collect(),
            alternatives: besides(FailureClass::Unknown, None, self.hits),
            reason: self.why_unknown(failed),
            fingerprint: if failed { fingerprint::of_unknown(words) } else { Fingerprint::default() },
            truncated: scan.truncated,
        }
    }

    fn why_unknown(&self, failed: bool) -> String {
        if !failed {
            return "it says that all went well".to_owned();
        }
        let seen = self.hits.iter().rev().find(|(hit, _)| !hit.counts).or(self.hits.last());
        let what = match (seen, self.scan.last_words.as_ref()) {
            (Some((hit, pattern)), _) if !hit.counts => {
                format!(
                    "line {} reads like \"{}\", but the project's own programs were speaking there",
                    hit.line, pattern.title
                )
            }
            (Some((hit, pattern)), _) => format!("line {} only warns: {}", hit.line, pattern.title),
            (None, Some(words)) => format!("no known signature; the last error is in line {}", words.line),
            (None, None) if self.scan.exit.is_none() && self.scan.ending == Ending::Unsaid => {
                "it does not say how it ended, and no line reads like an error".to_owned()
            }
            (None, None) => "no known signature and no line that reads like an error".to_owned(),
        };
        let end =
            self.scan.exit.map_or(String::new(), |exit| match (exit.signal, exit.idle, exit.timed_out) {
                (_, true, _) => "; the command was ended because it said nothing more".to_owned(),
                (_, _, true) => "; the command was ended because it took too long".to_owned(),
                (Some(signal), ..) => {
                    format!("; signal {signal} ended the command, which alone proves nothing")
                }
                _ => String::new(),
            });
        what + &end
    }
}
