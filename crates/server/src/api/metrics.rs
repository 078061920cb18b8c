//! `GET /api/v1/metrics`: the figures, of a window and day by day.

use axum::extract::State;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Answer, Shared,
    figures::DAYS,
    found,
    page::{self, Page},
    params::Params,
};
use crate::{
    access::Viewer,
    problem::{Problem, ProblemV1},
    shape::{MetricsV1, moment},
};

const DAY_MS: i64 = 86_400_000;

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

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WhichDays {
    /// Days after this one (UTC), as YYYY-MM-DD: the `next` of the page before
    #[param(format = Date)]
    after: Option<String>,
    /// At most so many; all of them where it is not said
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// A page of the figures day by day
///
/// By the day on which an incident was opened (UTC), oldest first. There are no more than 90 in all, the last on which something failed: they are
/// counted together, and each looks at every incident of its day.
#[utoipa::path(
    get,
    path = "/api/v1/metrics/days",
    tag = "metrics",
    params(WhichDays),
    responses((status = 200, body = Page<DayV1>), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn days(
    _: Viewer,
    State(shared): State<Shared>,
    Params(which): Params<WhichDays>,
) -> Answer {
    let (limit, after) =
        (page::limit(which.limit.or(Some(DAYS)))?, which.after.as_deref().map(named).transpose()?);
    let days = shared.figures().days(shared.record(), shared.now()).await;
    let (at, days) = days.map_err(|e| shared.failed(&e))?;
    let head = shared.record().audit_head().await.map_err(|e| shared.failed(&e))?;
    let day = |(day, metrics): &(i64, regreen_ledger::Metrics)| DayV1 {
        since: moment(day.saturating_mul(DAY_MS)),
        metrics: MetricsV1::of(metrics, &shared.0.worth, &head).counted(at),
    };
    let rest: Vec<_> = days.iter().filter(|(day, _)| after.is_none_or(|after| date(*day) > after)).collect();
    Ok(found(&Page::of(rest, limit, |(day, _)| date(*day).to_string(), day)))
}

/// A day, from its name.
fn named(name: &str) -> Result<Date, Problem> {
    // Only as it is given out: the parser takes more.
    let day = name.parse().ok().filter(|day: &Date| day.to_string() == name);
    day.ok_or_else(|| Problem::bad_request("after is a day such as 2027-01-15"))
}

/// A day, counted from 1970.
fn date(day: i64) -> Date {
    let at = Timestamp::from_millisecond(day.saturating_mul(DAY_MS)).unwrap_or_default();
    at.to_zoned(TimeZone::UTC).date()
}
