//! `GET /api/v1/approvals`: what waits for a person's word.

use axum::extract::State;
use regreen_ledger::{IncidentFilter, LedgerError, State as Stage};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Answer, Shared, found,
    page::{MOST, Page},
};
use crate::{
    access::Viewer,
    problem::ProblemV1,
    shape::{IncidentV1, moment},
};

/// An incident that waits for a person's word
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Waiting)]
pub(super) struct WaitingV1 {
    /// The incident
    incident: IncidentV1,
    /// What a step in the middle of its plan asks; null where the whole plan is asked about
    question: Option<String>,
    /// Until when an answer counts
    #[schema(format = DateTime)]
    until: Option<String>,
}

/// What waits for a person's word
///
/// Incidents that wait to be approved or denied, and runs that ask in the middle of their plan; at most 200 of each, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/approvals",
    tag = "approvals",
    responses((status = 200, body = Page<WaitingV1>), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn list(_: Viewer, State(shared): State<Shared>) -> Answer {
    let items = waiting(&shared).await.map_err(|e| shared.failed(&e))?;
    Ok(found(&Page { items, next: None }))
}

async fn waiting(shared: &Shared) -> Result<Vec<WaitingV1>, LedgerError> {
    let of =
        |state| IncidentFilter { state: Some(state), own: true, limit: MOST, ..IncidentFilter::default() };
    let mut all = shared.record().incidents(&of(Stage::AwaitingApproval)).await?;
    let mut asking = shared.record().incidents(&of(Stage::Open)).await?;
    asking.retain(|incident| incident.question.as_ref().is_some_and(|question| question.answer.is_none()));
    all.extend(asking);
    let shape = |incident: &regreen_ledger::Incident| WaitingV1 {
        question: incident.question.as_ref().map(|question| question.text.clone()),
        until: incident.waits_until().map(moment),
        incident: IncidentV1::of(incident),
    };
    Ok(all.iter().map(shape).collect())
}
