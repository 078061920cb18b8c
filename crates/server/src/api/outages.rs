//! `GET /api/v1/outages`: services that jobs could not use.

use axum::extract::State;
use regreen_ledger::{Latency, LedgerError, Outage, OutagePlace};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Answer, Shared, found,
    page::{self, Page},
    params::{Named, Params},
};
use crate::{
    access::Viewer,
    problem::{Problem, ProblemV1},
    shape::{SpreadV1, moment},
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Those after this one: the `next` of the page before
    #[param(pattern = "^(on|over)\\.[0-9]{1,15}\\.[0-9a-f]{1,64}$")]
    after: Option<String>,
    /// At most so many
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// A service that does not answer, or did not
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Outage)]
pub(super) struct OutageV1 {
    /// Its id
    id: String,
    /// The service's host
    service: String,
    /// The class of failure as which it was noticed
    class: String,
    /// When it began, as far as jobs show it
    #[schema(format = DateTime)]
    began_at: String,
    /// Since when it is known that several repositories met it
    #[schema(format = DateTime)]
    known_at: Option<String>,
    /// When the service was last asked
    #[schema(format = DateTime)]
    probed_at: Option<String>,
    /// How often it has answered in a row
    answers: u32,
    /// When it was over
    #[schema(format = DateTime)]
    ended_at: Option<String>,
    /// How many runs wait for its end
    waiting: u64,
    /// How fast the service answered while it lasted; null where nobody asked it, or that is longer ago than a week
    latency: Option<LatencyV1>,
}

/// How fast a service answered
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Latency)]
struct LatencyV1 {
    /// When it was asked last
    #[schema(format = DateTime)]
    asked_at: String,
    /// How many milliseconds the answer took then; null where none came
    last_ms: Option<u64>,
    /// How often it was asked, of the last thousand times
    asked: u64,
    /// Of those that were answered: how long that took
    took_ms: Option<SpreadV1>,
}

impl From<Latency> for LatencyV1 {
    fn from(l: Latency) -> LatencyV1 {
        LatencyV1 {
            asked_at: moment(l.at),
            last_ms: l.last,
            asked: l.asked,
            took_ms: l.took.map(SpreadV1::from),
        }
    }
}

/// Where the page before ended: STATE.MOMENT.ID.
fn place(text: &str) -> Result<OutagePlace, Problem> {
    let mut parts = text.splitn(3, '.');
    let place = (|| {
        let over = match parts.next()? {
            "on" => false,
            "over" => true,
            _ => return None,
        };
        let began_at = parts.next().filter(|at| at.bytes().all(|b| b.is_ascii_digit()))?.parse().ok()?;
        let id = parts.next().filter(|id| (1..=64).contains(&id.len()))?;
        let plain = id.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase());
        plain.then(|| OutagePlace { over, began_at, id: id.to_owned() })
    })();
    place.ok_or_else(|| Problem::bad_request("after is the next of the page before"))
}

fn mark(outage: &Outage) -> String {
    let OutagePlace { over, began_at, id } = outage.place();
    format!("{}.{began_at}.{id}", if over { "over" } else { "on" })
}

async fn shape(shared: &Shared, outage: Outage) -> Result<OutageV1, LedgerError> {
    let waiting = match outage.ended_at {
        Some(_) => 0,
        None => shared.record().waiting_for(&outage.id).await?,
    };
    let until = outage.ended_at.unwrap_or(i64::MAX);
    let latency = shared.record().latency(&outage.service, outage.began_at, until).await?;
    let Outage { id, service, class, began_at, known_at, probed_at, answers, ended_at } = outage;
    let at = |at: Option<i64>| at.map(moment);
    Ok(OutageV1 {
        id,
        service,
        class,
        began_at: moment(began_at),
        known_at: at(known_at),
        probed_at: at(probed_at),
        answers,
        ended_at: at(ended_at),
        waiting,
        latency: latency.map(LatencyV1::from),
    })
}

/// A page of outages
///
/// Those that are not over first, then by when they began, the latest first. One that ends while pages are followed may be seen twice.
#[utoipa::path(
    get,
    path = "/api/v1/outages",
    tag = "outages",
    params(Which),
    responses((status = 200, body = Page<OutageV1>), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn list(_: Viewer, State(shared): State<Shared>, Params(which): Params<Which>) -> Answer {
    let limit = page::limit(which.limit)?;
    let after = which.after.map(|after| place(&after)).transpose()?;
    let outages = shared.record().outages_after(after.as_ref(), limit + 1).await;
    let outages = outages.map_err(|e| shared.failed(&e))?;
    let Page { items: outages, next } = Page::of(outages, limit, mark, |one| one);
    let mut items = Vec::with_capacity(outages.len());
    for outage in outages {
        items.push(shape(&shared, outage).await.map_err(|e| shared.failed(&e))?);
    }
    Ok(found(&Page { items, next }))
}

/// One outage
#[utoipa::path(
    get,
    path = "/api/v1/outages/{id}",
    tag = "outages",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 200, body = OutageV1), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn show(_: Viewer, State(shared): State<Shared>, Named(id): Named) -> Answer {
    let outage = shared.record().outage(&id).await.map_err(|e| shared.failed(&e))?;
    let outage = outage.ok_or_else(|| Problem::not_found("there is no such outage"))?;
    Ok(found(&shape(&shared, outage).await.map_err(|e| shared.failed(&e))?))
}
