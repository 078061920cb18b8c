//! From what a scan found, and what probes saw, to the diagnosis and the sentence that says why.

use std::collections::{BTreeMap, BTreeSet};

use regreen_catalog::{PatternSource, Strength};
use regreen_domain::{
    Confidence, Diagnosis, Evidence, FailureClass, Finding, Fingerprint, HealableClass, Role, Standing, Tool,
    Verdict,
};
use regreen_logs::Ending;
use regreen_mask::Masker;

use crate::believed::{advised, failed_for_sure, is_unvouched, ranking, succeeded};
use crate::detection::{Detection, Signature};
use crate::evidence::{self, shown};
use crate::hang::Hung;
use crate::model::Outcome;
use crate::ranking::{Ranked, Ranking};
use crate::settle::{lasting, settle};
use crate::weigh::{self, Study, Weighed};
use crate::{Detector, Scan, fingerprint};

/// As sure as can be where only a baseline makes infrastructure of it: it is named, and never acted on.
const BY_BASELINE: f64 = 0.5;

/// From here on words alone name the cause of what does not even complain.
const SURE: f64 = 0.85;

impl Detector<'_> {
    /// Draws the conclusion. The same scan and findings always give the same answer.
    ///
    /// A baseline can take a cause away, or name another; it never makes anything more certain to be infrastructure
    /// than it is without.
    pub fn conclude(&self, scan: &Scan, findings: &[Finding], masker: &Masker) -> Detection {
        let knowing = (!scan.announced.is_empty()).then(|| masker.knowing(&scan.announced));
        let masker = knowing.as_ref().unwrap_or(masker);
        let Some(bare) = &scan.bare else { return self.conclude_alone(scan, findings, masker, false) };
        let without = self.conclude_alone(bare, findings, masker, false).diagnosis;
        let mut detection = self.conclude_alone(scan, findings, masker, without.failed);
        let diagnosis = &mut detection.diagnosis;
        if diagnosis.class.verdict() == Verdict::Infrastructure {
            let same = without.class == diagnosis.class;
            let at_most = if same { without.confidence } else { Confidence::calibrated(BY_BASELINE) };
            diagnosis.confidence = diagnosis.confidence.at_most(at_most);
            if !same {
                diagnosis.confirmed = false;
                diagnosis.reason.push_str(&format!("; without the baseline it is {}", without.class.id()));
            }
        }
        detection
    }

    /// Without a look at what would be concluded without a baseline. `failed`: something did, whatever this reading says.
    fn conclude_alone(&self, scan: &Scan, findings: &[Finding], masker: &Masker, failed: bool) -> Detection {
        let hits = self.ranked(scan);
        let chooses = |(_, pattern): &&Ranked<'_>| !pattern.source.only_names();
        let signatures = hits.iter().filter(chooses).map(|hit| signature(*hit, scan)).collect();
        let ranking = ranking(&hits, scan);
        let mut weighed = Weighed::of(self.model, &scan.reading, &hits, &ranking);
        // What was left aside can't make a log one of a job that passed.
        if failed_for_sure(scan) || failed && weighed.passed() {
            weighed.failed();
        }
        if scan.went_on {
            weighed.went_on();
        }
        let advised = advised(&ranking, &hits, scan);
        let case = Case { detector: self, scan, hits: &hits, masker, weighed, advised };
        let (mut diagnosis, root) = case.decide(ranking, findings);
        diagnosis.reason.push_str(&case.left_aside(&diagnosis));
        let hung = scan.hung.as_ref().filter(|_| diagnosis.failed && may_hang(diagnosis.class));
        diagnosis.reason.push_str(&hung.map_or(String::new(), Hung::says));
        let hang = hung.map(|hung| hung.told(masker));
        let captures = root.map_or(BTreeMap::new(), |root| evidence::captures(root, &hits));
        Detection { diagnosis, captures, signatures, hang }
    }

    /// What the model learns from: the features of every outcome.
    pub fn study(&self, scan: &Scan) -> Study {
        let hits = self.ranked(scan);
        weigh::study(self.model, &scan.reading, &hits, &ranking(&hits, scan))
    }

    fn ranked<'s>(&'s self, scan: &'s Scan) -> Vec<Ranked<'s>> {
        scan.hits.iter().filter_map(|hit| Some((hit, self.pattern(hit.pattern)?))).collect()
    }
}

