//! `GET /api/v1/pauses`: where healing is paused.

use axum::extract::State;
use regreen_ledger::Pause;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Answer, Shared, found,
    incidents::cursor,
    page::{self, Page},
    params::Params,
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
    let Pause { id: _, scope, at, actor, reason } = pause;
    PauseV1 { scope, since: moment(at), actor, reason }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Those after this one: the `next` of the page before
    #[param(pattern = "^[0-9]{1,15}\\.[A-Za-z0-9._-]{1,64}$")]
    after: Option<String>,
    /// At most so many
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// A page of where healing is paused
///
/// Every pause beside the fleet that stands, the latest first.
#[utoipa::path(
    get,
    path = "/api/v1/pauses",
    tag = "pauses",
    params(Which),
    responses((status = 200, body = Page<PauseV1>), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn list(_: Viewer, State(shared): State<Shared>, Params(which): Params<Which>) -> Answer {
    let limit = page::limit(which.limit)?;
    let after = which.after.map(|after| cursor(&after)).transpose()?;
    let after = after.as_ref().map(|after| (after.opened_at, after.id.as_str()));
    let standing = shared.record().pauses_after(after, limit + 1).await.map_err(|e| shared.failed(&e))?;
    Ok(found(&Page::of(standing, limit, |pause| format!("{}.{}", pause.at, pause.id), shape)))
}
