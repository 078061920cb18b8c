//! Limits in a configuration: what recovery may cost, what is denied, and what a playbook can earn.

use regreen_decide::{Budget, Denial, Policy, Promotion};
use regreen_domain::Mode;
use serde::Deserialize;
use toml::Spanned;

use super::{File, MODES, bad};
use crate::exit::Failed;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Promoting {
    to: Spanned<String>,
    at: Option<Spanned<f64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Budgeting {
    minutes_per_day: Option<Spanned<u32>>,
    attempts_per_day: Option<Spanned<u32>>,
    per_hour: Option<Spanned<u32>>,
    money_per_day: Option<Spanned<f64>>,
    cost_per_minute: Option<Spanned<f64>>,
}

const DENY: &str =
    "deny holds lines such as \"class:rate-limited\", \"pattern:ID\", \"playbook:ID\", \"tool:npm\"";

/// Takes over what the file says of them.
pub(super) fn take(policy: &mut Policy, place: &str, text: &str, file: &File) -> Result<(), Failed> {
    for line in file.deny.iter().flatten() {
        let denial = Denial::parse(line.get_ref()).ok_or_else(|| bad(place, text, line, DENY))?;
        if !policy.deny.contains(&denial) {
            policy.deny.push(denial);
        }
    }
    if let Some(promotion) = &file.promotion {
        let to = Mode::parse(promotion.to.get_ref()).ok_or_else(|| bad(place, text, &promotion.to, MODES))?;
        let at = match &promotion.at {
            None => 0.8,
            Some(at) if (0.5..1.0).contains(at.get_ref()) => *at.get_ref(),
            Some(at) => return Err(bad(place, text, at, "at is a share from 0.5 to below 1")),
        };
        policy.promotion = Some(Promotion { to, at });
    }
    let Some(file) = &file.budget else { return Ok(()) };
    let budget = &mut policy.budget;
    if let Some(v) = &file.minutes_per_day {
        budget.minutes_per_day = Some(*v.get_ref());
    }
    if let Some(v) = &file.attempts_per_day {
        budget.attempts_per_day = Some(*v.get_ref());
    }
    if let Some(v) = &file.per_hour {
        budget.per_hour = Some(*v.get_ref());
    }
    if let Some(v) = &file.money_per_day {
        budget.money_per_day = Some(money(place, text, v)?);
    }
    if let Some(v) = &file.cost_per_minute {
        budget.cost_per_minute = money(place, text, v)?;
    }
    needs_cost(place, text, file.money_per_day.as_ref(), budget)
}

/// An amount of money.
pub(super) fn money(place: &str, text: &str, v: &Spanned<f64>) -> Result<f64, Failed> {
    match *v.get_ref() {
        amount if (0.0..=1e9).contains(&amount) => Ok(amount),
        _ => Err(bad(place, text, v, "an amount of money from 0 to 1e9")),
    }
}

/// Money can't be counted where nobody says what a minute costs.
pub(super) fn needs_cost(
    place: &str,
    text: &str,
    money: Option<&Spanned<f64>>,
    budget: &Budget,
) -> Result<(), Failed> {
    match money.filter(|_| budget.cost_per_minute <= 0.0) {
        None => Ok(()),
        Some(v) => {
            let why = "money-per-day needs cost-per-minute: what a minute of a runner costs";
            Err(bad(place, text, v, why))
        }
    }
}

/// What a repository's file would loosen, by key.
pub(super) fn looser(theirs: &Policy, ours: &Policy, file: &File) -> [(bool, &'static str); 5] {
    // Money can't be compared where a minute costs something else.
    let money =
        file.budget.as_ref().is_some_and(|b| b.money_per_day.is_some() || b.cost_per_minute.is_some());
    [
        (more(theirs.budget.minutes_per_day, ours.budget.minutes_per_day), "budget.minutes-per-day"),
        (more(theirs.budget.attempts_per_day, ours.budget.attempts_per_day), "budget.attempts-per-day"),
        (more(theirs.budget.per_hour, ours.budget.per_hour), "budget.per-hour"),
        (money, "budget.money-per-day and cost-per-minute"),
        (file.promotion.is_some(), "promotion"),
    ]
}

/// Takes over what is stricter.
pub(super) fn tighten(ours: &mut Policy, theirs: &Policy) {
    // They began as ours, so ours are among them.
    ours.deny = theirs.deny.clone();
    ours.budget.minutes_per_day = least(ours.budget.minutes_per_day, theirs.budget.minutes_per_day);
    ours.budget.attempts_per_day = least(ours.budget.attempts_per_day, theirs.budget.attempts_per_day);
    ours.budget.per_hour = least(ours.budget.per_hour, theirs.budget.per_hour);
}

/// Whether the first limit allows more; no limit allows everything.
fn more(one: Option<u32>, other: Option<u32>) -> bool {
    other.is_some_and(|other| one.is_none_or(|one| one > other))
}

/// The stricter of two limits.
fn least(one: Option<u32>, other: Option<u32>) -> Option<u32> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