/// Whether a job of this class can be one that hung: nothing more particular is known of it.
fn may_hang(class: FailureClass) -> bool {
    matches!(class, FailureClass::Unknown) || class == FailureClass::from(HealableClass::RunnerFailure)
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
    weighed: Weighed<'s>,
    /// What a repository's own pattern names where nothing else does.
    advised: Option<Ranked<'s>>,
}

impl<'s> Case<'s> {
    /// A signature of a cause names the class, and the model says how sure that is. Where there is none, or only a
    /// symptom, the model names the class.
    fn decide(&self, ranking: Ranking<'s>, findings: &[Finding]) -> (Diagnosis, Option<Ranked<'s>>) {
        match ranking {
            _ if succeeded(self.scan) => (self.unknown(), None),
            Ranking::Root(root) if root.1.strength == Strength::CodeFinal => {
                (self.of_root(root, findings), Some(root))
            }
            Ranking::Root(root) if is_unvouched(root.1) && root.1.strength == Strength::Cause => {
                (self.of_root(root, findings), Some(root))
            }
            _ if self.weighed.passed() && self.advised.is_none() => (self.nothing_failed(), None),
            Ranking::Root(root) => match self.behind(root) {
                Some(diagnosis) => (diagnosis, None),
                None => (self.of_root(root, findings), Some(root)),
            },
            Ranking::Mixed { code, infra } => (self.by_words(self.mixed(code, infra), false), None),
            Ranking::Nothing => {
                let by_workspace = self.without_signature(findings);
                let named = by_workspace.class != FailureClass::Unknown;
                if let Some(root) = self.advised.filter(|_| !named) {
                    return (self.of_root(root, &[]), None);
                }
                // Words of infrastructure in the mouth of the project's own programs are no witness.
                let own = self.hits.iter().any(|(hit, _)| !hit.counts && !hit.usual);
                (if named { by_workspace } else { self.by_words(by_workspace, !own) }, None)
            }
        }
    }

    fn of_root(&self, root: Ranked<'_>, findings: &[Finding]) -> Diagnosis {
        let (hit, pattern) = root;
        // What a probe sees is no word for a pattern that only names.
        let findings = if pattern.source.only_names() { &[] } else { findings };
        let settled = settle(pattern, findings);
        let said = format!("line {}: {}", hit.line, pattern.title);
        let evidence = evidence::of_root(root, self.hits, self.masker);
        let Some(class) = settled.class else {
            let reason =
                format!("{said}; but what it means was looked for in the workspace and is not there");
            let unknown = Diagnosis { evidence, reason, tool: tool(root, self.scan), ..self.unknown() };
            return unknown;
        };
        let vouched = pattern.is_vouched();
        let mut confidence = match pattern.class {
            // The workspace tells which of a line's meanings it is; of the log, that it is one of them is enough.
            _ if vouched && settled.confirmed_by.is_some() => {
                let meanings: Vec<_> =
                    [pattern.class].into_iter().chain(pattern.also.iter().copied()).collect();
                self.weighed.confidence_in_one_of(&meanings, true)
            }
            _ if vouched => self.weighed.confidence(class, pattern.strength != Strength::Symptom),
            FailureClass::Code(_) if is_unvouched(pattern) => self.weighed.confidence(class, false),
            _ if pattern.source == PatternSource::BuiltIn => self.weighed.confidence_of_a_draft(class),
            _ => Confidence::NONE,
        };
        if vouched && pattern.source == PatternSource::Operator {
            confidence = confidence.at_most(Confidence::wilson(pattern.measured.counts()));
        }
        let mut reason = said;
        if !self.weighed.agrees(class) {
            reason.push_str("; but the words around the failure speak for the project's own code");
        }
        if pattern.source.only_names() && !matches!(class, FailureClass::Code(_)) {
            let whose = match pattern.source {
                PatternSource::Accepted => "a pattern that was accepted from a draft",
                _ => "a pattern of the repository's own",
            };
            reason.push_str(&format!("; {whose} says so, which is advice and heals nothing"));
        }
        if self.scan.went_on && class.verdict() == Verdict::Infrastructure {
            reason.push_str("; but the job went on after it");
        }
        if let Some(finding) = settled.confirmed_by {
            // A registry that answers is there for everybody, also for whoever printed its name.
            if vouched && (self.weighed.agrees(class) || !self.is_circumstantial(finding)) {
                confidence = confidence.and_witness(self.probe(finding));
            }
            reason = format!("{reason}; confirmed: {}", shown(&finding.says, self.masker));
        } else if let Some(finding) = settled.forbidden_by {
            reason = format!("{reason}; must not be healed: {}", shown(&finding.says, self.masker));
        }
        Diagnosis {
            failed: true,
            evidence: self.cause_first(root, class, evidence),
            class,
            pattern: Some(pattern.id.clone()),
            pattern_source: Some(pattern.source),
            tool: tool(root, self.scan),
            confidence,
            confirmed: settled.confirmed_by.is_some(),
            alternatives: self.weighed.besides(class, confidence),
            reason,
            fingerprint: fingerprint::of_root(class, root, self.masker),
            ..self.unknown()
        }
    }

