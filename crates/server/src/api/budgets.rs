//! `GET /api/v1/budgets`: what recovery has cost of what it may cost, by repository.

use std::collections::BTreeMap;

use axum::extract::State;
use regreen_engine::FleetConfig;
use regreen_forge::{Repository, hook::Sender};
use regreen_ledger::{CallsOf, Cost, LedgerError, Whose};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Answer, Shared, found,
    page::{self, Page},
    params::{Params, text},
};
use crate::{access::Viewer, problem::ProblemV1};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// What may be spent, as the operator's configuration says.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Budgets {
    repository: Most,
    organisation: Most,
}

/// What may be spent. `None`: no limit.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Most {
    attempts_per_hour: Option<u32>,
    attempts_per_day: Option<u32>,
    minutes_per_day: Option<u32>,
    money_per_day: Option<f64>,
    cost_per_minute: f64,
    calls_per_hour: Option<u32>,
}

impl Budgets {
    /// As this configuration has them.
    pub fn of(config: &FleetConfig) -> Budgets {
        let (own, all, calls) = (config.policy.budget, config.policy.organisation, config.calls);
        Budgets {
            repository: Most {
                attempts_per_hour: own.per_hour,
                attempts_per_day: own.attempts_per_day,
                minutes_per_day: own.minutes_per_day,
                money_per_day: own.money_per_day,
                cost_per_minute: own.cost_per_minute,
                calls_per_hour: calls.repository,
            },
            organisation: Most {
                attempts_per_hour: all.per_hour,
                attempts_per_day: all.attempts_per_day,
                minutes_per_day: all.minutes_per_day,
                money_per_day: all.money_per_day,
                cost_per_minute: all.cost_per_minute,
                calls_per_hour: calls.organisation,
            },
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Of this repository alone; `owner/name`
    #[param(max_length = 200)]
    repository: Option<String>,
    /// Repositories after the one with this name
    #[param(max_length = 200)]
    after: Option<String>,
    /// At most so many
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// What recovery has cost of what it may cost, for a repository and for all of its organisation together
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Budget)]
pub(super) struct BudgetV1 {
    /// The repository, in lower case
    repository: String,
    /// Its own budget
    own: SharesV1,
    /// The first part of its name: the owner, or the group at the top
    organisation: String,
    /// The budget of all below that together
    of_organisation: SharesV1,
}

/// What was spent of what
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Shares)]
pub(super) struct SharesV1 {
    /// Recoveries that began within the last hour
    attempts_in_hour: ShareV1,
    /// Recoveries that began within the last 24 hours
    attempts_in_day: ShareV1,
    /// Minutes of the jobs that ran again within the last 24 hours
    minutes_in_day: ShareV1,
    /// The same in money
    money_in_day: ShareV1,
    /// Requests to each CI host in this hour of the clock, by host
    calls_in_hour: BTreeMap<String, ShareV1>,
}

/// How much of how much
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = Share)]
pub(super) struct ShareV1 {
    /// What was spent
    spent: f64,
    /// What may be; null where there is no limit
    most: Option<f64>,
}

impl ShareV1 {
    fn of(spent: impl Into<f64>, most: Option<impl Into<f64>>) -> ShareV1 {
        ShareV1 { spent: spent.into(), most: most.map(Into::into) }
    }
}

fn shares(cost: Cost, calls: &[(Sender, u64)], most: &Most) -> SharesV1 {
    let minutes = cost.ms as f64 / 60_000.0;
    let calls = calls
        .iter()
        .map(|(sender, sent)| (sender.id().to_owned(), ShareV1::of(*sent as f64, most.calls_per_hour)));
    SharesV1 {
        attempts_in_hour: ShareV1::of(cost.hour, most.attempts_per_hour),
        attempts_in_day: ShareV1::of(cost.day, most.attempts_per_day),
        minutes_in_day: ShareV1::of(minutes, most.minutes_per_day),
        money_in_day: ShareV1::of(minutes * most.cost_per_minute, most.money_per_day),
        calls_in_hour: calls.collect(),
    }
}

/// A page of budgets
///
/// By name: of every repository in which jobs ran again within the last 24 hours, or on whose behalf a CI host was asked in this
/// hour. What may be spent is what the node that answers was told when it was started.
#[utoipa::path(
    get,
    path = "/api/v1/budgets",
    tag = "budgets",
    params(Which),
    responses((status = 200, body = Page<BudgetV1>), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn list(_: Viewer, State(shared): State<Shared>, Params(which): Params<Which>) -> Answer {
    let (limit, after) = (page::limit(which.limit)?, text("after", which.after)?);
    let names = match text("repository", which.repository)? {
        // What is no repository's name has no budget.
        Some(name) => {
            Repository::parse(&name).map(|known| known.folded().as_str().to_owned()).into_iter().collect()
        }
        None => {
            let spent = shared.record().spenders(after.as_deref(), limit + 1, shared.now()).await;
            spent.map_err(|e| shared.failed(&e))?
        }
    };
    let page = Page::of(names, limit, Clone::clone, |name| name);
    let items = budgets(&shared, page.items).await.map_err(|e| shared.failed(&e))?;
    Ok(found(&Page { items, next: page.next }))
}

async fn budgets(shared: &Shared, names: Vec<String>) -> Result<Vec<BudgetV1>, LedgerError> {
    let (ledger, now, Budgets { repository: own, organisation: all }) =
        (shared.record(), shared.now(), &shared.0.budgets);
    let since = (now.saturating_sub(DAY_MS), now.saturating_sub(HOUR_MS));
    let (mut budgets, mut organisations) = (Vec::new(), BTreeMap::<String, SharesV1>::new());
    for name in names {
        let organisation = name.split('/').next().unwrap_or_default().to_owned();
        let (mut calls, mut calls_of_all) = (Vec::new(), Vec::new());
        for sender in Sender::ALL {
            let of = CallsOf { forge: sender.id(), organisation: &organisation, repository: &name };
            let (sent, sent_for_all) = ledger.calls(of, now).await?;
            calls.push((sender, sent));
            calls_of_all.push((sender, sent_for_all));
        }
        let cost = ledger.ran(Whose::Repository(&name), "", since, now).await?;
        if !organisations.contains_key(&organisation) {
            let cost = ledger.ran(Whose::Organisation(&organisation), "", since, now).await?;
            organisations.insert(organisation.clone(), shares(cost, &calls_of_all, all));
        }
        let Some(of_organisation) = organisations.get(&organisation).cloned() else { continue };
        budgets.push(BudgetV1 {
            own: shares(cost, &calls, own),
            repository: name,
            organisation,
            of_organisation,
        });
    }
    Ok(budgets)
}
