//! Runs, jobs, logs and caches.

use std::{
    io::{Cursor, Write},
    time::{Duration, SystemTime},
};

use serde_json::{Value, json};
use zip::{ZipWriter, write::SimpleFileOptions};

use super::{
    World,
    route::{Asked, Reply},
    sample::{sample, time, with},
    world::{Job, Repository, Run},
};

pub(super) fn answer(world: &mut World, own: &str, name: &str, asked: &Asked, rest: &[&str]) -> Reply {
    let mut ids: Vec<u64> = Vec::new();
    for _ in 0..64 {
        ids.push(world.new_id());
    }
    let logs = world.logs_at.clone().unwrap_or_else(|| own.to_owned());
    let leads = |path: String| Reply {
        headers: vec![("location", format!("{logs}/_logs/{name}/{path}"))],
        ..Reply::empty(302)
    };
    let Some(repository) = world.repositories.get_mut(name) else { return Reply::not_found() };
    let id = rest.get(1).and_then(|id| id.parse::<u64>().ok());
    match (asked.method.as_str(), rest) {
        ("GET", ["runs"]) => {
            let listed = runs(name, repository, asked);
            let total = listed.len();
            let listed = listed.into_iter().take(1000).collect();
            asked.page(world, listed, |_, page| json!({ "total_count": total, "workflow_runs": page }))
        }
        ("GET", ["caches"]) => {
            let fits = |name, value: &str, whole: bool| {
                asked.query(name).is_none_or(|q| if whole { value == q } else { value.starts_with(q) })
            };
            let found = repository
                .caches
                .iter()
                .filter(|c| fits("key", &c.key, false) && fits("ref", &c.reference, true));
            let listed = found.map(cache).collect();
            asked.page(world, listed, |total, page| json!({ "total_count": total, "actions_caches": page }))
        }
        ("DELETE", ["caches"]) => {
            let gone = |c: &super::Cache| {
                asked.query("key") == Some(&c.key) && asked.query("ref").is_none_or(|r| r == c.reference)
            };
            let (deleted, kept): (Vec<_>, Vec<_>) = repository.caches.drain(..).partition(gone);
            repository.caches = kept;
            if deleted.is_empty() {
                return Reply::not_found();
            }
            let page: Vec<Value> = deleted.iter().map(cache).collect();
            Reply::json(200, json!({ "total_count": page.len(), "actions_caches": page }))
        }
        ("POST", ["workflows", workflow, "dispatches"]) => {
            let inputs = asked.body.get("inputs").cloned().unwrap_or_default().to_string();
            repository.dispatched.push(((*workflow).to_owned(), asked.text("ref"), inputs));
            Reply::empty(204)
        }
        (method, ["jobs", _, rest @ ..]) => {
            let found = repository.runs.iter_mut().find(|run| run.jobs.iter().any(|j| Some(j.id) == id));
            let Some(run) = found else { return Reply::not_found() };
            let Some(job) = run.jobs.iter().find(|j| Some(j.id) == id) else { return Reply::not_found() };
            match (method, rest) {
                ("GET", []) => Reply::json(200, shown_job(name, run, job)),
                ("GET", ["logs"]) if job.log.is_none() => Reply::says(410, "Gone"),
                ("GET", ["logs"]) => leads(format!("job/{}?sig=secret", job.id)),
                ("POST", ["rerun"]) => {
                    let jobs = [job.id];
                    again(run, &jobs, ids)
                }
                _ => Reply::not_found(),
            }
        }
        (method, ["runs", _, rest @ ..]) => {
            let repository_id = repository.id;
            let Some(run) = repository.runs.iter_mut().find(|run| Some(run.id) == id) else {
                return Reply::not_found();
            };
            match (method, rest) {
                ("GET", []) => Reply::json(200, shown(name, repository_id, run)),
                ("GET", ["attempts", attempt, "jobs"]) => {
                    let attempt = attempt.parse().unwrap_or(0);
                    if attempt == 0 || attempt > run.attempt {
                        return Reply::not_found();
                    }
                    let listed: Vec<Value> =
                        run.jobs_at(attempt).into_iter().map(|job| shown_job(name, run, job)).collect();
                    asked.page(world, listed, |total, page| json!({ "total_count": total, "jobs": page }))
                }
                ("GET", ["attempts", attempt, "logs"]) => {
                    leads(format!("run/{}/{attempt}?sig=secret", run.id))
                }
                ("POST", ["rerun-failed-jobs"]) => {
                    let failed = |job: &&Job| job.conclusion.as_deref() == Some("failure");
                    let jobs: Vec<u64> =
                        run.jobs_at(run.attempt).into_iter().filter(failed).map(|job| job.id).collect();
                    again(run, &jobs, ids)
                }
                ("POST", ["rerun"]) => {
                    let jobs: Vec<u64> = run.jobs_at(run.attempt).into_iter().map(|job| job.id).collect();
                    again(run, &jobs, ids)
                }
                ("POST", ["cancel"]) if run.status == "completed" => {
                    Reply::says(409, "Cannot cancel a workflow run that is completed.")
                }
                ("POST", ["cancel"]) => {
                    run.finish("cancelled");
                    Reply::json(202, json!({}))
                }
                _ => Reply::not_found(),
            }
        }
        _ => Reply::not_found(),
    }
}

fn again(run: &mut Run, jobs: &[u64], mut ids: Vec<u64>) -> Reply {
    if run.status != "completed" {
        return Reply::says(403, "This workflow run is already running");
    }
    run.again(jobs, || ids.pop().unwrap_or_default());
    Reply::json(201, json!({}))
}