    /// A tool's last word sums up. What it sums up comes first: the line that the pattern's details name, else the one
    /// that the model takes for the cause, where it is likely and earlier.
    fn cause_first(
        &self,
        (hit, pattern): Ranked<'_>,
        class: FailureClass,
        mut evidence: Vec<Evidence>,
    ) -> Vec<Evidence> {
        let first = match &hit.detail {
            Some(detail) => Some(evidence::of_detail(detail, self.masker)),
            None => self.line_of_the_model((hit, pattern), class),
        };
        if let Some(first) = first {
            evidence.retain(|e| e.line != first.line);
            evidence.iter_mut().for_each(|e| e.role = Role::Symptom);
            evidence.insert(0, first);
        }
        evidence
    }

    fn line_of_the_model(&self, (hit, pattern): Ranked<'_>, class: FailureClass) -> Option<Evidence> {
        let opinion = &self.weighed.opinion;
        let place = Outcome::of(class).filter(|o| opinion.is_likely(*o)).and_then(|o| opinion.line(o));
        let line =
            place.and_then(|place| self.scan.reading.lines.get(place)).filter(|line| line.number < hit.line);
        let line = line.filter(|_| pattern.strength != Strength::Cause);
        line.map(|line| evidence::of_words(line, self.masker))
    }

