//! What a decision is made from, to and from its stored shape: a decision on record can be made again, offline.

use regreen_decide::{
    Breaker, Budget, Case, Denial, History, Playbook, Policy, Promotion, Record, Setting, Spent, ranking,
};
use regreen_domain::{
    CommandFacts, CommandKind, Diagnosis, FailureClass, Finding, Mode, Outcome, Risk, Standing, Tool,
};
use regreen_ledger::{
    BudgetV1, CommandV1, FindingV1, HistoryV1, InputsV1, PlaybookV1, PolicyV1, RankedV1, RecordV1, SettingV1,
    SpentV1, StepV1,
};
use regreen_tools::probe;

/// The inputs of a decision, owned.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Inputs {
    pub(crate) diagnosis: Diagnosis,
    pub(crate) findings: Vec<Finding>,
    pub(crate) command: CommandFacts,
    pub(crate) playbooks: Vec<Playbook>,
    pub(crate) policy: Policy,
    pub(crate) setting: Setting,
    pub(crate) history: History,
    pub(crate) now: i64,
}

impl Inputs {
    /// As `decide` takes them.
    pub(crate) fn case(&self) -> Case<'_> {
        Case {
            diagnosis: &self.diagnosis,
            findings: &self.findings,
            command: &self.command,
            playbooks: &self.playbooks,
            policy: &self.policy,
            setting: &self.setting,
            history: &self.history,
            now: self.now,
        }
    }
}

/// As it is stored. Playbooks of other classes have no say in a decision, so they are left out.
pub(crate) fn stored(case: &Case<'_>, approved_as: Option<&str>) -> InputsV1 {
    let class = case.diagnosis.class.healable();
    let tool = |tool: &Tool| tool.as_str().to_owned();
    InputsV1 {
        now: case.now,
        regreen: env!("CARGO_PKG_VERSION").to_owned(),
        findings: case
            .findings
            .iter()
            .map(|f| FindingV1 {
                probe: f.probe.to_owned(),
                tool: tool(&f.tool),
                class: f.class.id().to_owned(),
                standing: f.standing.id().to_owned(),
                subject: f.subject.clone(),
                says: f.says.clone(),
            })
            .collect(),
        command: CommandV1 {
            tool: case.command.tool.as_ref().map(tool),
            kind: case.command.kind.id().to_owned(),
            fetches: case.command.fetches,
        },
        policy: PolicyV1 {
            mode: case.policy.mode.id().to_owned(),
            threshold: case.policy.threshold,
            max_attempts: case.policy.max_attempts,
            max_risk: case.policy.max_risk.id().to_owned(),
            promotion: case.policy.promotion.map(|p| (p.to.id().to_owned(), p.at)),
            attempts_per_day: case.policy.budget.attempts_per_day,
            organisation: stored_budget(&case.policy.organisation),
            minutes_per_day: case.policy.budget.minutes_per_day,
            per_hour: case.policy.budget.per_hour,
            money_per_day: case
                .policy
                .budget
                .money_per_day
                .map(|most| (most, case.policy.budget.cost_per_minute)),
            deny: case.policy.deny.iter().map(ToString::to_string).collect(),
            control: Some(case.policy.control).filter(|control| *control > 0.0),
        },
        setting: SettingV1 {
            in_ci: case.setting.in_ci,
            untrusted_fork: case.setting.untrusted_fork,
            deploys: case.setting.deploys,
            yes: case.setting.yes,
            rerun_always: case.setting.rerun_always,
            whole_job: case.setting.whole_job,
            files_clean: case.setting.files_clean,
            paths: case.setting.paths.clone(),
            unclean: case.setting.unclean.clone(),
        },
        history: HistoryV1 {
            attempts: case.history.attempts,
            last_try: None,
            breaker_open: case.history.breaker == Breaker::Open,
            time_used_up: case.history.time_used_up,
            paused: case.history.paused,
            service_down: case.history.service_down,
            tried: case.history.tried.clone(),
            records: case.history.records.iter().map(stored_record).collect(),
            spent_day_ms: case.history.spent.day_ms,
            spent_hour: case.history.spent.hour,
            spent_day: case.history.spent.day,
            organisation: (case.policy.organisation != Budget::default()).then(|| {
                let Spent { day_ms, day, hour } = case.history.organisation;
                SpentV1 { day_ms, day, hour }
            }),
            seed: case.history.seed,
        },
        playbooks: case
            .playbooks
            .iter()
            .filter(|p| class.is_some_and(|class| p.heals.contains(&class)))
            .map(|p| PlaybookV1 {
                id: p.id.clone(),
                heals: p.heals.iter().map(|h| h.id().to_owned()).collect(),
                tools: p.tools.iter().map(tool).collect(),
                risk: p.risk.id().to_owned(),
                attempts: p.attempts,
                cooldown_ms: p.cooldown_ms,
                ci_only: p.ci_only,
                writes_files: p.writes_files,
                paths: Some(p.paths.clone()),
                prior: p.prior,
                own: p.own,
                fallback: p.fallback.clone(),
                steps: p.steps.iter().map(StepV1::from).collect(),
            })
            .collect(),
        approved_as: approved_as.map(str::to_owned),
        ranking: ranking(case)
            .into_iter()
            .map(|r| RankedV1 { playbook: r.playbook, score: r.score, healed: r.healed, failed: r.failed })
            .collect(),
    }
}

/// `None` where nothing is limited.
fn stored_budget(budget: &Budget) -> Option<BudgetV1> {
    (*budget != Budget::default()).then(|| BudgetV1 {
        minutes_per_day: budget.minutes_per_day,
        attempts_per_day: budget.attempts_per_day,
        per_hour: budget.per_hour,
        money_per_day: budget.money_per_day.map(|most| (most, budget.cost_per_minute)),
    })
}

