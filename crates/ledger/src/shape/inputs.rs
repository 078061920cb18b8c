//! The stored shape of what a decision was made from, besides the diagnosis: enough to decide again, offline.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    scrub::{Scrub, scrub_text},
    shape::StepV1,
};

/// All that a decision depends on but its diagnosis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportInputs)]
pub struct InputsV1 {
    /// When it was decided.
    pub now: i64,
    /// The version of Regreen that decided.
    pub regreen: String,
    /// What the probes saw.
    pub findings: Vec<FindingV1>,
    /// The wrapped command.
    pub command: CommandV1,
    /// What the operator wanted.
    pub policy: PolicyV1,
    /// Where it happened.
    pub setting: SettingV1,
    /// What had happened before.
    pub history: HistoryV1,
    /// The playbooks that heal the diagnosis's class, in order of preference.
    pub playbooks: Vec<PlaybookV1>,
    /// The incident whose approval lifted the mode, where one did.
    pub approved_as: Option<String>,
    /// The playbooks that fitted, in the order in which they were tried, with what put them there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranking: Vec<RankedV1>,
}

/// A playbook with the draw that gave it its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportRanked)]
pub struct RankedV1 {
    /// Its id.
    pub playbook: String,
    /// The draw.
    pub score: f64,
    /// Outcomes that healed.
    pub healed: u32,
    /// Outcomes that did not.
    pub failed: u32,
}

/// What a probe saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportFinding)]
pub struct FindingV1 {
    /// Id of the probe.
    pub probe: String,
    /// The tool.
    pub tool: String,
    /// Id of the class it speaks about.
    pub class: String,
    /// `confirms`, `refutes`, `cannot-tell` or `forbids`.
    pub standing: String,
    /// What was looked at.
    pub subject: String,
    /// What was seen.
    pub says: String,
}

/// What was known of the command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportCommand)]
pub struct CommandV1 {
    /// Its tool.
    pub tool: Option<String>,
    /// Id of its kind.
    pub kind: String,
    /// Whether it may fetch packages.
    pub fetches: bool,
}

/// What the operator wanted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportPolicy)]
pub struct PolicyV1 {
    /// Id of the mode.
    pub mode: String,
    /// Least confidence for acting.
    pub threshold: f64,
    /// Attempts per commit and job.
    pub max_attempts: u32,
    /// Id of the highest risk.
    pub max_risk: String,
    /// Id of the mode that a playbook could earn, and the share that it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<serde_json::Value>>, min_items = 2, max_items = 2)]
    pub promotion: Option<(String, f64)>,
    /// Most minutes of recovery in 24 hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes_per_day: Option<u32>,
    /// Most recoveries in an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_hour: Option<u32>,
    /// Most money in 24 hours, and what a minute costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<f64>>, min_items = 2, max_items = 2)]
    pub money_per_day: Option<(f64, f64)>,
    /// Most recoveries in 24 hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts_per_day: Option<u32>,
    /// What all repositories of the organisation could cost together; left out where that had no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<BudgetV1>,
    /// The deny list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<String>,
    /// The share that was left alone to compare the rest with it; left out where nothing was drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<f64>,
}

/// What recovery could cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportBudget)]
pub struct BudgetV1 {
    /// Most minutes in 24 hours.
    pub minutes_per_day: Option<u32>,
    /// Most recoveries in 24 hours.
    pub attempts_per_day: Option<u32>,
    /// Most recoveries in an hour.
    pub per_hour: Option<u32>,
    /// Most money in 24 hours, and what a minute costs.
    #[schema(value_type = Option<Vec<f64>>, min_items = 2, max_items = 2)]
    pub money_per_day: Option<(f64, f64)>,
}

/// What recovery had cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportSpent)]
pub struct SpentV1 {
    /// Milliseconds in the 24 hours before.
    pub day_ms: u64,
    /// Recoveries in the 24 hours before.
    pub day: u32,
    /// Recoveries in the hour before.
    pub hour: u32,
}

