//! `GET /api/v1/approvals`: what waits for a person's word.

use axum::extract::State;
use regreen_ledger::{Cursor, Incident, IncidentFilter, Ledger, LedgerError, State as Stage};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Answer, Shared, found,
    incidents::{cursor, mark},
    page::{self, MOST, Page},
    params::Params,
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

/// A page of what waits for a person's word
///
/// Incidents that wait to be approved or denied, and runs that ask in the middle of their plan; newest first.
#[utoipa::path(
    get,
    path = "/api/v1/approvals",
    tag = "approvals",
    params(Which),
    responses((status = 200, body = Page<WaitingV1>), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn list(_: Viewer, State(shared): State<Shared>, Params(which): Params<Which>) -> Answer {
    let limit = page::limit(which.limit)?;
    let after = which.after.map(|after| cursor(&after)).transpose()?;
    let all = waiting(shared.record(), after.as_ref(), limit).await.map_err(|e| shared.failed(&e))?;
    Ok(found(&Page::of(all, limit, |one| mark(&one.cursor()), |one| shape(&one))))
}

/// Those after that place, newest first; one more than the page has, where there are as many.
async fn waiting(ledger: &Ledger, after: Option<&Cursor>, limit: u32) -> Result<Vec<Incident>, LedgerError> {
    let asks =
        |incident: &Incident| incident.question.as_ref().is_some_and(|question| question.answer.is_none());
    let mut all = of(ledger, Stage::AwaitingApproval, after, limit, |_| true).await?;
    all.extend(of(ledger, Stage::Open, after, limit, asks).await?);
    all.sort_by(|a, b| (b.opened_at, &b.id).cmp(&(a.opened_at, &a.id)));
    Ok(all)
}

/// This ledger's own in that state that fit, a page and one more.
async fn of(
    ledger: &Ledger,
    state: Stage,
    after: Option<&Cursor>,
    limit: u32,
    fits: impl Fn(&Incident) -> bool,
) -> Result<Vec<Incident>, LedgerError> {
    let enough = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
    let mut filter = IncidentFilter {
        state: Some(state),
        own: true,
        after: after.cloned(),
        limit: MOST,
        ..IncidentFilter::default()
    };
    let mut found = Vec::new();
    while found.len() < enough {
        let page = ledger.page(&filter).await?;
        found.extend(page.incidents.into_iter().filter(|incident| fits(incident)));
        match page.next {
            Some(next) => filter.after = Some(next),
            None => break,
        }
    }
    found.truncate(enough);
    Ok(found)
}

fn shape(incident: &Incident) -> WaitingV1 {
    WaitingV1 {
        question: incident.question.as_ref().map(|question| question.text.clone()),
        until: incident.waits_until().map(moment),
        incident: IncidentV1::of(incident),
    }
}
