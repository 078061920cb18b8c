//! `POST /api/v1/dispatch`: a run is put on the list of work by hand, as `regreen dispatch` does.

use axum::{extract::State, http::StatusCode};
use regreen_engine::EndedRun;
use regreen_forge::{Repository, RunRef};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Answer, Shared, body::Sent, switches::HostV1};
use crate::{
    access::Operator,
    problem::{Problem, ProblemV1, answer},
    task::Task,
};

/// Which run
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Dispatching {
    /// Where it ran
    host: HostV1,
    /// Its repository, OWNER/NAME
    #[schema(
        max_length = 200,
        pattern = "^\\.*[A-Za-z0-9_-][A-Za-z0-9._-]*(/\\.*[A-Za-z0-9_-][A-Za-z0-9._-]*)+$"
    )]
    repository: String,
    /// Its number; at GitLab the pipeline's
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991i64)]
    run: u64,
}

/// It is on the list of work
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Dispatched {
    /// Names the work
    work: String,
}

/// Look at a run
///
/// It is put on the list of work, and looked at as if a webhook had told that it has ended. What was done about an attempt is done no second time.
#[utoipa::path(
    post,
    path = "/api/v1/dispatch",
    tag = "actions",
    request_body = Dispatching,
    responses((status = 202, body = Dispatched), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn dispatch(
    Operator(who): Operator,
    State(shared): State<Shared>,
    Sent(which): Sent<Dispatching>,
) -> Answer {
    /// The largest number that every reader of JSON keeps as it is.
    const MOST: u64 = (1 << 53) - 1;
    let repository = Repository::parse(&which.repository)
        .ok_or_else(|| Problem::unprocessable("a repository is OWNER/NAME"))?;
    if !(1..=MOST).contains(&which.run) {
        return Err(Problem::unprocessable(format!("run is a number from 1 to {MOST}")));
    }
    let run = RunRef { repository, run_id: which.run };
    let (sender, now) = (which.host.sender(), shared.now());
    let task = Task::Run { sender, ended: EndedRun { run, attempt: None } };
    let listed = task.listed(now).once_more("by-hand");
    let put = shared.writes().enqueue_by_hand(&listed.work(), &who.actor, now).await;
    put.map_err(|e| shared.failed(&e))?;
    shared.0.bell.notify_one();
    Ok(answer(StatusCode::ACCEPTED, "application/json", &Dispatched { work: listed.key().to_owned() }))
}
