//! What a decision is made from: the operator's policy, the setting, the history, and the playbooks.

use std::collections::BTreeMap;

use regreen_domain::{HealableClass, Mode, PlannedStep, Risk, Tool};

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
    /// Whether every file of `paths` is tracked and equal to HEAD; `None` where that can't be told.
    pub files_clean: Option<bool>,
    /// Files below the workspace that a playbook of this tool may write.
    pub paths: Vec<String>,
}

/// What happened before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    /// Attempts for this commit and job that acted.
    pub attempts: u32,
    /// When the playbook was last tried here by another incident, in milliseconds since 1970.
    pub last_try: Option<i64>,
    /// The circuit breaker of this class, service and repository.
    pub breaker: Breaker,
    /// Whether the time for recovery is used up.
    pub time_used_up: bool,
    /// Whether healing is paused.
    pub paused: bool,
    /// Playbooks that were tried, or found unable to help, for this very failure.
    pub tried: Vec<String>,
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
    /// Whether it writes files of the workspace.
    pub writes_files: bool,
    /// Its steps; `{tool}` in an argument stands for the tool's name.
    pub steps: Vec<PlannedStep>,
}

impl Playbook {
    /// Whether it is made for this tool.
    pub fn fits_tool(&self, tool: Option<&Tool>) -> bool {
        self.tools.is_empty() || tool.is_some_and(|t| self.tools.contains(t))
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
