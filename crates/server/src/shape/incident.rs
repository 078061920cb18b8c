//! Version 1 of the shape of an incident: in a list as it is, with its details where one is shown.

use std::collections::BTreeMap;

use regreen_ledger::{DecisionV1 as Decided, Feedback, Incident, InputsV1};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Moment, MomentV1, PlannedV1, moment};

/// Everything on record about one incident.
#[derive(Debug)]
pub struct Whole<'a> {
    /// The incident.
    pub incident: &'a Incident,
    /// What happened, oldest first.
    pub timeline: &'a [Moment],
    /// What people said that it was.
    pub feedback: &'a [Feedback],
}

/// One failure, from its diagnosis to its end
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Incident)]
pub struct IncidentV1 {
    /// Version of this shape
    pub version: u32,
    /// Its id
    pub id: String,
    /// `open`, `awaiting-approval`, `approved` or `closed`
    pub state: &'static str,
    /// How it ended
    pub outcome: Option<String>,
    /// When it was opened
    #[schema(format = DateTime)]
    pub opened_at: String,
    /// When it was closed
    #[schema(format = DateTime)]
    pub closed_at: Option<String>,
    /// The masked command line
    pub command: Vec<String>,
    /// The command's first exit code
    pub exit_code: Option<i32>,
    /// The exit code that the run ended with
    pub final_exit_code: Option<i32>,
    /// `infrastructure`, `code` or `unknown`
    pub verdict: String,
    /// The class of failure
    pub class: String,
    /// The pattern that decided
    pub pattern: Option<String>,
    /// Whose that pattern is: `built-in`, `operator`, `repository` or `accepted`; null where that was not recorded
    pub pattern_source: Option<String>,
    /// The tool that failed
    pub tool: Option<String>,
    /// Confidence in the class, 0 to 1
    pub confidence: f64,
    /// Whether a probe confirmed it
    pub confirmed: bool,
    /// One sentence that says why
    pub reason: String,
    /// The failure's stable name: the same failure has it everywhere
    pub fingerprint: String,
    /// `heal`, `suggest` or `none`
    pub action: Option<String>,
    /// What stood in the way of more
    pub because: Option<String>,
    /// The playbook that was chosen
    pub playbook: Option<String>,
    /// `low`, `medium` or `high`
    pub risk: Option<String>,
    /// 1 for the first incident of this commit and job
    pub attempt: u32,
    /// The workspace
    pub workspace: String,
    /// The repository
    pub repository: Option<String>,
    /// The commit
    pub commit: Option<String>,
    /// The CI job
    pub job: Option<String>,
    /// The incident that carried out what was approved here
    pub handed_over_to: Option<String>,
    /// Where the patch lies
    pub patch: Option<String>,
    /// It came from elsewhere: it can be read, not acted upon
    pub imported: bool,
    /// The rest, where one incident is shown
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<IncidentDetailsV1>,
}

/// What else is on record about an incident
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = IncidentDetails)]
pub struct IncidentDetailsV1 {
    /// The lines that spoke for the class, root first; masked
    pub evidence: Vec<EvidenceV1>,
    /// The runners-up, surest first
    pub alternatives: Vec<AlternativeV1>,
    /// What is, or would be, done, in this order
    pub steps: Vec<PlannedV1>,
    /// A person's word
    pub approval: Option<ApprovalV1>,
    /// What was checked
    pub verification: Vec<FactorV1>,
    /// What was changed in tracked files, on one line
    pub changed: Option<String>,
    /// What became of it, where it was left alone to be compared
    #[serde(skip_serializing_if = "Option::is_none")]
    pub followed: Option<FollowedV1>,
    /// How long each stage took, in milliseconds
    pub timings_ms: TimingsV1,
    /// What happened, oldest first, the journal's facts among it
    pub timeline: Vec<MomentV1>,
    /// What people said that it was
    pub feedback: Vec<FeedbackV1>,
    /// What was decided, and from what
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<DecisionV1>,
    /// What a step in the middle of the plan asks
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<QuestionV1>,
}

/// What became of an incident that was left alone to be compared
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Followed)]
pub struct FollowedV1 {
    /// The attempt that was looked at
    pub attempt: u32,
    /// Whether it was green
    pub green: bool,
    /// When
    #[schema(format = DateTime)]
    pub at: String,
}

/// A line of evidence
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Evidence)]
pub struct EvidenceV1 {
    /// Line of the raw log, from 1
    pub line: u64,
    /// Column in Unicode scalars, from 1
    pub column: u32,
    /// The masked line
    pub text: String,
    /// `root` or `symptom`
    pub role: String,
}

/// A class that was not chosen
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Alternative)]
pub struct AlternativeV1 {
    /// The class
    pub class: String,
    /// Confidence in it
    pub confidence: f64,
}

