//! From a diagnosis to a decision: which playbook, and whether it may run now. Pure: the clock is an argument.
//!
//! Everything that speaks against acting is asked in a fixed order, and the first answer is the reason that is
//! shown. There is no path to [`Decision::Heal`] around any of them.

mod choice;
mod control;
mod mode;
pub mod outage;
mod policy;
mod random;
mod settle;

pub use choice::Ranked;
pub use mode::earned;
pub use policy::{Breaker, Budget, Denial, History, Playbook, Policy, Promotion, Record, Setting, Spent};

use regreen_domain::{
    CommandFacts, CommandKind, Decision, Diagnosis, FailureClass, Finding, HealableClass, InfraClass, Mode,
    Plan, Refusal, Risk, Standing, Tool,
};

/// All that a decision depends on.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// What the failure is.
    pub diagnosis: &'a Diagnosis,
    /// What the probes saw.
    pub findings: &'a [Finding],
    /// The wrapped command.
    pub command: &'a CommandFacts,
    /// Every playbook, in order of preference.
    pub playbooks: &'a [Playbook],
    /// What the operator wants.
    pub policy: &'a Policy,
    /// Where this happens.
    pub setting: &'a Setting,
    /// What happened before.
    pub history: &'a History,
    /// Now, in milliseconds since 1970.
    pub now: i64,
}

/// Decides.
pub fn decide(case: &Case<'_>) -> Decision {
    let class = match case.diagnosis.class {
        _ if !case.diagnosis.failed => return nothing(Refusal::UnknownCause),
        FailureClass::Unknown => return nothing(Refusal::UnknownCause),
        FailureClass::Code(_) => return nothing(Refusal::CodeFailure),
        FailureClass::Infra(InfraClass::Advise(_)) => return nothing(Refusal::AdviceOnly),
        FailureClass::Infra(InfraClass::Healable(class)) => class,
    };
    // Possible tampering is no case for any playbook, whatever else was found.
    let forbids = |probe| case.findings.iter().any(|f| f.probe == probe && f.standing == Standing::Forbids);
    if forbids("checksum") {
        return nothing(Refusal::Tampering);
    }
    if case.command.kind == CommandKind::Deploy || case.setting.deploys {
        return nothing(Refusal::DeployJob);
    }
    if case.setting.untrusted_fork {
        return nothing(Refusal::UntrustedFork);
    }
    let tool = healed_tool(case, class);
    let ranked = candidates(case, class);
    let Some(&(playbook, _)) = ranked.first() else {
        return nothing(match case.history.tried.is_empty() {
            true if class == HealableClass::RunnerFailure => Refusal::NotInJob,
            true => Refusal::NoPlaybook,
            false if fallback(case).is_some() => Refusal::NoFallback,
            false => Refusal::Blocked,
        });
    };
    let plan = Plan {
        class,
        playbook: playbook.id.clone(),
        risk: playbook.risk,
        steps: playbook.steps_for(tool).into_iter().map(|step| settle::step(step, case)).collect(),
        paths: playbook.paths_for(tool, &case.setting.paths),
    };
    if forbids("manifest") {
        return Decision::Suggest { plan, because: Refusal::ManifestDrift };
    }
    match obstacle(case, playbook, &plan.paths, tool) {
        Some(because) => Decision::Suggest { plan, because },
        None if control::is_drawn(case) => nothing(Refusal::ControlGroup),
        None => Decision::Heal(plan),
    }
}

/// The playbooks that fit, in the order in which they are tried, with what put them there; empty where no class that
/// may be healed was found.
pub fn ranking(case: &Case<'_>) -> Vec<Ranked> {
    let Some(class) = case.diagnosis.class.healable() else { return Vec::new() };
    candidates(case, class).into_iter().map(|(_, why)| why).collect()
}

/// The tool that a playbook must know. Whose words a lack of room or memory is, says nothing of what is run again.
fn healed_tool<'c>(case: &Case<'c>, class: HealableClass) -> Option<&'c Tool> {
    match class {
        HealableClass::ResourceExhausted => case.command.tool.as_ref().or(case.diagnosis.tool.as_ref()),
        _ => case.diagnosis.tool.as_ref(),
    }
}

/// What may come next, in this order: what the latest playbook that was tried names as its fallback; else by the draw.
fn candidates<'c>(case: &Case<'c>, class: HealableClass) -> Vec<(&'c Playbook, Ranked)> {
    let (tool, tried) = (healed_tool(case, class), &case.history.tried);
    let fits = |p: &&Playbook| p.heals.contains(&class) && p.fits_tool(tool) && !tried.contains(&p.id);
    let mut ranked = choice::rank(case.playbooks.iter().filter(fits), case.history);
    if let Some(order) = fallback(case) {
        let place = |p: &Playbook| order.iter().position(|id| *id == p.id);
        ranked.retain(|(p, _)| place(p).is_some());
        ranked.sort_by_key(|(p, _)| place(p));
    }
    ranked
}

