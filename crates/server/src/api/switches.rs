//! What an operator switches: `POST /api/v1/pause` and `/unpause`, and `POST /api/v1/breakers/reset`. All of it may be
//! sent twice.

use axum::extract::State;
use regreen_engine::pause_scope;
use regreen_forge::{Repository, hook::Sender};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Answer, Shared,
    body::{Sent, words},
    found,
};
use crate::{
    access::Operator,
    act,
    problem::{Problem, ProblemV1},
};

/// A CI host
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Host)]
pub(super) enum HostV1 {
    GitHub,
    GitLab,
}

impl HostV1 {
    pub(super) const fn sender(self) -> Sender {
        match self {
            HostV1::GitHub => Sender::GitHub,
            HostV1::GitLab => Sender::GitLab,
        }
    }
}

/// What is paused
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Pausing {
    /// One repository, OWNER/NAME; else everything beside the fleet
    #[schema(
        max_length = 200,
        pattern = "^\\.*[A-Za-z0-9_-][A-Za-z0-9._-]*(/\\.*[A-Za-z0-9_-][A-Za-z0-9._-]*)+$"
    )]
    repository: Option<String>,
    /// At that host alone; else at each
    host: Option<HostV1>,
    /// Why
    #[schema(max_length = 1000)]
    reason: Option<String>,
}

/// What goes on
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Unpausing {
    /// One repository, OWNER/NAME; else everything beside the fleet
    #[schema(
        max_length = 200,
        pattern = "^\\.*[A-Za-z0-9_-][A-Za-z0-9._-]*(/\\.*[A-Za-z0-9_-][A-Za-z0-9._-]*)+$"
    )]
    repository: Option<String>,
    /// What was paused at that host alone; else what was at each
    host: Option<HostV1>,
}

/// Which breaker is closed
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Resetting {
    /// Its key, CLASS/SERVICE/REPOSITORY
    #[schema(max_length = 1000)]
    key: String,
}

/// Whether something changed
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Switched {
    /// Whether something changed; false where it was so already
    pub(super) changed: bool,
}

fn scope(host: Option<HostV1>, repository: Option<&str>) -> Result<String, Problem> {
    let parse =
        |name| Repository::parse(name).ok_or_else(|| Problem::unprocessable("a repository is OWNER/NAME"));
    let host = host.map(HostV1::sender);
    let known = repository.map(parse).transpose()?;
    Ok(pause_scope(host, known.as_ref().map(Repository::as_str)))
}

/// Pause
///
/// Nothing is healed in that repository, at that host, or beside the fleet at all, until it is unpaused; seen before the next effect.
#[utoipa::path(
    post,
    path = "/api/v1/pause",
    tag = "actions",
    request_body = Pausing,
    responses((status = 200, body = Switched), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn pause(
    Operator(who): Operator,
    State(shared): State<Shared>,
    Sent(pausing): Sent<Pausing>,
) -> Answer {
    let scope = scope(pausing.host, pausing.repository.as_deref())?;
    let reason = words("reason", pausing.reason)?;
    let changed = act::pause(shared.writes(), &scope, &who.actor, reason.as_deref(), shared.now()).await;
    Ok(found(&Switched { changed: changed.map_err(|e| shared.failed(&e))? }))
}

/// Unpause
#[utoipa::path(
    post,
    path = "/api/v1/unpause",
    tag = "actions",
    request_body = Unpausing,
    responses((status = 200, body = Switched), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn unpause(
    Operator(who): Operator,
    State(shared): State<Shared>,
    Sent(unpausing): Sent<Unpausing>,
) -> Answer {
    let scope = scope(unpausing.host, unpausing.repository.as_deref())?;
    let changed = act::unpause(shared.writes(), &scope, &who.actor, shared.now()).await;
    Ok(found(&Switched { changed: changed.map_err(|e| shared.failed(&e))? }))
}

/// Close a breaker
///
/// Healing may be tried again at once.
#[utoipa::path(
    post,
    path = "/api/v1/breakers/reset",
    tag = "actions",
    request_body = Resetting,
    responses((status = 200, body = Switched), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn reset(
    Operator(who): Operator,
    State(shared): State<Shared>,
    Sent(resetting): Sent<Resetting>,
) -> Answer {
    let (ledger, policy) = (shared.writes(), shared.0.breaker);
    let changed = act::reset(ledger, policy, &resetting.key, &who.actor, shared.now()).await;
    let changed = changed.map_err(|e| shared.failed(&e))?;
    let changed = changed.ok_or_else(|| Problem::not_found("there is no such breaker"))?;
    Ok(found(&Switched { changed }))
}