/// Where it happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportSetting)]
pub struct SettingV1 {
    /// A CI job.
    pub in_ci: bool,
    /// A pull request from a fork.
    pub untrusted_fork: bool,
    /// The job deploys.
    pub deploys: bool,
    /// The user said `--yes`.
    pub yes: bool,
    /// The user said `--rerun=always`.
    pub rerun_always: bool,
    /// The CI host runs the whole job again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub whole_job: bool,
    /// Whether the files were equal to HEAD; `null` where that could not be told.
    pub files_clean: Option<bool>,
    /// The tool's lockfile.
    pub paths: Vec<String>,
    /// Declared files that were not equal to HEAD.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unclean: Vec<String>,
}

/// What had happened before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportHistory)]
pub struct HistoryV1 {
    /// Attempts for this commit and job.
    pub attempts: u32,
    /// No longer written: `records` say it by playbook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_try: Option<i64>,
    /// Whether the circuit breaker was open.
    pub breaker_open: bool,
    /// Whether the time for recovery was used up.
    pub time_used_up: bool,
    /// Whether healing was paused.
    pub paused: bool,
    /// Whether a service was down and the fleet went on once it was back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub service_down: bool,
    /// Playbooks that were out of the question.
    pub tried: Vec<String>,
    /// How playbooks had done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<RecordV1>,
    /// Milliseconds of recovery in the 24 hours before.
    #[serde(default)]
    pub spent_day_ms: u64,
    /// Recoveries in the hour before.
    #[serde(default)]
    pub spent_hour: u32,
    /// Recoveries in the 24 hours before.
    #[serde(default)]
    pub spent_day: u32,
    /// What all repositories of the organisation had cost together; left out where that had no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<SpentV1>,
    /// For the draws; `null` where nothing was drawn.
    #[serde(default)]
    pub seed: Option<u64>,
}

/// How a playbook had done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportRecord)]
pub struct RecordV1 {
    /// Its id.
    pub playbook: String,
    /// Incidents of the class that it healed.
    pub healed: u32,
    /// Incidents of the class that it did not heal.
    pub failed: u32,
    /// Of those with the pattern, healed.
    pub pattern_healed: u32,
    /// Of those with the pattern, not healed.
    pub pattern_failed: u32,
    /// Id of how the latest ended.
    pub last: Option<String>,
    /// When it was last started.
    pub last_try: Option<i64>,
}

/// A playbook as it was then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportPlaybook)]
pub struct PlaybookV1 {
    /// Its id.
    pub id: String,
    /// Ids of the classes that it heals.
    pub heals: Vec<String>,
    /// Its tools; empty is every tool.
    pub tools: Vec<String>,
    /// Id of its risk.
    pub risk: String,
    /// Most attempts per commit and job.
    pub attempts: u32,
    /// Least time between two incidents that use it.
    pub cooldown_ms: i64,
    /// Whether it takes away what it can't put back.
    #[serde(default)]
    pub ci_only: bool,
    /// Whether it writes files of the workspace.
    pub writes_files: bool,
    /// Which; `None` of a version in which every plan could write the lockfile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paths: Option<Vec<String>>,
    /// So many healed of so many tried, as the catalogue thought before there were outcomes.
    #[serde(default)]
    #[schema(value_type = Vec<u32>, min_items = 2, max_items = 2)]
    pub prior: (u32, u32),
    /// Whether it was the operator's own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
    /// What is tried after it; left out where the order of preference says that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Vec<String>>,
    /// Its steps.
    pub steps: Vec<StepV1>,
}

impl InputsV1 {
    /// Every free text; a decision reads none of them but the ids.
    pub(crate) fn scrub(&mut self, scrub: &dyn Scrub) {
        for finding in &mut self.findings {
            scrub_text(scrub, &mut finding.subject);
            scrub_text(scrub, &mut finding.says);
        }
        self.setting.paths.iter_mut().for_each(|path| scrub_text(scrub, path));
        self.setting.unclean.iter_mut().for_each(|path| scrub_text(scrub, path));
        self.history.tried.iter_mut().for_each(|id| scrub_text(scrub, id));
        self.history.records.iter_mut().for_each(|record| scrub_text(scrub, &mut record.playbook));
        self.ranking.iter_mut().for_each(|ranked| scrub_text(scrub, &mut ranked.playbook));
        self.policy.deny.iter_mut().for_each(|line| scrub_text(scrub, line));
        for playbook in &mut self.playbooks {
            scrub_text(scrub, &mut playbook.id);
            playbook.steps.iter_mut().for_each(|step| step.scrub(scrub));
        }
    }
}
