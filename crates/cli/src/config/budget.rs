//! `[serve.budget]`: what recovery beside the fleet may cost, and how much may be asked of the CI host for it; for each
//! repository, and for all of an organisation together.

use regreen_decide::Budget;
use regreen_engine::CallBudget;
use serde::Deserialize;
use toml::Spanned;

use super::{
    bad,
    limits::{money, needs_cost},
};
use crate::exit::Failed;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct BudgetFile {
    attempts_per_day: Option<u32>,
    per_hour: Option<u32>,
    minutes_per_day: Option<u32>,
    money_per_day: Option<Spanned<f64>>,
    cost_per_minute: Option<Spanned<f64>>,
    api_calls_per_hour: Option<Spanned<u32>>,
    organisation: Option<OrganisationFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct OrganisationFile {
    attempts_per_day: Option<u32>,
    per_hour: Option<u32>,
    minutes_per_day: Option<u32>,
    money_per_day: Option<Spanned<f64>>,
    api_calls_per_hour: Option<Spanned<u32>>,
}

/// What `[serve.budget]` says; what it leaves out is as `[budget]` has it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct ServeBudget {
    /// For a repository, where it says something.
    repository: Budget,
    organisation: Budget,
    pub(super) calls: CallBudget,
}

impl ServeBudget {
    /// What holds for a repository and for an organisation, where `[budget]` says this.
    pub(super) fn over(&self, usual: Budget) -> (Budget, Budget) {
        let own = self.repository;
        let cost = if own.cost_per_minute > 0.0 { own.cost_per_minute } else { usual.cost_per_minute };
        let repository = Budget {
            minutes_per_day: own.minutes_per_day.or(usual.minutes_per_day),
            attempts_per_day: own.attempts_per_day.or(usual.attempts_per_day),
            per_hour: own.per_hour.or(usual.per_hour),
            money_per_day: own.money_per_day.or(usual.money_per_day),
            cost_per_minute: cost,
        };
        // Where there is no limit of money, what a minute costs is no matter.
        let cost_per_minute = self.organisation.money_per_day.map_or(0.0, |_| cost);
        (repository, Budget { cost_per_minute, ..self.organisation })
    }
}

/// Takes over what the file says, where `[budget]` says `usual`.
pub(super) fn take(place: &str, text: &str, file: &BudgetFile, usual: Budget) -> Result<ServeBudget, Failed> {
    let amount = |v: &Option<Spanned<f64>>| v.as_ref().map(|v| money(place, text, v)).transpose();
    let calls = |v: &Option<Spanned<u32>>| match v {
        Some(v) if *v.get_ref() < 20 => {
            let why = "api-calls-per-hour is at least 20: one run can take as many";
            Err(bad(place, text, v, why))
        }
        v => Ok(v.as_ref().map(|v| *v.get_ref())),
    };
    let repository = Budget {
        minutes_per_day: file.minutes_per_day,
        attempts_per_day: file.attempts_per_day,
        per_hour: file.per_hour,
        money_per_day: amount(&file.money_per_day)?,
        cost_per_minute: amount(&file.cost_per_minute)?.unwrap_or(0.0),
    };
    let mut budget = ServeBudget { repository, ..ServeBudget::default() };
    budget.calls.repository = calls(&file.api_calls_per_hour)?;
    if let Some(all) = &file.organisation {
        budget.organisation = Budget {
            minutes_per_day: all.minutes_per_day,
            attempts_per_day: all.attempts_per_day,
            per_hour: all.per_hour,
            money_per_day: amount(&all.money_per_day)?,
            cost_per_minute: 0.0,
        };
        budget.calls.organisation = calls(&all.api_calls_per_hour)?;
    }
    let (own, all) = budget.over(usual);
    needs_cost(place, text, file.money_per_day.as_ref(), &own)?;
    needs_cost(place, text, file.organisation.as_ref().and_then(|all| all.money_per_day.as_ref()), &all)?;
    Ok(budget)
}
