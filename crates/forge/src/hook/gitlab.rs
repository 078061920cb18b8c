//! GitLab's webhooks.
//!
//! Source: GitLab's documentation, "Webhook events" and "Webhooks" (19.x). There is no collection of official payloads;
//! the ones of the tests are written by hand from that documentation.

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{
    Comment, Event, Headers, JobEnded, Rejected, RunEnded, Secrets,
    body::{commit, name as cut, number, repository, unreadable, word},
    comment,
};
use crate::Conclusion;

/// Most names in `group/subgroup/…/name`: GitLab nests groups 20 deep.
const NAMES: usize = 21;

/// Whether `X-Gitlab-Token` is one of the secrets. It does not cover the body: TLS must.
pub(super) fn is_proven(secrets: &Secrets, headers: Headers<'_>) -> bool {
    headers("x-gitlab-token").is_some_and(|token| secrets.hold(token))
}

pub(super) fn name(headers: Headers<'_>) -> Result<String, Rejected> {
    word(headers, "x-gitlab-event", 64, " ")
}

/// `Idempotency-Key`, which stays the same when GitLab tries again. Older ones send only `X-Gitlab-Event-UUID`, which
/// hooks that set off each other share: there the body tells them apart.
pub(super) fn delivery(headers: Headers<'_>, body: &[u8]) -> Result<String, Rejected> {
    if headers("idempotency-key").is_some() {
        return word(headers, "idempotency-key", 128, ".:");
    }
    let uuid = word(headers, "x-gitlab-event-uuid", 64, ".:")?;
    let mut digest: String = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
    digest.truncate(32);
    Ok(format!("{uuid}:{digest}"))
}

#[derive(Deserialize)]
struct Kind {
    object_kind: Option<String>,
}

#[derive(Deserialize)]
struct Project {
    path_with_namespace: Option<String>,
}

#[derive(Deserialize)]
struct MergeRequest {
    iid: Option<u64>,
    source_project_id: Option<u64>,
    target_project_id: Option<u64>,
}

#[derive(Deserialize)]
struct Pipeline {
    object_attributes: Option<PipelineAttributes>,
    merge_request: Option<MergeRequest>,
    user: Option<User>,
    project: Option<Project>,
    builds: Option<Vec<Build>>,
}

#[derive(Deserialize)]
struct Build {
    user: Option<User>,
}

#[derive(Deserialize)]
struct PipelineAttributes {
    id: Option<u64>,
    name: Option<String>,
    #[serde(rename = "ref")]
    reference: Option<String>,
    sha: Option<String>,
    status: Option<String>,
    finished_at: Option<String>,
}

#[derive(Deserialize)]
struct Job {
    build_id: Option<u64>,
    build_name: Option<String>,
    build_status: Option<String>,
    pipeline_id: Option<u64>,
    sha: Option<String>,
    project: Option<Project>,
}

#[derive(Deserialize)]
struct Note {
    event_type: Option<String>,
    user: Option<User>,
    object_attributes: Option<NoteAttributes>,
    merge_request: Option<MergeRequest>,
    issue: Option<Issue>,
    project: Option<Project>,
}

#[derive(Deserialize)]
struct User {
    id: Option<u64>,
    username: Option<String>,
}

#[derive(Deserialize)]
struct NoteAttributes {
    id: Option<u64>,
    author_id: Option<u64>,
    noteable_type: Option<String>,
    /// Its older name is still read.
    #[serde(alias = "confidential")]
    internal: Option<bool>,
    created_at: Option<String>,
    updated_at: Option<String>,
    note: Option<String>,
    system: Option<bool>,
    action: Option<String>,
}

#[derive(Deserialize)]
struct Issue {
    iid: Option<u64>,
}

/// What is answered would be read by others than those who may read the question.
const CONFIDENTIAL: &str = "commands are not taken from comments that only some may read";

/// What a payload says.
pub(super) fn event(name: &str, payload: &[u8]) -> Event {
    let kind = match name {
        "Pipeline Hook" => "pipeline",
        // Its older name is still sent by old installations.
        "Job Hook" | "Build Hook" => "build",
        "Note Hook" => "note",
        "Confidential Note Hook" => return Event::Ignored { why: CONFIDENTIAL },
        _ => return Event::Ignored { why: "this event is not used" },
    };
    let named = match serde_json::from_slice::<Kind>(payload) {
        Ok(kind) => kind.object_kind,
        Err(error) => return Event::Refused { why: unreadable(kind, &error) },
    };
    if named.as_deref() != Some(kind) {
        return Event::Refused { why: format!("`object_kind` is not `{kind}`, as the header says") };
    }
    let read = match kind {
        "pipeline" => pipeline(payload),
        "build" => job(payload),
        _ => note(payload),
    };
    read.unwrap_or_else(|why| Event::Refused { why })
}

