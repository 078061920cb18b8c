//! `GET /api/v1/breakers`: circuit breakers, one for each class, service and repository; and what happened to one.

use axum::extract::State;
use regreen_ledger::EventPlace;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    Answer, Shared, found,
    page::{self, Page},
    params::{Params, bounded},
};
use crate::{
    access::Viewer,
    problem::{Problem, ProblemV1},
    shape::{BreakerEventV1, BreakerV1, named_breaker},
};

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

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OfOne {
    /// The breaker's name: CLASS/SERVICE/REPOSITORY
    #[param(max_length = 1000)]
    key: String,
    /// Those after this one: the `next` of the page before
    #[param(pattern = "^[0-9]{1,15}\\.[0-9]{1,15}$")]
    after: Option<String>,
    /// At most so many
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// Where the page before ended: MOMENT.NUMBER.
fn place(text: &str) -> Result<EventPlace, Problem> {
    let digits = |part: &str| (1..=15).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let parts = text.split_once('.').filter(|(at, seq)| digits(at) && digits(seq));
    let place = parts.and_then(|(at, seq)| Some(EventPlace { at: at.parse().ok()?, seq: seq.parse().ok()? }));
    place.ok_or_else(|| Problem::bad_request("after is the next of the page before"))
}

/// A page of what happened to a circuit breaker
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/api/v1/breakers/history",
    tag = "breakers",
    params(OfOne),
    responses((status = 200, body = Page<BreakerEventV1>), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn history(_: Viewer, State(shared): State<Shared>, Params(which): Params<OfOne>) -> Answer {
    let (limit, key) = (page::limit(which.limit)?, bounded("key", Some(which.key), KEY)?);
    let after = which.after.map(|after| place(&after)).transpose()?;
    let none = || Problem::not_found("there is no such breaker");
    let key = key.as_deref().and_then(named_breaker).ok_or_else(none)?;
    let events =
        shared.record().breaker_history(&key, after, limit + 1).await.map_err(|e| shared.failed(&e))?;
    if events.is_empty() && after.is_none() {
        return Err(none());
    }
    let mark = |event: &regreen_ledger::BreakerEvent| format!("{}.{}", event.place.at, event.place.seq);
    Ok(found(&Page::of(events, limit, mark, |event| BreakerEventV1::from(&event))))
}