fn budget(stored: &BudgetV1) -> Budget {
    Budget {
        minutes_per_day: stored.minutes_per_day,
        attempts_per_day: stored.attempts_per_day,
        per_hour: stored.per_hour,
        money_per_day: stored.money_per_day.map(|(most, _)| most),
        cost_per_minute: stored.money_per_day.map_or(0.0, |(_, cost)| cost),
    }
}

fn stored_record(record: &Record) -> RecordV1 {
    RecordV1 {
        playbook: record.playbook.clone(),
        healed: record.healed,
        failed: record.failed,
        pattern_healed: record.pattern_healed,
        pattern_failed: record.pattern_failed,
        last: record.last.map(|outcome| outcome.id().to_owned()),
        last_try: record.last_try,
    }
}

/// The inputs again; `None` where they name something that this version doesn't know.
pub(crate) fn restored(diagnosis: Diagnosis, stored: &InputsV1) -> Option<Inputs> {
    Some(Inputs {
        diagnosis,
        findings: stored.findings.iter().map(finding).collect::<Option<_>>()?,
        command: CommandFacts {
            tool: match &stored.command.tool {
                Some(name) => Some(Tool::new(name)?),
                None => None,
            },
            kind: CommandKind::parse(&stored.command.kind)?,
            fetches: stored.command.fetches,
        },
        playbooks: stored.playbooks.iter().map(playbook).collect::<Option<_>>()?,
        policy: Policy {
            mode: Mode::parse(&stored.policy.mode)?,
            threshold: stored.policy.threshold,
            max_attempts: stored.policy.max_attempts,
            max_risk: Risk::parse(&stored.policy.max_risk)?,
            approved: stored.approved_as.is_some(),
            promotion: match &stored.policy.promotion {
                Some((to, at)) => Some(Promotion { to: Mode::parse(to)?, at: *at }),
                None => None,
            },
            budget: Budget {
                minutes_per_day: stored.policy.minutes_per_day,
                attempts_per_day: stored.policy.attempts_per_day,
                per_hour: stored.policy.per_hour,
                money_per_day: stored.policy.money_per_day.map(|(most, _)| most),
                cost_per_minute: stored.policy.money_per_day.map_or(0.0, |(_, cost)| cost),
            },
            organisation: stored.policy.organisation.as_ref().map(budget).unwrap_or_default(),
            deny: stored.policy.deny.iter().map(|line| Denial::parse(line)).collect::<Option<_>>()?,
            control: stored.policy.control.unwrap_or_default(),
        },
        setting: Setting {
            in_ci: stored.setting.in_ci,
            untrusted_fork: stored.setting.untrusted_fork,
            deploys: stored.setting.deploys,
            yes: stored.setting.yes,
            rerun_always: stored.setting.rerun_always,
            whole_job: stored.setting.whole_job,
            files_clean: stored.setting.files_clean,
            paths: stored.setting.paths.clone(),
            unclean: stored.setting.unclean.clone(),
        },
        history: History {
            attempts: stored.history.attempts,
            breaker: if stored.history.breaker_open { Breaker::Open } else { Breaker::Closed },
            time_used_up: stored.history.time_used_up,
            paused: stored.history.paused,
            service_down: stored.history.service_down,
            tried: stored.history.tried.clone(),
            records: stored.history.records.iter().map(record).collect::<Option<_>>()?,
            spent: Spent {
                day_ms: stored.history.spent_day_ms,
                day: stored.history.spent_day,
                hour: stored.history.spent_hour,
            },
            organisation: stored.history.organisation.map_or_else(Spent::default, |spent| Spent {
                day_ms: spent.day_ms,
                day: spent.day,
                hour: spent.hour,
            }),
            seed: stored.history.seed,
        },
        now: stored.now,
    })
}

fn record(stored: &RecordV1) -> Option<Record> {
    Some(Record {
        playbook: stored.playbook.clone(),
        healed: stored.healed,
        failed: stored.failed,
        pattern_healed: stored.pattern_healed,
        pattern_failed: stored.pattern_failed,
        last: match &stored.last {
            Some(id) => Some(Outcome::parse(id)?),
            None => None,
        },
        last_try: stored.last_try,
    })
}

fn finding(stored: &FindingV1) -> Option<Finding> {
    Some(Finding {
        probe: probe::IDS.into_iter().find(|id| *id == stored.probe)?,
        tool: Tool::new(&stored.tool)?,
        class: FailureClass::parse(&stored.class)?,
        standing: Standing::parse(&stored.standing)?,
        subject: stored.subject.clone(),
        says: stored.says.clone(),
    })
}

fn playbook(stored: &PlaybookV1) -> Option<Playbook> {
    Some(Playbook {
        id: stored.id.clone(),
        heals: stored.heals.iter().map(|id| FailureClass::parse(id)?.healable()).collect::<Option<_>>()?,
        tools: stored.tools.iter().map(|name| Tool::new(name)).collect::<Option<_>>()?,
        risk: Risk::parse(&stored.risk)?,
        attempts: stored.attempts,
        cooldown_ms: stored.cooldown_ms,
        ci_only: stored.ci_only,
        writes_files: stored.writes_files,
        // Every plan of an older version could write the lockfile.
        paths: stored.paths.clone().unwrap_or_else(|| vec!["{lockfile}".to_owned()]),
        prior: stored.prior,
        own: stored.own,
        fallback: stored.fallback.clone(),
        steps: stored.steps.iter().map(StepV1::to_domain).collect::<Option<_>>()?,
    })
}