/// A person's word
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Approval)]
pub struct ApprovalV1 {
    /// Yes or no
    pub granted: bool,
    /// Whose word
    pub actor: String,
    /// Why
    pub reason: Option<String>,
    /// When
    #[schema(format = DateTime)]
    pub at: String,
}

/// A factor of a verification
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Factor)]
pub struct FactorV1 {
    /// Its name
    pub name: String,
    /// Null where it could not be checked
    pub held: Option<bool>,
    /// One sentence
    pub says: String,
}

/// How long each stage took, in milliseconds
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Timings)]
pub struct TimingsV1 {
    /// From the command's end to the diagnosis
    pub detect: Option<u64>,
    /// From the diagnosis to the decision
    pub decide: Option<u64>,
    /// The plan's steps
    pub act: Option<u64>,
    /// The verification
    pub verify: Option<u64>,
    /// The wrapped command itself
    pub command: Option<u64>,
    /// What Regreen added to the command: from its end to the decision
    pub overhead: Option<u64>,
}

/// What somebody said that an incident was
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Feedback)]
pub struct FeedbackV1 {
    /// The class
    pub class: String,
    /// Whose word
    pub actor: String,
    /// Anything else that was said
    pub note: Option<String>,
    /// When
    #[schema(format = DateTime)]
    pub at: String,
}

/// What a step in the middle of the plan asks
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Question)]
pub struct QuestionV1 {
    /// The step
    pub step: String,
    /// What it asks
    pub text: String,
    /// When
    #[schema(format = DateTime)]
    pub at: String,
    /// The answer
    pub answer: Option<ApprovalV1>,
}

/// What was decided, and from what
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Decision)]
pub struct DecisionV1 {
    /// `heal`, `suggest` or `none`
    pub action: String,
    /// What stood in the way of more; `regreen explain` says what it means
    pub because: Option<String>,
    /// How far the operator let it go
    pub mode: Option<String>,
    /// The least confidence for acting
    pub threshold: Option<f64>,
    /// Paths that the steps may write
    pub paths: Vec<String>,
    /// The arguments of each step, by its id
    pub arguments: BTreeMap<String, BTreeMap<String, String>>,
    /// The incident whose approval was used
    pub approved_as: Option<String>,
    /// What the probes saw
    pub findings: Vec<FindingV1>,
    /// The playbooks that fitted, in the order in which they were tried
    pub ranking: Vec<RankedV1>,
}

/// What a probe saw
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Finding)]
pub struct FindingV1 {
    /// The probe
    pub probe: String,
    /// `confirms`, `refutes`, `cannot-tell` or `forbids`
    pub standing: String,
    /// What was looked at
    pub subject: String,
    /// What was seen
    pub says: String,
}

/// A playbook that fitted
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Ranked)]
pub struct RankedV1 {
    /// Its id
    pub playbook: String,
    /// The draw that gave it its place
    pub score: f64,
    /// Outcomes that healed
    pub healed: u32,
    /// Outcomes that did not
    pub failed: u32,
}

impl IncidentV1 {
    /// Without its details.
    pub fn of(i: &Incident) -> IncidentV1 {
        let decision = i.decision.as_ref();
        let plan = decision.and_then(|d| d.plan.as_ref());
        let d = &i.diagnosis;
        IncidentV1 {
            version: 1,
            id: i.id.clone(),
            state: i.state.id(),
            outcome: i.outcome.clone(),
            opened_at: moment(i.opened_at),
            closed_at: i.closed_at.map(moment),
            command: i.command.clone(),
            exit_code: i.exit_code,
            final_exit_code: i.final_exit_code,
            verdict: d.verdict.clone(),
            class: d.class.clone(),
            pattern: d.pattern.clone(),
            pattern_source: d.pattern_source.clone(),
            tool: d.tool.clone(),
            // Two decimals are what a count of some dozens can carry.
            confidence: (d.confidence * 100.0 + 1e-9).floor() / 100.0,
            confirmed: d.confirmed,
            reason: d.reason.clone(),
            fingerprint: d.fingerprint.clone(),
            action: decision.map(|d| d.action.clone()),
            because: decision.and_then(|d| d.because.clone()),
            playbook: plan.map(|p| p.playbook.clone()),
            risk: plan.map(|p| p.risk.clone()),
            attempt: i.attempt,
            workspace: i.place.workspace.clone(),
            repository: i.place.repository.clone(),
            commit: i.place.commit.clone(),
            job: i.place.job.clone(),
            handed_over_to: i.handed_over_to.clone(),
            patch: i.patch.as_ref().and_then(|p| p.path.clone()),
            imported: i.imported,
            details: None,
        }
    }

