//! `GET /api/v1/incidents`: failures, newest first, and one with everything on record about it.

use axum::extract::State;
use regreen_domain::{FailureClass, Outcome};
use regreen_ledger::{Cursor, IncidentFilter, Ledger, LedgerError, State as Stage};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    Answer, Shared, found,
    page::{self, Page},
    params::{Named, Params, instant, text},
};
use crate::{
    access::Viewer,
    problem::{Problem, ProblemV1},
    shape::{IncidentV1, Whole, timeline},
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Only of this repository, OWNER/NAME
    #[param(max_length = 200)]
    repository: Option<String>,
    /// Only of this class
    class: Option<String>,
    /// Only in this state
    state: Option<String>,
    /// Only those that ended like this
    outcome: Option<String>,
    /// Only those that this pattern named
    #[param(max_length = 200)]
    pattern: Option<String>,
    /// Only of this failure, wherever it happened
    #[param(max_length = 200)]
    fingerprint: Option<String>,
    /// Only those whose id, repository, pattern or fingerprint has this in it
    #[param(max_length = 200)]
    text: Option<String>,
    /// Only those opened at this moment or later
    #[param(format = DateTime)]
    since: Option<String>,
    /// Only those opened before this moment
    #[param(format = DateTime)]
    until: Option<String>,
    /// Those after this one: the `next` of the page before
    #[param(pattern = "^[0-9]{1,15}\\.[A-Za-z0-9._-]{1,64}$")]
    after: Option<String>,
    /// At most so many
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

impl Which {
    fn filter(self) -> Result<IncidentFilter, Problem> {
        Ok(IncidentFilter {
            outcome: known("outcome", self.outcome, Outcome::parse)?,
            class: known("class", self.class, FailureClass::parse)?,
            state: known("state", self.state, stage)?,
            repository: text("repository", self.repository)?,
            pattern: text("pattern", self.pattern)?,
            fingerprint: text("fingerprint", self.fingerprint)?,
            since: instant("since", self.since)?,
            until: instant("until", self.until)?,
            text: text("text", self.text)?,
            own: false,
            after: self.after.map(|after| cursor(&after)).transpose()?,
            limit: page::limit(self.limit)?,
        })
    }
}

/// Every state.
pub(super) const STATES: [Stage; 4] = [Stage::Open, Stage::AwaitingApproval, Stage::Approved, Stage::Closed];

fn stage(id: &str) -> Option<Stage> {
    STATES.into_iter().find(|state| state.id() == id)
}

fn known<T>(
    name: &str,
    value: Option<String>,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Problem> {
    let Some(value) = value else { return Ok(None) };
    let unknown =
        || Problem::bad_request(format!("{name} is none that is known; the API's description lists them"));
    parse(&value).map(Some).ok_or_else(unknown)
}

/// Where the page before ended: MOMENT.ID.
pub(super) fn cursor(text: &str) -> Result<Cursor, Problem> {
    let parts = text.split_once('.').and_then(|(at, id)| Some((at.parse().ok()?, id)));
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    match parts {
        Some((opened_at, id)) if (1..=64).contains(&id.len()) && id.chars().all(plain) => {
            Ok(Cursor { opened_at, id: id.to_owned() })
        }
        _ => Err(Problem::bad_request("after is the next of the page before")),
    }
}

/// The place of an incident, for [`cursor`].
pub(super) fn mark(place: &Cursor) -> String {
    format!("{}.{}", place.opened_at, place.id)
}

/// A page of incidents
///
/// Newest first. With several conditions, or a text to look for, a page may have fewer than were asked for, or none, and be followed by others
/// all the same: go on as long as there is a `next`.
#[utoipa::path(
    get,
    path = "/api/v1/incidents",
    tag = "incidents",
    params(Which),
    responses((status = 200, body = Page<IncidentV1>), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn list(_: Viewer, State(shared): State<Shared>, Params(which): Params<Which>) -> Answer {
    let page = shared.record().page(&which.filter()?).await.map_err(|e| shared.failed(&e))?;
    let next = page.next.as_ref().map(mark);
    Ok(found(&Page { items: page.incidents.iter().map(IncidentV1::of).collect(), next }))
}

/// One incident
///
/// With the evidence, what was decided from what, each step, and what happened.
#[utoipa::path(
    get,
    path = "/api/v1/incidents/{id}",
    tag = "incidents",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 200, body = IncidentV1), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn show(_: Viewer, State(shared): State<Shared>, Named(id): Named) -> Answer {
    let whole = whole(shared.record(), &id).await.map_err(|e| shared.failed(&e))?;
    whole.map(|whole| found(&whole)).ok_or_else(|| Problem::not_found("there is no such incident"))
}

async fn whole(ledger: &Ledger, id: &str) -> Result<Option<IncidentV1>, LedgerError> {
    let Some(incident) = ledger.incident(id).await? else { return Ok(None) };
    let timeline = timeline(id, &ledger.audit_of(id).await?, &ledger.facts(id).await?);
    let feedback = ledger.feedback_of(id).await?;
    Ok(Some(IncidentV1::whole_with_decision(&Whole {
        incident: &incident,
        timeline: &timeline,
        feedback: &feedback,
    })))
}
