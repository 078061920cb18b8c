//! What a decision is made from: the operator's policy, the setting, the history, and the playbooks.

use std::{collections::BTreeMap, fmt};

use regreen_domain::{FailureClass, HealableClass, Mode, Outcome, PlannedStep, Risk, Tool};

/// What the operator wants. A repository may only tighten it.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// How far Regreen may go.
    pub mode: Mode,
    /// Least confidence for acting, 0 to 1.
    pub threshold: f64,
    /// Attempts per commit and job.
    pub max_attempts: u32,
    /// Highest risk of a playbook that may run by itself.
    pub max_risk: Risk,
    /// Whether a person has agreed to this very incident.
    pub approved: bool,
    /// How a playbook earns more than `mode`; `None`: it can't.
    pub promotion: Option<Promotion>,
    /// What recovery may cost.
    pub budget: Budget,
    /// What it may cost in all repositories of an organisation together.
    pub organisation: Budget,
    /// What is never healed by itself.
    pub deny: Vec<Denial>,
    /// The share of what would be healed that is left alone, to compare the rest with it; 0 to 0.5. Only where a whole job runs
    /// again.
    pub control: f64,
}

impl Default for Policy {
    /// As on a CI job without any configuration, but for the limit against storms.
    fn default() -> Policy {
        Policy {
            mode: Mode::Auto,
            threshold: 0.85,
            max_attempts: 3,
            max_risk: Risk::Medium,
            approved: false,
            promotion: None,
            budget: Budget::default(),
            organisation: Budget::default(),
            deny: Vec::new(),
            control: 0.0,
        }
    }
}

/// How a playbook that does well earns a higher mode, for its class and repository. One failure takes it away again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Promotion {
    /// The mode that it earns.
    pub to: Mode,
    /// The share of healed ones that its outcomes must show: the lower end of their 95 % Wilson interval.
    pub at: f64,
}

/// What recovery may cost in a repository, or an organisation. `None`: no limit.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Budget {
    /// Minutes of recovery, repeated commands included, in 24 hours.
    pub minutes_per_day: Option<u32>,
    /// Recoveries in 24 hours.
    pub attempts_per_day: Option<u32>,
    /// Recoveries in an hour: against storms.
    pub per_hour: Option<u32>,
    /// Money in 24 hours.
    pub money_per_day: Option<f64>,
    /// What a minute of a runner costs, in the same money.
    pub cost_per_minute: f64,
}

/// One line of a deny list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// A class.
    Class(FailureClass),
    /// A pattern, by id.
    Pattern(String),
    /// A playbook, by id.
    Playbook(String),
    /// A tool.
    Tool(Tool),
}

impl Denial {
    /// `class:ID`, `pattern:ID`, `playbook:ID` or `tool:NAME`.
    pub fn parse(text: &str) -> Option<Denial> {
        let (what, id) = text.split_once(':').filter(|(_, id)| !id.is_empty())?;
        match what {
            "class" => FailureClass::parse(id).map(Denial::Class),
            "pattern" => Some(Denial::Pattern(id.to_owned())),
            "playbook" => Some(Denial::Playbook(id.to_owned())),
            "tool" => Tool::new(id).map(Denial::Tool),
            _ => None,
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Denial::Class(class) => write!(f, "class:{}", class.id()),
            Denial::Pattern(id) => write!(f, "pattern:{id}"),
            Denial::Playbook(id) => write!(f, "playbook:{id}"),
            Denial::Tool(tool) => write!(f, "tool:{tool}"),
        }
    }
}

/// Where this happens.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Setting {
    /// A CI job: the workspace is disposable.
    pub in_ci: bool,
    /// A pull request from a fork.
    pub untrusted_fork: bool,
    /// The job's own name speaks of deploying, publishing, releasing, migrating or signing.
    pub deploys: bool,
    /// The user said `--yes`.
    pub yes: bool,
    /// The user said `--rerun=always`.
    pub rerun_always: bool,
    /// The CI host runs the whole job again, on a machine of its own: no command has to be known as repeatable there, and
    /// there is no workspace in which a probe could have confirmed anything.
    pub whole_job: bool,
    /// Whether every file of `paths` is tracked and equal to HEAD; `None` where that can't be told.
    pub files_clean: Option<bool>,
    /// The tool's lockfile below the workspace, where it has one: what `{lockfile}` stands for.
    pub paths: Vec<String>,
    /// Other files that a playbook declares by name, and that are not tracked and equal to HEAD.
    pub unclean: Vec<String>,
}

