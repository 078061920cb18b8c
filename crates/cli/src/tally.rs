//! What many diagnoses come to: causes by class and by fingerprint, what would have been done, how long it took.
//! Memory grows with the causes, within bounds, not with the logs.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use regreen_catalog::Pattern;
use regreen_domain::{FailureClass, Role};
use regreen_show::{Diagnosed, harmless::harmless};

/// So many causes are told apart; logs of others are counted in their class.
const CAUSES: usize = 5_000;

/// So many inputs that can't be read are named; the rest is counted.
const UNREAD: usize = 1_000;

/// What is done about a failure, by the ids of the JSON of `diagnose`.
pub const ACTIONS: [&str; 3] = ["heal", "suggest", "none"];

/// Logs, and how long their jobs took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// How many.
    pub logs: u64,
    /// How many of them say when they began and ended.
    pub timed: u64,
    /// How long those took together.
    pub took: Duration,
}

/// The logs of one class or cause.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Group {
    /// All of them.
    pub all: Share,
    /// By what would have been done, as in [`ACTIONS`].
    pub by_action: [u64; 3],
}

/// Where a cause shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// The input's name, masked and harmless.
    pub input: String,
    /// Its file, where it can be linked to.
    pub file: Option<PathBuf>,
    /// Raw line and column, and the masked text.
    pub line: Option<(u64, u32, String)>,
    /// How sure its diagnosis is.
    pub confidence: f64,
}

/// What counts of a log's diagnosis.
#[derive(Debug, Clone)]
pub struct Counted<'c> {
    /// Whether it is a failure's.
    pub failed: bool,
    /// Its class.
    pub class: FailureClass,
    /// What would have been done, as in [`ACTIONS`].
    pub action: &'static str,
    /// Its fingerprint.
    pub fingerprint: String,
    /// The pattern that decided.
    pub pattern: Option<&'c Pattern>,
    /// The playbook that would heal it.
    pub playbook: Option<&'c str>,
    /// Where it shows.
    pub example: Example,
}

impl<'c> Counted<'c> {
    /// Of a diagnosis; `file` is where its log lies.
    pub fn of(of: Diagnosed<'c>, file: Option<PathBuf>) -> Counted<'c> {
        let diagnosis = of.diagnosis;
        let root = diagnosis.evidence.iter().find(|e| e.role == Role::Root).or(diagnosis.evidence.first());
        Counted {
            failed: diagnosis.failed,
            class: diagnosis.class,
            action: of.cure.action,
            fingerprint: diagnosis.fingerprint.as_str().to_owned(),
            pattern: of.pattern,
            playbook: of.cure.playbook,
            example: Example {
                input: of.input,
                file,
                line: root.map(|e| (e.line, e.column, e.text.clone())),
                confidence: diagnosis.confidence.value(),
            },
        }
    }
}

/// One cause.
#[derive(Debug, Clone)]
pub struct Cause<'c> {
    /// Its class.
    pub class: FailureClass,
    /// Its fingerprint.
    pub fingerprint: String,
    /// The pattern that decided.
    pub pattern: Option<&'c Pattern>,
    /// The playbook that would heal it.
    pub playbook: Option<&'c str>,
    /// Its logs.
    pub group: Group,
    /// The surest of them.
    pub example: Example,
}

/// What all logs come to.
#[derive(Debug, Default)]
pub struct Tally<'c> {
    /// Logs that passed.
    pub passed: u64,
    /// Logs of failures.
    pub failed: Share,
    /// Failures by what would have been done, as in [`ACTIONS`].
    pub by_action: [Share; 3],
    /// By class, in the order of the taxonomy.
    pub classes: BTreeMap<usize, (FailureClass, Group)>,
    causes: BTreeMap<(usize, String), Cause<'c>>,
    /// Logs of causes beyond those that are told apart.
    pub beyond: u64,
    /// Inputs that can't be read, and why, harmless.
    pub unread: Vec<(String, String)>,
    /// How many there are.
    pub unreadable: u64,
}

impl Share {
    fn add(&mut self, took: Option<Duration>) {
        self.logs += 1;
        if let Some(took) = took {
            self.timed += 1;
            self.took = self.took.saturating_add(took);
        }
    }
}

impl<'c> Tally<'c> {
    /// Adds a log. `file` is where it lies, `took` how long its job took.
    pub fn add(&mut self, of: Diagnosed<'c>, file: Option<PathBuf>, took: Option<Duration>) {
        self.count(Counted::of(of, file), took);
    }

    /// Adds what counts of a log.
    pub fn count(&mut self, of: Counted<'c>, took: Option<Duration>) {
        if !of.failed {
            self.passed += 1;
            return;
        }
        let Counted { class, action, fingerprint, pattern, playbook, example, .. } = of;
        let order = FailureClass::ALL.iter().position(|c| *c == class).unwrap_or(FailureClass::ALL.len());
        let action = ACTIONS.iter().position(|id| *id == action).unwrap_or(2);
        self.failed.add(took);
        self.by_action[action].add(took);
        let (_, group) = self.classes.entry(order).or_insert((class, Group::default()));
        group.add(action, took);
        let key = (order, fingerprint.clone());
        let full = self.causes.len() >= CAUSES;
        if full && !self.causes.contains_key(&key) {
            self.beyond += 1;
            return;
        }
        let cause = self.causes.entry(key).or_insert_with(|| Cause {
            class,
            fingerprint,
            pattern,
            playbook,
            group: Group::default(),
            example: example.clone(),
        });
        if example.confidence > cause.example.confidence {
            cause.example = example;
        }
        cause.group.add(action, took);
    }

    /// Counts an input that can't be read.
    pub fn cannot_read(&mut self, name: String, why: String) {
        self.unreadable += 1;
        if self.unread.len() < UNREAD {
            self.unread.push((name, why));
        }
    }

    /// All logs that were read.
    pub fn logs(&self) -> u64 {
        self.passed + self.failed.logs
    }

    /// The causes: the most frequent first, of those the ones that took longest, then in the order of the taxonomy.
    pub fn causes(&self) -> Vec<&Cause<'c>> {
        let mut causes: Vec<&Cause<'c>> = self.causes.values().collect();
        causes.sort_by(|a, b| {
            let by = |c: &Cause<'_>| (c.group.all.logs, c.group.all.took);
            by(b).cmp(&by(a))
        });
        causes
    }
}

impl Group {
    fn add(&mut self, action: usize, took: Option<Duration>) {
        self.all.add(took);
        self.by_action[action] += 1;
    }
}

impl Cause<'_> {
    /// What it is, in a few words.
    pub fn title(&self) -> String {
        match (self.pattern, &self.example.line) {
            (Some(pattern), _) => pattern.title.clone(),
            (None, Some((_, _, text))) => text.trim().to_owned(),
            (None, None) => "no line reads like an error".to_owned(),
        }
    }

    /// What a person can do.
    pub fn fix(&self) -> Option<String> {
        self.pattern.map(|pattern| harmless(&pattern.fix.split_whitespace().collect::<Vec<_>>().join(" ")))
    }

    /// Where its example shows: `file:line:column`.
    pub fn place(&self) -> String {
        match &self.example.line {
            Some((line, column, _)) => format!("{}:{line}:{column}", self.example.input),
            None => self.example.input.clone(),
        }
    }
}
