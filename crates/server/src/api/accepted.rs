//! What an operator accepts: `POST /api/v1/patterns`, and its way back. All of it may be sent twice.

use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Answer, Shared, actions::Nothing, body::Sent, found, params::Named, switches::Switched};
use crate::{
    access::Operator,
    act,
    problem::{Problem, ProblemV1},
};

/// A pattern that is to be accepted
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Accepting {
    /// Its file, as `regreen patterns suggest` drafts it and a person has completed it
    #[schema(max_length = 65536)]
    file: String,
}

/// A pattern that stands
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Standing {
    /// Its id
    pattern: String,
}

/// Accept a pattern
///
/// It names such failures on every node from now on, once it has proved itself beside all others; nothing is ever healed by it.
#[utoipa::path(
    post,
    path = "/api/v1/patterns",
    tag = "actions",
    request_body = Accepting,
    responses((status = 200, body = Standing), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn accept(
    Operator(who): Operator,
    State(shared): State<Shared>,
    Sent(accepting): Sent<Accepting>,
) -> Answer {
    let (catalog, now) = (&shared.0.catalog, shared.now());
    let accepted = act::accept(shared.writes(), catalog, &accepting.file, &who.actor, now).await;
    match accepted.map_err(|e| shared.failed(&e))? {
        Ok(pattern) => Ok(found(&Standing { pattern })),
        Err(why) => Err(Problem::new(StatusCode::CONFLICT, why.to_string())),
    }
}

/// Take a pattern back
///
/// One that was accepted; what it named stays on record.
#[utoipa::path(
    post,
    path = "/api/v1/patterns/{id}/take-back",
    tag = "actions",
    params(("id" = String, Path, description = "Its id")),
    request_body = Nothing,
    responses((status = 200, body = Switched), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn take_back(
    Operator(who): Operator,
    State(shared): State<Shared>,
    Named(id): Named,
    Sent(Nothing {}): Sent<Nothing>,
) -> Answer {
    let changed = act::take_back(shared.writes(), &id, &who.actor, shared.now()).await;
    Ok(found(&Switched { changed: changed.map_err(|e| shared.failed(&e))? }))
}
