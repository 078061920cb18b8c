//! `GET /api/v1/sinks`: how the ways out to people do.

use std::collections::BTreeMap;

use axum::extract::State;
use regreen_ledger::SinkRecord;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Answer, Shared, found,
    page::{self, Page},
    params::{Params, text},
};
use crate::{access::Viewer, problem::ProblemV1, shape::moment};

/// The ways out to people that are configured: the name of each, and of what kind it is.
pub type Sinks = BTreeMap<String, &'static str>;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Those after the one with this name
    #[param(max_length = 200)]
    after: Option<String>,
    /// At most so many
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// A way out to people
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sink)]
pub(super) struct SinkV1 {
    /// Its name in the configuration
    name: String,
    /// Its kind, such as `slack`; null where this node's configuration has none of this name
    kind: Option<&'static str>,
    /// Whether the last notice failed
    failing: bool,
    /// Since when none was taken; null where the last one was
    #[schema(format = DateTime)]
    failing_since: Option<String>,
    /// When it last took a notice
    #[schema(format = DateTime)]
    sent_at: Option<String>,
    /// When a notice last failed
    #[schema(format = DateTime)]
    failed_at: Option<String>,
    /// Why that one failed
    why: Option<String>,
    /// Notices that wait: to be tried again, or for the time of their summary
    waiting: u64,
    /// Notices that it took
    sent: u64,
    /// Notices that were given up: refused, or a day late
    given_up: u64,
}

impl SinkV1 {
    fn of(sink: SinkRecord, kind: Option<&'static str>) -> SinkV1 {
        SinkV1 {
            kind,
            failing: sink.is_failing(),
            failing_since: sink.failing_since.map(moment),
            sent_at: sink.sent_at.map(moment),
            failed_at: sink.failed_at.map(moment),
            why: sink.why,
            waiting: sink.waiting,
            sent: sink.sent,
            given_up: sink.given_up,
            name: sink.name,
        }
    }
}

/// A page of the ways out to people
///
/// By name: those that are configured, and others for which notices wait.
#[utoipa::path(
    get,
    path = "/api/v1/sinks",
    tag = "notifications",
    params(Which),
    responses((status = 200, body = Page<SinkV1>), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn list(_: Viewer, State(shared): State<Shared>, Params(which): Params<Which>) -> Answer {
    let (limit, last) = (page::limit(which.limit)?, text("after", which.after)?);
    let sinks = &shared.0.sinks;
    let mut all = shared.record().sinks(&names(sinks)).await.map_err(|e| shared.failed(&e))?;
    all.retain(|one| last.as_ref().is_none_or(|after| one.name > *after));
    let shape = |one: SinkRecord| {
        let kind = sinks.get(&one.name).copied();
        SinkV1::of(one, kind)
    };
    Ok(found(&Page::of(all, limit, |one| one.name.clone(), shape)))
}

/// Their names.
pub(crate) fn names(sinks: &Sinks) -> Vec<&str> {
    sinks.keys().map(String::as_str).collect()
}