fn runs(name: &str, repository: &Repository, asked: &Asked) -> Vec<Value> {
    let created = asked.query("created").unwrap_or_default();
    let within = |run: &&Run| {
        let at = time(run.created_at);
        match created.split_once("..") {
            Some((from, to)) => from <= at.as_str() && at.as_str() <= to,
            None => created.strip_prefix(">=").is_none_or(|from| from <= at.as_str()),
        }
    };
    let wanted = asked.query("status").unwrap_or_default();
    let fits =
        |run: &&Run| wanted.is_empty() || run.status == wanted || run.conclusion.as_deref() == Some(wanted);
    let mut found: Vec<&Run> = repository.runs.iter().filter(within).filter(fits).collect();
    found.sort_by_key(|run| std::cmp::Reverse((run.created_at, run.id)));
    found.into_iter().map(|run| shown(name, repository.id, run)).collect()
}

fn shown(name: &str, repository: u64, run: &Run) -> Value {
    let own = |id: u64| {
        let example = sample("run", json!({}));
        let whole = example.get("repository").cloned().unwrap_or_default();
        with(whole, json!({ "id": id, "full_name": name }))
    };
    let head = if run.from_fork { own(repository + 1_000_000) } else { own(repository) };
    sample(
        "run",
        json!({
            "id": run.id,
            "name": run.name,
            "path": ".github/workflows/ci.yml",
            "head_sha": run.head_sha,
            "head_branch": run.head_branch,
            "event": run.event,
            "run_attempt": run.attempt,
            "status": run.status,
            "conclusion": run.conclusion,
            "created_at": time(run.created_at),
            "run_started_at": time(run.created_at),
            "updated_at": time(run.created_at),
            "html_url": format!("https://github.com/{name}/actions/runs/{}", run.id),
            "pull_requests": [],
            "repository": own(repository),
            "head_repository": head,
        }),
    )
}

fn shown_job(name: &str, run: &Run, job: &Job) -> Value {
    let steps: Vec<Value> = job
        .steps
        .iter()
        .zip(1..)
        .map(|(step, number)| {
            json!({ "name": step.name, "number": number, "status": "completed", "conclusion": step.conclusion })
        })
        .collect();
    let ended = run.created_at + Duration::from_secs(job.seconds);
    let mut facts = json!({
        "id": job.id,
        "run_id": run.id,
        "name": job.name,
        "head_sha": run.head_sha,
        "status": if job.conclusion.is_some() { "completed" } else { "in_progress" },
        "conclusion": job.conclusion,
        "started_at": time(run.created_at),
        "completed_at": job.conclusion.as_ref().map(|_| time(ended)),
        "steps": steps,
        "labels": ["ubuntu-latest"],
        "html_url": format!("https://github.com/{name}/actions/runs/{}/job/{}", run.id, job.id),
        "created_at": time(run.created_at),
    });
    // GitHub's schema lets it out, and so does its example: here for runs of one attempt.
    if run.attempt > 1 {
        facts["run_attempt"] = json!(job.attempt);
    }
    sample("job", facts)
}

fn cache(cache: &super::Cache) -> Value {
    let now = time(SystemTime::now());
    json!({
        "id": cache.id,
        "key": cache.key,
        "ref": cache.reference,
        "version": "73885106f58cc52a7df9ec4d4a5622a5614813162cb516c759a30af6bf56e6f0",
        "size_in_bytes": cache.bytes,
        "created_at": now,
        "last_accessed_at": now,
    })
}

/// What lies where logs lie.
pub(super) fn stored(world: &World, asked: &Asked) -> Reply {
    let parts: Vec<&str> = asked.parts.iter().map(String::as_str).collect();
    let (runs, rest) = match parts.as_slice() {
        ["_logs", owner, name, rest @ ..] => match world.repositories.get(&format!("{owner}/{name}")) {
            Some(repository) => (&repository.runs, rest),
            None => return Reply::not_found(),
        },
        _ => return Reply::not_found(),
    };
    let number = |text: &str| text.parse::<u64>().ok();
    let bytes = match rest {
        ["job", id] => runs
            .iter()
            .flat_map(|run| &run.jobs)
            .find(|job| number(id) == Some(job.id))
            .and_then(|j| j.log.clone()),
        ["run", id, attempt] => runs.iter().find(|run| number(id) == Some(run.id)).map(|run| {
            let attempt = attempt.parse().unwrap_or(run.attempt);
            archive(&run.jobs_at(attempt))
        }),
        _ => None,
    };
    match bytes {
        Some(body) => {
            Reply { body, headers: vec![("content-type", "text/plain".to_owned())], ..Reply::empty(200) }
        }
        None => Reply::not_found(),
    }
}

/// One log for each job and one for each of its steps, as GitHub packs them.
fn archive(jobs: &[&Job]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut put = |name: String, bytes: &[u8]| {
        let begun = zip.start_file(name, SimpleFileOptions::default());
        begun.is_ok() && zip.write_all(bytes).is_ok()
    };
    for (place, job) in jobs.iter().enumerate() {
        let log = job.log.as_deref().unwrap_or_default();
        put(format!("{place}_{}.txt", job.name), log);
        for (step, number) in job.steps.iter().zip(1..) {
            put(format!("{}/{number}_{}.txt", job.name, step.name), log);
        }
    }
    zip.finish().map(Cursor::into_inner).unwrap_or_default()
}
