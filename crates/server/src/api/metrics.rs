//! `GET /api/v1/metrics`: the figures, of a window and day by day.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Answer, Shared, found, page::Page, params::Params};
use crate::{
    access::Viewer,
    problem::{Problem, ProblemV1},
    shape::{MetricsV1, moment},
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Of the last so many days; else of all that is on record
    #[param(minimum = 1, maximum = 3650)]
    days: Option<u32>,
}

/// The figures of a day
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Day)]
pub(super) struct DayV1 {
    /// When it began
    #[schema(format = DateTime)]
    since: String,
    /// Its figures
    metrics: MetricsV1,
}

/// The figures
///
/// Each with the number of cases that it comes from; what has no data is null. They are counted anew after 15 seconds; where that takes longer than
/// five, those before are shown, and `counted_at` says when that was.
#[utoipa::path(
    get,
    path = "/api/v1/metrics",
    tag = "metrics",
    params(Which),
    responses((status = 200, body = MetricsV1), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn show(_: Viewer, State(shared): State<Shared>, Params(which): Params<Which>) -> Answer {
    if which.days.is_some_and(|days| !(1..=3650).contains(&days)) {
        return Err(Problem::bad_request("days is 1 to 3650"));
    }
    let counted = shared.figures().of(shared.record(), which.days, shared.now()).await;
    let (at, counted) = counted.map_err(|e| shared.failed(&e))?;
    let head = shared.record().audit_head().await.map_err(|e| shared.failed(&e))?;
    Ok(found(&MetricsV1::of(&counted, &shared.0.worth, &head).counted(at)))
}

/// The figures day by day
///
/// Of each of the last 90 days on which something failed, oldest first, by the day on which an incident was opened (UTC). There is no second page.
#[utoipa::path(
    get,
    path = "/api/v1/metrics/days",
    tag = "metrics",
    responses((status = 200, body = Page<DayV1>), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn days(_: Viewer, State(shared): State<Shared>) -> Answer {
    let days = shared.figures().days(shared.record(), shared.now()).await;
    let (at, days) = days.map_err(|e| shared.failed(&e))?;
    let head = shared.record().audit_head().await.map_err(|e| shared.failed(&e))?;
    let day = |(day, metrics): &(i64, regreen_ledger::Metrics)| DayV1 {
        since: moment(day.saturating_mul(86_400_000)),
        metrics: MetricsV1::of(metrics, &shared.0.worth, &head).counted(at),
    };
    Ok(found(&Page { items: days.iter().map(day).collect(), next: None }))
}
