//! GitHub's webhooks.
//!
//! Sources: GitHub's documentation, "Webhook events and payloads" and "Validating webhook deliveries"; the example
//! payloads of npm `@octokit/webhooks-examples`. Own structs with nothing required: what is missing is said by name.

use serde::Deserialize;

use super::{
    CheckEnded, Comment, Event, Headers, JobEnded, Rejected, RunEnded, Secrets,
    body::{commit, name as cut, number, repository, unreadable, word},
    comment,
};
use crate::{Conclusion, github::is_of_its_head};

/// Names in `owner/name`.
const NAMES: usize = 2;

/// Whether `X-Hub-Signature-256` proves the body.
pub(super) fn is_proven(secrets: &Secrets, headers: Headers<'_>, body: &[u8]) -> bool {
    signature(headers).is_some_and(|signature| secrets.signed(body, &signature))
}

/// What is said to be the body's signature.
pub(super) fn signature(headers: Headers<'_>) -> Option<[u8; 32]> {
    headers("x-hub-signature-256").and_then(|text| text.strip_prefix("sha256=")).and_then(hex)
}

pub(super) fn name(headers: Headers<'_>) -> Result<String, Rejected> {
    word(headers, "x-github-event", 64, "")
}

pub(super) fn delivery(headers: Headers<'_>) -> Result<String, Rejected> {
    word(headers, "x-github-delivery", 128, ".:")
}

/// 32 bytes of hex.
fn hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let text = text.as_bytes();
    if text.len() != 2 * bytes.len() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        let digit = |at: usize| pair.get(at).and_then(|d| char::from(*d).to_digit(16));
        *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
    }
    Some(bytes)
}

#[derive(Deserialize)]
struct Payload {
    action: Option<String>,
    repository: Option<Repository>,
    sender: Option<User>,
    workflow: Option<Workflow>,
    workflow_run: Option<Run>,
    workflow_job: Option<Job>,
    check_run: Option<Check>,
    comment: Option<Written>,
    issue: Option<Issue>,
}

#[derive(Deserialize)]
struct Repository {
    full_name: Option<String>,
}

