//! What is told of things: with the field names and forms of GitLab's documentation.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::{Bridge, Job, Pipeline, Project};

/// A time as GitLab writes it.
pub(super) fn time(at: SystemTime) -> String {
    jiff::Timestamp::try_from(at)
        .map(|at| at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
        .unwrap_or_default()
}

pub(super) fn user(login: &str) -> Value {
    json!({
        "id": 7, "username": login, "name": login, "state": "active", "locked": false, "avatar_url": null,
        "web_url": format!("https://gitlab.example.com/{login}"),
    })
}

pub(super) fn project(path: &str, project: &Project) -> Value {
    let (group, name) = path.rsplit_once('/').unwrap_or(("", path));
    json!({
        "id": project.id, "name": name, "path": name, "path_with_namespace": path, "description": null,
        "default_branch": project.default_branch, "visibility": project.visibility, "ci_config_path": "",
        "public_jobs": project.public_jobs, "builds_access_level": "enabled",
        "namespace": { "id": 2, "name": group, "path": group, "kind": "group", "full_path": group },
        "web_url": format!("https://gitlab.example.com/{path}"), "archived": false,
    })
}

pub(super) fn pipeline(path: &str, project: u64, pipeline: &Pipeline) -> Value {
    let mut value = basic(path, project, pipeline);
    let ended = pipeline.jobs.iter().filter_map(|job| job.finished_at).max();
    let more = json!({
        "name": null, "before_sha": "0".repeat(40), "tag": false, "yaml_errors": null, "user": user("ann"),
        "started_at": time(pipeline.created_at), "finished_at": ended.map(time), "committed_at": null,
        "duration": 90, "queued_duration": 3, "coverage": null,
        "detailed_status": { "icon": "status_failed", "text": pipeline.status, "label": pipeline.status, "group": pipeline.status },
    });
    if let (Value::Object(all), Value::Object(more)) = (&mut value, more) {
        all.extend(more);
    }
    value
}

fn basic(path: &str, project: u64, pipeline: &Pipeline) -> Value {
    json!({
        "id": pipeline.id, "iid": 12, "project_id": project, "sha": pipeline.sha, "ref": pipeline.reference,
        "status": pipeline.shown.as_ref().unwrap_or(&pipeline.status), "source": pipeline.source,
        "created_at": time(pipeline.created_at), "updated_at": time(pipeline.created_at),
        "web_url": format!("https://gitlab.example.com/{path}/-/pipelines/{}", pipeline.id),
    })
}

pub(super) fn job(path: &str, project: u64, of: &Pipeline, job: &Job) -> Value {
    let started = job.finished_at.map(|_| time(job.created_at));
    let took =
        job.finished_at.map(|at| at.duration_since(job.created_at).unwrap_or(Duration::ZERO).as_secs_f64());
    let mut value = json!({
        "id": job.id, "status": job.status, "stage": job.stage, "name": job.name, "ref": of.reference, "tag": false,
        "coverage": null, "allow_failure": job.allow_failure, "created_at": time(job.created_at), "started_at": started,
        "finished_at": job.finished_at.map(time), "erased_at": null, "duration": took, "queued_duration": 3.2,
        "user": user(&job.user), "commit": { "id": of.sha, "short_id": &of.sha.get(..8), "title": "Sharper" },
        "pipeline": basic(path, project, of), "project": { "ci_job_token_scope_enabled": false },
        "artifacts": [], "artifacts_expire_at": null, "archived": false, "tag_list": ["linux"],
        "runner": { "id": 5, "description": "shared-1", "active": true, "is_shared": true, "name": "gitlab-runner", "online": true },
        "web_url": format!("https://gitlab.example.com/{path}/-/jobs/{}", job.id),
    });
    // Told only of jobs that failed.
    if let Some(reason) = job.failure_reason.as_ref().filter(|_| job.status == "failed") {
        value["failure_reason"] = json!(reason);
    }
    value
}

pub(super) fn bridge(path: &str, project: u64, of: &Pipeline, bridge: &Bridge) -> Value {
    json!({
        "id": bridge.id, "status": bridge.status, "stage": "deploy", "name": bridge.name, "ref": of.reference, "tag": false,
        "coverage": null, "allow_failure": false, "created_at": time(of.created_at), "started_at": time(of.created_at),
        "finished_at": time(of.created_at + Duration::from_secs(60)), "duration": 60.0, "queued_duration": 0.1,
        "user": user("ann"), "commit": { "id": of.sha }, "pipeline": basic(path, project, of),
        "project": { "ci_job_token_scope_enabled": false },
        "web_url": format!("https://gitlab.example.com/{path}/-/jobs/{}", bridge.id),
        "downstream_pipeline": { "id": 5, "sha": of.sha, "ref": "main", "status": bridge.status },
    })
}
