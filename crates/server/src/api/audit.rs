//! `GET /api/v1/audit`: the hash-chained log of every change, oldest first.

use axum::extract::State;
use regreen_ledger::AuditEntry;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::{
    Answer, Shared, found,
    page::{self, Page},
    params::Params,
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
    /// Entries after the one with this number
    #[param(minimum = 0)]
    after: Option<i64>,
    /// At most so many
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// An entry of the audit log
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(super) struct AuditEntryV1 {
    /// Counts from 1 without gaps
    seq: i64,
    /// When
    #[schema(format = DateTime)]
    at: String,
    /// What happened, such as `incident-approved`
    kind: String,
    /// The row that changed and its digest, who did it, and why
    body: Map<String, Value>,
    /// The hash of the entry before
    prev: String,
    /// SHA-256 over this entry and the hash before it
    hash: String,
}

fn shape(entry: AuditEntry) -> AuditEntryV1 {
    let AuditEntry { seq, at, kind, body, prev, hash } = entry;
    AuditEntryV1 {
        seq,
        at: moment(at),
        kind,
        body: serde_json::from_str(&body).unwrap_or_default(),
        prev,
        hash,
    }
}

/// A page of the audit log
///
/// Oldest first. `regreen audit verify` checks the chain.
#[utoipa::path(
    get,
    path = "/api/v1/audit",
    tag = "audit",
    params(Which),
    responses((status = 200, body = Page<AuditEntryV1>), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn list(_: Viewer, State(shared): State<Shared>, Params(which): Params<Which>) -> Answer {
    let (limit, after) = (page::limit(which.limit)?, which.after.unwrap_or(0));
    if after < 0 {
        return Err(Problem::bad_request("after is the number of an entry"));
    }
    let entries = shared.record().audit(after, limit + 1).await.map_err(|e| shared.failed(&e))?;
    Ok(found(&Page::of(entries, limit, |entry| entry.seq.to_string(), shape)))
}
