//! `GET /api/v1/pauses`: where healing is paused.

use axum::extract::State;
use regreen_ledger::Pause;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Answer, Shared, found,
    page::{MOST, Page},
};
use crate::{access::Viewer, problem::ProblemV1, shape::moment};

/// A kill switch that is thrown
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Pause)]
pub(super) struct PauseV1 {
    /// `fleet` for all of it, `host:HOST`, `repository:OWNER/NAME` (at each host), or `repository:HOST:OWNER/NAME`
    scope: String,
    /// Since when
    #[schema(format = DateTime)]
    since: String,
    /// By whom
    actor: String,
    /// Why
    reason: String,
}

pub(super) fn shape(pause: Pause) -> PauseV1 {
    let Pause { scope, at, actor, reason } = pause;
    PauseV1 { scope, since: moment(at), actor, reason }
}

/// Where healing is paused
///
/// Every pause beside the fleet that stands, at most 200.
#[utoipa::path(
    get,
    path = "/api/v1/pauses",
    tag = "pauses",
    responses((status = 200, body = Page<PauseV1>), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn list(_: Viewer, State(shared): State<Shared>) -> Answer {
    let standing = shared.record().pauses(MOST).await.map_err(|e| shared.failed(&e))?;
    Ok(found(&Page { items: standing.into_iter().map(shape).collect(), next: None }))
}