/// What the latest playbook that was tried, of those that name any, lets be tried after it.
fn fallback<'c>(case: &Case<'c>) -> Option<&'c Vec<String>> {
    let tried = case.history.tried.iter().rev();
    let named = tried.filter_map(|id| case.playbooks.iter().find(|p| p.id == *id));
    named.filter_map(|p| p.fallback.as_ref()).next()
}

/// Whether the deny list names any part of this.
fn denied(case: &Case<'_>, playbook: &Playbook) -> bool {
    case.policy.deny.iter().any(|denial| match denial {
        Denial::Class(class) => *class == case.diagnosis.class,
        Denial::Pattern(id) => case.diagnosis.pattern.as_ref() == Some(id),
        Denial::Playbook(id) => playbook.id == *id,
        Denial::Tool(tool) => case.diagnosis.tool.as_ref() == Some(tool),
    })
}

/// Whether what recovery may cost here in a day is used up.
fn budget_used_up(budget: &Budget, spent: &Spent) -> bool {
    let minutes = spent.day_ms as f64 / 60_000.0;
    budget.minutes_per_day.is_some_and(|most| minutes >= f64::from(most))
        || budget.money_per_day.is_some_and(|most| minutes * budget.cost_per_minute >= most)
}

/// The first part of a budget that is used up.
fn used_up(budget: &Budget, spent: &Spent) -> Option<Refusal> {
    let reached = |most: Option<u32>, count: u32| most.is_some_and(|most| count >= most);
    let checks = [
        (budget_used_up(budget, spent), Refusal::BudgetUsedUp),
        (reached(budget.attempts_per_day, spent.day), Refusal::DailyAttemptsUsedUp),
        (reached(budget.per_hour, spent.hour), Refusal::RetryBudgetUsedUp),
    ];
    checks.into_iter().find(|(stands, _)| *stands).map(|(_, refusal)| refusal)
}

/// The first thing that stands in the way of acting.
fn obstacle(case: &Case<'_>, playbook: &Playbook, paths: &[String], tool: Option<&Tool>) -> Option<Refusal> {
    let (policy, setting, history) = (case.policy, case.setting, case.history);
    let repeatable = match case.command.kind {
        CommandKind::Install | CommandKind::Build | CommandKind::Test => case.command.tool.as_ref() == tool,
        CommandKind::Opaque | CommandKind::Deploy => false,
    };
    let attempts = policy.max_attempts.min(playbook.attempts);
    let record = history.records.iter().find(|record| record.playbook == playbook.id);
    let last_try = record.and_then(|record| record.last_try);
    let cooling = last_try.is_some_and(|at| case.now.saturating_sub(at).max(0) < playbook.cooldown_ms);
    let mode = mode::earned(policy, record);
    let demoted = mode < policy.mode;
    let (lockfiles, others): (Vec<_>, Vec<_>) = paths.iter().partition(|path| setting.paths.contains(path));
    let clean = (lockfiles.is_empty() || setting.files_clean == Some(true))
        && !others.iter().any(|path| setting.unclean.contains(path));
    let lifted = setting.yes || setting.in_ci;
    let own = used_up(&policy.budget, &history.spent);
    let checks = [
        (!repeatable && !setting.rerun_always && !setting.whole_job, Refusal::NotRepeatable),
        // Without a workspace nothing confirms but a signature; the model alone never acts.
        (
            !(case.diagnosis.confirmed || setting.whole_job && case.diagnosis.pattern.is_some()),
            Refusal::NotConfirmed,
        ),
        (case.diagnosis.confidence.value() < policy.threshold, Refusal::BelowThreshold),
        (denied(case, playbook), Refusal::Denied),
        (history.paused, Refusal::Paused),
        (history.service_down, Refusal::ServiceDown),
        (history.breaker == Breaker::Open, Refusal::BreakerOpen),
        (history.attempts >= attempts, Refusal::AttemptsUsedUp),
        (history.time_used_up, Refusal::TimeUsedUp),
        (own.is_some(), own.unwrap_or(Refusal::BudgetUsedUp)),
        (used_up(&policy.organisation, &history.organisation).is_some(), Refusal::OrganisationBudgetUsedUp),
        (cooling, Refusal::Cooldown),
        (playbook.risk > policy.max_risk, Refusal::RiskTooHigh),
        (mode == Mode::Observe, Refusal::ModeObserve),
        (mode == Mode::Suggest && !setting.yes, Refusal::ModeSuggest),
        (mode == Mode::Approve && !setting.yes && !demoted, Refusal::ModeApprove),
        (mode == Mode::Approve && !setting.yes && demoted, Refusal::Demoted),
        // Invariant 10: a laptop is not disposable.
        (playbook.ci_only && !lifted, Refusal::NotDisposable),
        (playbook.writes_files && !lifted && !clean, Refusal::UncommittedChanges),
        (playbook.risk == Risk::High && !setting.yes, Refusal::RiskTooHigh),
    ];
    checks.into_iter().find(|(stands, _)| *stands).map(|(_, refusal)| refusal)
}

fn nothing(because: Refusal) -> Decision {
    Decision::Nothing { because }
}