    fn mixed(&self, code: Ranked<'_>, infra: Ranked<'_>) -> Diagnosis {
        let reason = format!(
            "line {} speaks for the project's own code ({}), line {} for the infrastructure ({}), and neither follows \
             from the other",
            code.0.line, code.1.title, infra.0.line, infra.1.title
        );
        let evidence = [code, infra].map(|(hit, _)| evidence::of_symptom(hit, self.masker)).to_vec();
        Diagnosis { failed: true, evidence, reason, ..self.unknown() }
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

    /// A symptom of a failure says that something failed, not what: where the words name another class, they are
    /// believed.
    fn behind(&self, root: Ranked<'s>) -> Option<Diagnosis> {
        if root.1.strength != Strength::Symptom {
            return None;
        }
        let own = self.hits.iter().any(|(hit, _)| !hit.counts && !hit.usual);
        let diagnosis = self.by_words(self.unknown(), !own);
        let other = match diagnosis.class {
            FailureClass::Unknown => false,
            // Where a signature says that it is the project, words alone don't make infrastructure of it.
            FailureClass::Infra(_) if root.1.class.verdict() == Verdict::Code => false,
            class => class != root.1.class,
        };
        (diagnosis.failed && other).then_some(diagnosis)
    }

    /// What no signature decides, the words around the failure may name. Nothing acts on that alone, and in a job,
    /// where the command and its end are known and probes can look, it is not even said.
    fn by_words(&self, unknown: Diagnosis, may_be_infrastructure: bool) -> Diagnosis {
        let learned = !self.detector.model.failure.keys.is_empty();
        let in_a_job = self.scan.command.is_some() || self.scan.exit.is_some();
        let known = learned && !in_a_job && !self.scan.reading.lines.is_empty();
        let Some(class) = self.weighed.class().filter(|_| known && unknown.failed) else { return unknown };
        let line = Outcome::of(class).and_then(|outcome| self.weighed.opinion.line(outcome));
        let line = line.and_then(|place| self.scan.reading.lines.get(place));
        let by_project = line.is_some_and(|line| self.scan.speakers.project_speaks(line.number));
        if !matches!(class, FailureClass::Code(_)) && (by_project || !may_be_infrastructure) {
            return unknown;
        }
        let confidence = self.weighed.confidence(class, false);
        // Of a text in which nothing complains it is not even known that it is the log of a failure.
        let complains = self.scan.last_words.is_some() || self.scan.ending == Ending::Failed;
        if !complains && confidence.value() < SURE {
            return unknown;
        }
        let evidence = line.map(|line| evidence::of_words(line, self.masker)).into_iter();
        let at = line.map_or(String::new(), |line| format!(", line {} above all", line.number));
        Diagnosis {
            class,
            confidence,
            alternatives: self.weighed.besides(class, confidence),
            evidence: evidence.chain(unknown.evidence).take(1).collect(),
            reason: format!("{}; the words around the failure read like {class}{at}", unknown.reason),
            fingerprint: fingerprint::of_words(line.map_or("", |line| &line.text), self.masker),
            ..unknown
        }
    }

    fn nothing_failed(&self) -> Diagnosis {
        Diagnosis {
            failed: false,
            evidence: Vec::new(),
            alternatives: Vec::new(),
            reason: "no failure was found".to_owned(),
            fingerprint: Fingerprint::default(),
            ..self.unknown()
        }
    }

    fn probe(&self, finding: &Finding) -> Confidence {
        Confidence::wilson(self.detector.catalog.probe(finding.probe))
    }

    /// Whether it is seen as well where the project's own code has failed.
    fn is_circumstantial(&self, finding: &Finding) -> bool {
        self.detector.catalog.probes().iter().any(|probe| probe.id == finding.probe && probe.circumstantial)
    }

    /// The honest answer, with what was seen.
    fn unknown(&self) -> Diagnosis {
        let scan = self.scan;
        // A log that does not say how it ended is of a failure until shown otherwise: nobody asks about the others.
        let failed = match scan.exit {
            Some(exit) => exit.failed(),
            None => match scan.ending {
                Ending::Failed => true,
                Ending::Passed => false,
                Ending::Worked | Ending::Unsaid => !self.weighed.passed(),
            },
        };
        let words = scan.last_words.as_ref().filter(|_| failed);
        Diagnosis {
            failed,
            class: FailureClass::Unknown,
            pattern: None,
            pattern_source: None,
            tool: scan.command.as_ref().and_then(|command| command.tool.clone()),
            step: scan.step.as_deref().map(|step| shown(step, self.masker)),
            confidence: Confidence::NONE,
            confirmed: false,
            evidence: words.map(|words| evidence::of_last_words(words, self.masker)).into_iter().collect(),
            alternatives: self.weighed.besides(FailureClass::Unknown, Confidence::NONE),
            reason: self.why_unknown(failed),
            fingerprint: if failed {
                fingerprint::of_words(words.map_or("", |words| &words.text), self.masker)
            } else {
                Fingerprint::default()
            },
            truncated: scan.truncated,
        }
    }

    /// Of a cause that a line names: how many others were none, because a passing run prints them too.
    fn left_aside(&self, diagnosis: &Diagnosis) -> String {
        let usual: BTreeSet<u64> =
            self.hits.iter().filter(|(hit, _)| hit.usual).map(|(hit, _)| hit.line).collect();
        match usual.len() {
            n if n > 0 && diagnosis.pattern.is_some() => {
                format!("; left aside, because a passing run prints the same: {n} line(s)")
            }
            _ => String::new(),
        }
    }

    fn why_unknown(&self, failed: bool) -> String {
        if !failed {
            return "it says that all went well".to_owned();
        }
        let seen = self.hits.iter().rev().find(|(hit, _)| !hit.counts).or(self.hits.last());
        let what = match (seen, self.scan.last_words.as_ref()) {
            (Some((hit, pattern)), _) if hit.usual => {
                format!(
                    "line {} reads like \"{}\", but a passing run prints that line too",
                    hit.line, pattern.title
                )
            }
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