    /// With its details.
    pub fn whole(whole: &Whole<'_>) -> IncidentV1 {
        IncidentV1 { details: Some(IncidentDetailsV1::of(whole)), ..IncidentV1::of(whole.incident) }
    }

    /// With its details, also what was decided from what.
    pub fn whole_with_decision(whole: &Whole<'_>) -> IncidentV1 {
        let i = whole.incident;
        let decision = i.decision.as_ref().map(|decided| DecisionV1::of(decided, i.inputs.as_ref()));
        let question = i.question.as_ref().map(|asked| QuestionV1 {
            step: asked.step.clone(),
            text: asked.text.clone(),
            at: moment(asked.at),
            answer: asked.answer.as_ref().map(ApprovalV1::of),
        });
        let plan = i.decision.as_ref().and_then(|decided| decided.plan.as_ref());
        let details = IncidentDetailsV1 {
            decision,
            question,
            steps: plan.iter().flat_map(|plan| &plan.steps).map(PlannedV1::of).collect(),
            timeline: whole.timeline.iter().map(MomentV1::of).collect(),
            ..IncidentDetailsV1::of(whole)
        };
        IncidentV1 { details: Some(details), ..IncidentV1::of(i) }
    }
}

impl IncidentDetailsV1 {
    fn of(whole: &Whole<'_>) -> IncidentDetailsV1 {
        let i = whole.incident;
        let plan = i.decision.as_ref().and_then(|d| d.plan.as_ref());
        let t = &i.timings;
        IncidentDetailsV1 {
            evidence: i
                .diagnosis
                .evidence
                .iter()
                .map(|e| EvidenceV1 {
                    line: e.line,
                    column: e.column,
                    text: e.text.clone(),
                    role: e.role.clone(),
                })
                .collect(),
            alternatives: i
                .diagnosis
                .alternatives
                .iter()
                .map(|a| AlternativeV1 { class: a.class.clone(), confidence: a.confidence })
                .collect(),
            steps: plan.iter().flat_map(|plan| &plan.steps).map(PlannedV1::named).collect(),
            approval: i.approval.as_ref().map(ApprovalV1::of),
            verification: i
                .verification
                .iter()
                .flatten()
                .map(|f| FactorV1 { name: f.name.clone(), held: f.held, says: f.says.clone() })
                .collect(),
            changed: i.patch.as_ref().map(|p| p.summary.clone()),
            followed: i.followed.map(|f| FollowedV1 { attempt: f.attempt, green: f.green, at: moment(f.at) }),
            timings_ms: TimingsV1 {
                detect: t.detect,
                decide: t.decide,
                act: t.act,
                verify: t.verify,
                command: t.command,
                overhead: t.overhead,
            },
            timeline: whole.timeline.iter().map(MomentV1::said).collect(),
            feedback: whole.feedback.iter().map(FeedbackV1::of).collect(),
            decision: None,
            question: None,
        }
    }
}

impl ApprovalV1 {
    fn of(word: &regreen_ledger::Approval) -> ApprovalV1 {
        let regreen_ledger::Approval { granted, actor, reason, at } = word.clone();
        ApprovalV1 { granted, actor, reason, at: moment(at) }
    }
}

impl FeedbackV1 {
    fn of(feedback: &Feedback) -> FeedbackV1 {
        let Feedback { class, actor, note, at } = feedback.clone();
        FeedbackV1 { class, actor, note, at: moment(at) }
    }
}

impl DecisionV1 {
    fn of(decided: &Decided, inputs: Option<&InputsV1>) -> DecisionV1 {
        let steps = decided.plan.iter().flat_map(|plan| &plan.steps);
        let findings = inputs.iter().flat_map(|inputs| &inputs.findings).map(|f| FindingV1 {
            probe: f.probe.clone(),
            standing: f.standing.clone(),
            subject: f.subject.clone(),
            says: f.says.clone(),
        });
        let ranking = inputs.iter().flat_map(|inputs| &inputs.ranking).map(|r| RankedV1 {
            playbook: r.playbook.clone(),
            score: r.score,
            healed: r.healed,
            failed: r.failed,
        });
        DecisionV1 {
            action: decided.action.clone(),
            because: decided.because.clone(),
            mode: inputs.map(|inputs| inputs.policy.mode.clone()),
            threshold: inputs.map(|inputs| inputs.policy.threshold),
            paths: decided.plan.as_ref().map(|plan| plan.paths.clone()).unwrap_or_default(),
            arguments: steps.map(|step| (step.id.clone(), step.args.clone())).collect(),
            approved_as: inputs.and_then(|inputs| inputs.approved_as.clone()),
            findings: findings.collect(),
            ranking: ranking.collect(),
        }
    }
}
