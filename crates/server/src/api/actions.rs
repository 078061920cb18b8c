//! What an operator does about an incident: `POST /api/v1/incidents/{id}/approve` and the like. All of it may be sent twice.

use axum::{extract::State, http::StatusCode};
use regreen_domain::FailureClass;
use regreen_ledger::LedgerError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Answer, Shared,
    body::{Sent, words},
    found,
    params::Named,
};
use crate::{
    access::Operator,
    act::{self, Answered, Listed},
    problem::{Problem, ProblemV1, answer},
    shape::IncidentV1,
};

/// Nothing more to say
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// Why
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Why {
    /// Why, where that is to be on record
    #[schema(max_length = 1000)]
    reason: Option<String>,
}

/// What an incident really was
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Label {
    /// The class that it was
    class: String,
    /// What else there is to say
    #[schema(max_length = 1000)]
    note: Option<String>,
}

/// What came of it
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Done {
    /// The incident as it is now
    incident: IncidentV1,
    /// Whether the fleet goes on with it by itself; else the next `regreen run` that fails in the same way does
    goes_on: bool,
}

/// It is on the list of work
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Taken {
    /// The incident
    incident: String,
}

fn refused(shared: &Shared, error: &LedgerError) -> Problem {
    match error {
        LedgerError::UnknownIncident { .. } => Problem::not_found("there is no such incident"),
        LedgerError::Imported { .. } | LedgerError::WrongState { .. } => {
            Problem::new(StatusCode::CONFLICT, error.to_string())
        }
        error => shared.failed(error),
    }
}

fn done(shared: &Shared, answered: Result<Answered, LedgerError>) -> Answer {
    let Answered { incident, woken } = answered.map_err(|e| refused(shared, &e))?;
    shared.0.bell.notify_one();
    Ok(found(&Done { incident: IncidentV1::of(&incident), goes_on: woken }))
}

fn taken(shared: &Shared, id: String, listed: Result<Listed, LedgerError>) -> Answer {
    match listed.map_err(|e| refused(shared, &e))? {
        Listed::Pointless(why) => Err(Problem::new(StatusCode::CONFLICT, why)),
        Listed::Listed => {
            shared.0.bell.notify_one();
            Ok(answer(StatusCode::ACCEPTED, "application/json", &Taken { incident: id }))
        }
    }
}

/// Approve
///
/// Lets an incident that waits go ahead, for a day, if nothing has changed by then. Said again, the day begins anew.
#[utoipa::path(
    post,
    path = "/api/v1/incidents/{id}/approve",
    tag = "actions",
    params(("id" = String, Path, description = "Its id")),
    request_body = Nothing,
    responses((status = 200, body = Done), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn approve(
    Operator(who): Operator,
    State(shared): State<Shared>,
    Named(id): Named,
    Sent(Nothing {}): Sent<Nothing>,
) -> Answer {
    let answered = act::approve(shared.writes(), &id, &who.actor, shared.now()).await;
    done(&shared, answered)
}

/// Deny
///
/// An incident that waits, or whose approval nobody has used yet, is left alone.
#[utoipa::path(
    post,
    path = "/api/v1/incidents/{id}/deny",
    tag = "actions",
    params(("id" = String, Path, description = "Its id")),
    request_body = Why,
    responses((status = 200, body = Done), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn deny(
    Operator(who): Operator,
    State(shared): State<Shared>,
    Named(id): Named,
    Sent(why): Sent<Why>,
) -> Answer {
    let reason = words("reason", why.reason)?;
    let answered = act::deny(shared.writes(), &id, &who.actor, reason.as_deref(), shared.now()).await;
    done(&shared, answered)
}

/// Roll back
///
/// What the incident has under way at the CI host is cancelled by whoever works beside the fleet.
#[utoipa::path(
    post,
    path = "/api/v1/incidents/{id}/rollback",
    tag = "actions",
    params(("id" = String, Path, description = "Its id")),
    request_body = Nothing,
    responses((status = 202, body = Taken), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn rollback(
    Operator(who): Operator,
    State(shared): State<Shared>,
    Named(id): Named,
    Sent(Nothing {}): Sent<Nothing>,
) -> Answer {
    let listed = act::roll_back(shared.writes(), &id, &who.actor, shared.now()).await;
    taken(&shared, id, listed)
}

/// Look again
///
/// The run is put on the list of work, as by `regreen dispatch`. An attempt about which something was decided stays as it is.
#[utoipa::path(
    post,
    path = "/api/v1/incidents/{id}/retry",
    tag = "actions",
    params(("id" = String, Path, description = "Its id")),
    request_body = Nothing,
    responses((status = 202, body = Taken), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn retry(
    Operator(who): Operator,
    State(shared): State<Shared>,
    Named(id): Named,
    Sent(Nothing {}): Sent<Nothing>,
) -> Answer {
    let listed = act::retry(shared.writes(), &id, &who.actor, shared.now()).await;
    taken(&shared, id, listed)
}

/// Open again
///
/// An incident of a CI host's run in which nothing was done is opened again: its run is looked at, and everything decided anew by what holds
/// now. It is no leave to heal; and only the run's latest attempt can be opened again, within 20 hours.
#[utoipa::path(
    post,
    path = "/api/v1/incidents/{id}/reopen",
    tag = "actions",
    params(("id" = String, Path, description = "Its id")),
    request_body = Why,
    responses((status = 202, body = Taken), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn reopen(
    Operator(who): Operator,
    State(shared): State<Shared>,
    Named(id): Named,
    Sent(why): Sent<Why>,
) -> Answer {
    let reason = words("reason", why.reason)?;
    let listed = act::reopen(shared.writes(), &id, None, &who.actor, reason.as_deref(), shared.now()).await;
    taken(&shared, id, listed)
}

/// Say what it really was
///
/// The newest word counts: detection is measured by it.
#[utoipa::path(
    post,
    path = "/api/v1/incidents/{id}/feedback",
    tag = "actions",
    params(("id" = String, Path, description = "Its id")),
    request_body = Label,
    responses((status = 200, body = Taken), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn feedback(
    Operator(who): Operator,
    State(shared): State<Shared>,
    Named(id): Named,
    Sent(label): Sent<Label>,
) -> Answer {
    let unknown = || Problem::unprocessable("class is none that is known; the API's description lists them");
    let class = FailureClass::parse(&label.class).ok_or_else(unknown)?;
    let note = words("note", label.note)?;
    let told = act::label(shared.writes(), &id, class, &who.actor, note.as_deref(), shared.now()).await;
    told.map_err(|e| refused(&shared, &e))?;
    Ok(found(&Taken { incident: id }))
}