fn pipeline(payload: &[u8]) -> Result<Event, String> {
    let Pipeline { object_attributes, merge_request, user, project, builds } =
        serde_json::from_slice(payload).map_err(|e| unreadable("pipeline", &e))?;
    let pipeline = object_attributes.ok_or("`object_attributes` is missing")?;
    let Some(conclusion) = ended(pipeline.status.as_deref()) else {
        return Ok(Event::Ignored { why: "the pipeline has not ended" });
    };
    // Attempts are not told. But whoever retries a job is its user: a pipeline that went well, and in which every job is
    // still of the account that started it, was repeated by nobody else, and nobody waits for it.
    let name = |user: &Option<User>| user.as_ref().and_then(|user| user.username.clone());
    let repeated = |build: &Build| name(&build.user).is_some_and(|by| name(&user).as_ref() != Some(&by));
    let is_first = !conclusion.failed() && !builds.iter().flatten().any(repeated);
    let foreign =
        |of: &MergeRequest| of.source_project_id.is_none() || of.source_project_id != of.target_project_id;
    Ok(Event::RunEnded(RunEnded {
        repository: path(project)?,
        run: number(pipeline.id, "pipeline")?,
        attempt: is_first.then_some(1),
        ended_at: cut(pipeline.finished_at),
        commit: commit(pipeline.sha)?,
        branch: cut(pipeline.reference),
        workflow: cut(pipeline.name),
        conclusion,
        foreign: merge_request.as_ref().is_some_and(foreign),
    }))
}

fn job(payload: &[u8]) -> Result<Event, String> {
    let job: Job = serde_json::from_slice(payload).map_err(|e| unreadable("build", &e))?;
    let Some(conclusion) = ended(job.build_status.as_deref()) else {
        return Ok(Event::Ignored { why: "the job has not ended" });
    };
    Ok(Event::JobEnded(JobEnded {
        repository: path(job.project)?,
        run: number(job.pipeline_id, "pipeline")?,
        attempt: None,
        job: number(job.build_id, "job")?,
        name: cut(job.build_name).ok_or("the job has no name")?,
        commit: commit(job.sha)?,
        conclusion,
    }))
}

fn note(payload: &[u8]) -> Result<Event, String> {
    let Note { event_type, user, object_attributes, merge_request, issue, project } =
        serde_json::from_slice(payload).map_err(|e| unreadable("note", &e))?;
    let note = object_attributes.ok_or("`object_attributes` is missing")?;
    if note.system == Some(true) {
        return Ok(Event::Ignored { why: "the note is GitLab's own" });
    }
    // `action` came with GitLab 16.11; one before it told of changed notes too, and others only of new ones.
    let is_new =
        note.action.as_deref().map_or(note.created_at == note.updated_at, |action| action == "create");
    let another = user.as_ref().and_then(|user| user.id).zip(note.author_id).is_some_and(|(by, of)| by != of);
    if !is_new || another {
        return Ok(Event::Ignored { why: "the comment is not new" });
    }
    if note.internal == Some(true) || event_type.is_some_and(|event| event != "note") {
        return Ok(Event::Ignored { why: CONFIDENTIAL });
    }
    let (about, on_change) = match note.noteable_type.as_deref() {
        Some("MergeRequest") => (merge_request.and_then(|request| request.iid), true),
        Some("Issue") => (issue.and_then(|issue| issue.iid), false),
        _ => return Ok(Event::Ignored { why: "the comment is on neither an issue nor a merge request" }),
    };
    let Some(command) = comment::command(note.note.as_deref().unwrap_or_default()) else {
        return Ok(Event::Ignored { why: "the comment holds no command" });
    };
    Ok(Event::Comment(Comment {
        repository: path(project)?,
        comment: number(note.id, "note")?,
        about: Some(number(about, "issue or merge request")?),
        on_change,
        author: cut(user.and_then(|user| user.username)).ok_or("the comment has no author")?,
        command: command?,
    }))
}

fn path(project: Option<Project>) -> Result<crate::Repository, String> {
    repository(project.and_then(|project| project.path_with_namespace), NAMES)
}

fn ended(status: Option<&str>) -> Option<Conclusion> {
    match status? {
        "success" => Some(Conclusion::Success),
        "failed" => Some(Conclusion::Failure),
        "canceled" => Some(Conclusion::Cancelled),
        "skipped" => Some(Conclusion::Skipped),
        _ => None,
    }
}
