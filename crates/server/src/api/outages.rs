//! `GET /api/v1/outages`: services that jobs could not use.

use axum::extract::State;
use regreen_ledger::{LedgerError, Outage};
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
    shape::moment,
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
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
}

async fn shape(shared: &Shared, outage: Outage) -> Result<OutageV1, LedgerError> {
    let waiting = match outage.ended_at {
        Some(_) => 0,
        None => shared.record().waiting_for(&outage.id).await?,
    };
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
    })
}

/// The latest outages
///
/// Those that are not over first. There is no second page.
#[utoipa::path(
    get,
    path = "/api/v1/outages",
    tag = "outages",
    params(Which),
    responses((status = 200, body = Page<OutageV1>), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn list(_: Viewer, State(shared): State<Shared>, Params(which): Params<Which>) -> Answer {
    let limit = page::limit(which.limit)?;
    let mut items = Vec::new();
    for outage in shared.record().outages(limit).await.map_err(|e| shared.failed(&e))? {
        items.push(shape(&shared, outage).await.map_err(|e| shared.failed(&e))?);
    }
    Ok(found(&Page { items, next: None }))
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