#[derive(Deserialize)]
struct User {
    login: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Workflow {
    name: Option<String>,
}

#[derive(Deserialize)]
struct Run {
    id: Option<u64>,
    name: Option<String>,
    run_attempt: Option<u32>,
    head_sha: Option<String>,
    head_branch: Option<String>,
    status: Option<String>,
    conclusion: Option<String>,
    updated_at: Option<String>,
    head_repository: Option<Repository>,
    event: Option<String>,
}

#[derive(Deserialize)]
struct Job {
    id: Option<u64>,
    run_id: Option<u64>,
    run_attempt: Option<u32>,
    name: Option<String>,
    head_sha: Option<String>,
    status: Option<String>,
    conclusion: Option<String>,
}

#[derive(Deserialize)]
struct Check {
    id: Option<u64>,
    name: Option<String>,
    head_sha: Option<String>,
    conclusion: Option<String>,
    details_url: Option<String>,
    app: Option<App>,
}

#[derive(Deserialize)]
struct App {
    slug: Option<String>,
}

#[derive(Deserialize)]
struct Written {
    id: Option<u64>,
    body: Option<String>,
    user: Option<User>,
}

#[derive(Deserialize)]
struct Issue {
    number: Option<u64>,
}

/// What a payload says.
pub(super) fn event(name: &str, payload: &[u8]) -> Event {
    let read = match name {
        "workflow_run" => run,
        "workflow_job" => job,
        "check_run" => check,
        "issue_comment" => written,
        _ => return Event::Ignored { why: "this event is not used" },
    };
    let payload = match serde_json::from_slice::<Payload>(payload) {
        Ok(payload) => payload,
        Err(error) => return Event::Refused { why: unreadable(name, &error) },
    };
    read(payload).unwrap_or_else(|why| Event::Refused { why })
}

fn run(payload: Payload) -> Result<Event, String> {
    if payload.action.as_deref() != Some("completed") {
        return Ok(Event::Ignored { why: "the run has not ended" });
    }
    let run = payload.workflow_run.ok_or("`workflow_run` is missing")?;
    let repository = full_name(payload.repository)?;
    let Some(conclusion) = run.conclusion.filter(|_| run.status.as_deref() == Some("completed")) else {
        return Ok(Event::Ignored { why: "the run has not ended" });
    };
    let head = run.head_repository.and_then(|head| head.full_name);
    Ok(Event::RunEnded(RunEnded {
        run: number(run.id, "run")?,
        attempt: Some(run.run_attempt.filter(|attempt| *attempt > 0).unwrap_or(1)),
        ended_at: cut(run.updated_at),
        commit: commit(run.head_sha)?,
        branch: cut(run.head_branch),
        workflow: cut(payload.workflow.and_then(|w| w.name).or(run.name)),
        conclusion: ended(&conclusion),
        foreign: !run.event.as_deref().is_some_and(is_of_its_head)
            || head.is_none_or(|head| !head.eq_ignore_ascii_case(repository.as_str())),
        repository,
    }))
}

fn job(payload: Payload) -> Result<Event, String> {
    if payload.action.as_deref() != Some("completed") {
        return Ok(Event::Ignored { why: "the job has not ended" });
    }
    let job = payload.workflow_job.ok_or("`workflow_job` is missing")?;
    let Some(conclusion) = job.conclusion.filter(|_| job.status.as_deref() == Some("completed")) else {
        return Ok(Event::Ignored { why: "the job has not ended" });
    };
    Ok(Event::JobEnded(JobEnded {
        repository: full_name(payload.repository)?,
        run: number(job.run_id, "run")?,
        attempt: Some(job.run_attempt.filter(|attempt| *attempt > 0).unwrap_or(1)),
        job: number(job.id, "job")?,
        name: cut(job.name).ok_or("the job has no name")?,
        commit: commit(job.head_sha)?,
        conclusion: ended(&conclusion),
    }))
}

fn check(payload: Payload) -> Result<Event, String> {
    if payload.action.as_deref() != Some("completed") {
        return Ok(Event::Ignored { why: "the check has not ended" });
    }
    let check = payload.check_run.ok_or("`check_run` is missing")?;
    let Some(conclusion) = check.conclusion else {
        return Ok(Event::Ignored { why: "the check has not ended" });
    };
    let (repository, id) = (full_name(payload.repository)?, number(check.id, "check")?);
    let name = cut(check.name).ok_or("the check has no name")?;
    let (commit, conclusion) = (commit(check.head_sha)?, ended(&conclusion));
    let app = cut(check.app.and_then(|app| app.slug));
    if app.as_deref() == Some(ACTIONS)
        && let Some(run) = check.details_url.as_deref().and_then(run_of)
    {
        return Ok(Event::JobEnded(JobEnded {
            repository,
            run,
            attempt: None,
            job: id,
            name,
            commit,
            conclusion,
        }));
    }
    Ok(Event::CheckEnded(CheckEnded { repository, check: id, name, commit, conclusion, app }))
}

/// The app whose checks are jobs of workflow runs: a job and its check have the same number
/// ([REST API, workflow jobs](https://docs.github.com/en/rest/actions/workflow-jobs), `check_run_url`).
const ACTIONS: &str = "github-actions";

/// The run in the address of one of its jobs, `…/actions/runs/RUN/job/JOB`.
fn run_of(details: &str) -> Option<u64> {
    let (_, rest) = details.split_once("/actions/runs/")?;
    let (run, _) = rest.split_once("/job")?;
    run.parse().ok().filter(|run| *run > 0)
}

fn written(payload: Payload) -> Result<Event, String> {
    // An edited comment would be a command without a trace of the first wording.
    if payload.action.as_deref() != Some("created") {
        return Ok(Event::Ignored { why: "the comment is not new" });
    }
    let comment = payload.comment.ok_or("`comment` is missing")?;
    let Some(command) = comment::command(comment.body.as_deref().unwrap_or_default()) else {
        return Ok(Event::Ignored { why: "the comment holds no command" });
    };
    let by_bot = |user: &User| user.kind.as_deref() == Some("Bot");
    if comment.user.as_ref().is_some_and(by_bot) || payload.sender.as_ref().is_some_and(by_bot) {
        return Ok(Event::Ignored { why: "bots do not command" });
    }
    Ok(Event::Comment(Comment {
        repository: full_name(payload.repository)?,
        comment: number(comment.id, "comment")?,
        about: payload.issue.and_then(|issue| issue.number),
        on_change: true,
        author: cut(comment.user.and_then(|user| user.login)).ok_or("the comment has no author")?,
        command: command?,
    }))
}

fn full_name(of: Option<Repository>) -> Result<crate::Repository, String> {
    repository(of.and_then(|repository| repository.full_name), NAMES)
}

fn ended(conclusion: &str) -> Conclusion {
    match conclusion {
        "success" => Conclusion::Success,
        "failure" => Conclusion::Failure,
        "timed_out" => Conclusion::TimedOut,
        "startup_failure" => Conclusion::StartupFailure,
        "cancelled" => Conclusion::Cancelled,
        "skipped" => Conclusion::Skipped,
        "neutral" => Conclusion::Neutral,
        "action_required" => Conclusion::ActionRequired,
        "stale" => Conclusion::Stale,
        _ => Conclusion::Unknown,
    }
}
