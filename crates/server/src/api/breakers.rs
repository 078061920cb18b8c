//! `GET /api/v1/breakers`: circuit breakers, one for each class, service and repository.

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    Answer, Shared, found,
    page::{self, Page},
    params::{Params, bounded},
};
use crate::{access::Viewer, problem::ProblemV1, shape::BreakerV1};

/// Longest key, in characters.
const KEY: usize = 1000;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Breakers after the one with this key
    #[param(max_length = 1000)]
    after: Option<String>,
    /// At most so many
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// A page of circuit breakers
///
/// By key: every one that something ever happened to.
#[utoipa::path(
    get,
    path = "/api/v1/breakers",
    tag = "breakers",
    params(Which),
    responses((status = 200, body = Page<BreakerV1>), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn list(_: Viewer, State(shared): State<Shared>, Params(which): Params<Which>) -> Answer {
    let (limit, last) = (page::limit(which.limit)?, bounded("after", which.after, KEY)?);
    let breakers = shared.record().breakers(shared.0.breaker, shared.now()).await;
    let all = breakers.map_err(|e| shared.failed(&e))?;
    let mut all: Vec<BreakerV1> = all.iter().map(BreakerV1::from).collect();
    all.sort_by(|a, b| a.key.cmp(&b.key));
    all.retain(|one| last.as_ref().is_none_or(|after| one.key > *after));
    Ok(found(&Page::of(all, limit, |one| one.key.clone(), |one| one)))
}