/// What happened before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    /// Attempts for this commit and job that acted.
    pub attempts: u32,
    /// How playbooks did with this class and tool in this repository.
    pub records: Vec<Record>,
    /// What recovery has cost in this repository.
    pub spent: Spent,
    /// What it has cost in all repositories of its organisation together.
    pub organisation: Spent,
    /// For the draws that order the playbooks; `None`: in the order in which they are given.
    pub seed: Option<u64>,
    /// The circuit breaker of this class, service and repository.
    pub breaker: Breaker,
    /// Whether the time for recovery is used up.
    pub time_used_up: bool,
    /// Whether healing is paused.
    pub paused: bool,
    /// Whether a service that the job needs is down, and somebody else goes on once it is back.
    pub service_down: bool,
    /// Playbooks that were tried, or found unable to help, for this very failure; the latest last.
    pub tried: Vec<String>,
}

/// How a playbook did with a class and tool in a repository.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// Its id.
    pub playbook: String,
    /// Incidents of the class that it healed, of the latest [`Record::MOST`].
    pub healed: u32,
    /// Incidents of the class in which it was rolled back, got stuck, or healed what a person then called something else.
    pub failed: u32,
    /// The same, of those with the very pattern.
    pub pattern_healed: u32,
    /// The same, of those with the very pattern.
    pub pattern_failed: u32,
    /// How its latest incident ended.
    pub last: Option<Outcome>,
    /// When it was last started by another incident, in milliseconds since 1970.
    pub last_try: Option<i64>,
}

impl Record {
    /// So many incidents are looked back at.
    pub const MOST: u32 = 200;
}

/// What recovery has cost in a repository, or an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent {
    /// Milliseconds of recovery, repeated commands included, in the last 24 hours. Beside the fleet: of the jobs that ran again.
    pub day_ms: u64,
    /// Recoveries that were begun in the last 24 hours.
    pub day: u32,
    /// Recoveries that were begun in the last hour.
    pub hour: u32,
}

/// A circuit breaker as decisions see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Breaker {
    /// Acting is allowed.
    #[default]
    Closed,
    /// It is not.
    Open,
}

/// A playbook of the catalogue, joined with the step kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Playbook {
    /// Its id.
    pub id: String,
    /// Classes that it heals.
    pub heals: Vec<HealableClass>,
    /// Tools for which it is made; empty is every tool.
    pub tools: Vec<Tool>,
    /// The most that it can spoil.
    pub risk: Risk,
    /// Most attempts per commit and job.
    pub attempts: u32,
    /// Least time between two incidents that use it, in milliseconds.
    pub cooldown_ms: i64,
    /// Whether it takes away what it can't put back: only where nothing is worth keeping.
    pub ci_only: bool,
    /// Whether it writes files of the workspace.
    pub writes_files: bool,
    /// Which: paths below the workspace, `{lockfile}` and `{tool}` for the tool's. Nothing else may be written.
    pub paths: Vec<String>,
    /// What is thought of it before there are outcomes: so many healed of so many tried.
    pub prior: (u32, u32),
    /// The operator's own: it goes before those of the program.
    pub own: bool,
    /// What is tried after it, in this order and nothing else; `None`: the order of preference.
    pub fallback: Option<Vec<String>>,
    /// Its steps; `{tool}` in an argument stands for the tool's name.
    pub steps: Vec<PlannedStep>,
}

/// Stands for the tool's lockfile.
const LOCKFILE: &str = "{lockfile}";

impl Playbook {
    /// Whether it is made for this tool.
    pub fn fits_tool(&self, tool: Option<&Tool>) -> bool {
        self.tools.is_empty() || tool.is_some_and(|t| self.tools.contains(t))
    }

    /// The files of the workspace that its plan may write. Without a lockfile there is none to write.
    pub fn paths_for(&self, tool: Option<&Tool>, lockfiles: &[String]) -> Vec<String> {
        let name = tool.map_or("", Tool::as_str);
        let mut paths: Vec<String> = Vec::new();
        for path in self.paths.iter().map(|path| path.replace("{tool}", name)) {
            match path.contains(LOCKFILE) {
                true => paths.extend(lockfiles.iter().map(|lockfile| path.replace(LOCKFILE, lockfile))),
                false => paths.push(path),
            }
        }
        paths
    }

    /// Its steps with the tool filled in. Only a checked tool name can stand in that hole.
    pub fn steps_for(&self, tool: Option<&Tool>) -> Vec<PlannedStep> {
        let name = tool.map_or("", Tool::as_str);
        let fill = |args: &BTreeMap<String, String>| {
            args.iter()
                .map(|(k, v)| (k.clone(), if v == "{tool}" { name.to_owned() } else { v.clone() }))
                .collect()
        };
        self.steps.iter().map(|s| PlannedStep { args: fill(&s.args), ..s.clone() }).collect()
    }
}
