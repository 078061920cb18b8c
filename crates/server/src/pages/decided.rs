//! What was decided about an incident, and from what: the playbook, what the probes saw, what was allowed and what had been used up.

use regreen_domain::Refusal;
use regreen_ledger::{FindingV1, Incident, InputsV1, PlanV1, RankedV1, StepV1};

use super::{
    badge::Badge,
    params::segment,
    words::{capital, plain, shown, span},
};

/// What was decided.
pub(super) struct Decided {
    pub(super) action: &'static str,
    pub(super) because: Option<(String, &'static str)>,
    pub(super) playbook: Option<(String, String)>,
    pub(super) risk: String,
    pub(super) steps: Vec<Step>,
    pub(super) paths: Vec<String>,
    /// `None` of a record that does not say from what it was decided.
    pub(super) from: Option<From>,
}

pub(super) struct Step {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) args: Vec<(String, String)>,
}

/// What it was decided from.
pub(super) struct From {
    /// What was allowed, and how it stood.
    pub(super) gates: Vec<(&'static str, String)>,
    pub(super) findings: Vec<Finding>,
    pub(super) ranking: Vec<Ranked>,
    /// The incident whose approval was used, as in its address.
    pub(super) approved_as: Option<String>,
    pub(super) regreen: String,
}

/// What a probe saw.
pub(super) struct Finding {
    pub(super) badge: Badge,
    pub(super) probe: String,
    pub(super) subject: String,
    pub(super) says: String,
}

/// A playbook that fitted.
pub(super) struct Ranked {
    pub(super) playbook: String,
    pub(super) outcomes: String,
    pub(super) draw: String,
    pub(super) is_chosen: bool,
}

impl Decided {
    /// `None` where nothing is decided yet.
    pub(super) fn of(incident: &Incident) -> Option<Decided> {
        let decision = incident.decision.as_ref()?;
        let plan = decision.plan.as_ref();
        let because = decision.because.as_deref();
        let action = match decision.action.as_str() {
            "heal" => "Heal it",
            "suggest" if matches!(because, Some("mode-approve" | "demoted")) => {
                "Ask a person before healing it"
            }
            "suggest" => "Say what would heal it, and do nothing",
            _ => "Leave it alone",
        };
        Some(Decided {
            action,
            because: because.map(|id| (plain(id), Refusal::parse(id).map_or("", Refusal::explain))),
            playbook: plan.map(|plan| (plain(&plan.playbook), shown(&plan.playbook))),
            risk: plan.map(|plan| shown(&plan.risk)).unwrap_or_default(),
            steps: plan.map(steps).unwrap_or_default(),
            paths: plan.iter().flat_map(|plan| &plan.paths).map(|path| shown(path)).collect(),
            from: incident.inputs.as_ref().map(|inputs| from(incident, inputs, plan)),
        })
    }
}

fn steps(plan: &PlanV1) -> Vec<Step> {
    let step = |step: &StepV1| {
        let one = step.args.iter().map(|(name, value)| (plain(name), shown(value)));
        let many = step.lists.iter().map(|(name, values)| (plain(name), shown(&values.join(" "))));
        Step { id: shown(&step.id), kind: plain(&step.kind), args: one.chain(many).collect() }
    };
    plan.steps.iter().map(step).collect()
}

fn from(incident: &Incident, inputs: &InputsV1, plan: Option<&PlanV1>) -> From {
    let chosen = plan.map(|plan| plan.playbook.as_str());
    From {
        gates: gates(incident, inputs),
        findings: inputs.findings.iter().map(finding).collect(),
        ranking: inputs.ranking.iter().map(|one| ranked(one, chosen)).collect(),
        approved_as: inputs.approved_as.as_deref().map(segment),
        regreen: shown(&inputs.regreen),
    }
}

fn gates(incident: &Incident, inputs: &InputsV1) -> Vec<(&'static str, String)> {
    let (policy, history, setting) = (&inputs.policy, &inputs.history, &inputs.setting);
    let least = format!("{:.2}, and {:.2} is enough", incident.diagnosis.confidence, policy.threshold);
    let used = |used: String, most: Option<String>| match most {
        Some(most) => format!("{used} of {most}"),
        None => format!("{used}, no limit"),
    };
    let number = |most: Option<u32>| most.map(|most| most.to_string());
    let mut gates = vec![
        ("Mode", plain(&policy.mode)),
        ("Confidence", least),
        (
            "Attempts for this commit and job before",
            format!("{} of {}", history.attempts, policy.max_attempts),
        ),
        ("Highest risk allowed", shown(&policy.max_risk)),
        ("Circuit breaker", if history.breaker_open { "open" } else { "closed" }.to_owned()),
        ("Paused", if history.paused { "yes" } else { "no" }.to_owned()),
        ("Recoveries within the hour before", used(history.spent_hour.to_string(), number(policy.per_hour))),
        (
            "Recoveries within the day before",
            used(history.spent_day.to_string(), number(policy.attempts_per_day)),
        ),
        (
            "Recovery time within the day before",
            used(span(history.spent_day_ms), policy.minutes_per_day.map(|most| format!("{most} min"))),
        ),
    ];
    if let Some((money, cost)) = policy.money_per_day {
        let spent = history.spent_day_ms as f64 / 60_000.0 * cost;
        gates.push(("Money within the day before", format!("{spent:.2} of {money}, {cost} a minute")));
    }
    if let Some(share) = policy.control {
        gates.push(("Left alone to compare", format!("a share of {share} by draw")));
    }
    for (is, name, says) in [
        (history.service_down, "Service", "down: it is waited for"),
        (history.time_used_up, "Time for recovery", "used up"),
        (setting.untrusted_fork, "From a fork", "yes"),
        (setting.deploys, "Deploys", "yes"),
        (setting.whole_job, "What runs again", "the whole job"),
    ] {
        if is {
            gates.push((name, says.to_owned()));
        }
    }
    for (name, list) in [("Denied", &policy.deny), ("Out of the question", &history.tried)] {
        if !list.is_empty() {
            gates.push((name, shown(&list.join(", "))));
        }
    }
    gates
}

fn finding(finding: &FindingV1) -> Finding {
    let kind = match finding.standing.as_str() {
        "confirms" => "busy",
        "refutes" | "forbids" => "ask",
        _ => "still",
    };
    Finding {
        badge: Badge::new(kind, plain(&finding.standing)),
        probe: capital(&finding.probe),
        subject: shown(&finding.subject),
        says: shown(&finding.says),
    }
}

fn ranked(one: &RankedV1, chosen: Option<&str>) -> Ranked {
    Ranked {
        playbook: shown(&one.playbook),
        outcomes: match one.healed + one.failed {
            0 => "none yet".to_owned(),
            n => format!("{} of {n} healed", one.healed),
        },
        draw: format!("{:.2}", one.score),
        is_chosen: chosen == Some(one.playbook.as_str()),
    }
}
