//! Pipelines, jobs and traces.

use serde_json::{Value, json};

use super::{
    Pipeline, World,
    route::{not_found, says},
    shown,
};
use crate::forge::route::{Asked, Reply};

pub(super) fn answer(world: &mut World, path: &str, asked: &Asked, rest: &[&str]) -> Reply {
    let (new_id, login, shown_as) = (world.new_id(), world.login.clone(), world.shown_as.clone());
    let traces_at = world.traces_at.clone();
    let Some(project) = world.projects.get_mut(path) else { return not_found("Project") };
    let own = project.id;
    let id = rest.get(1).and_then(|id| id.parse::<u64>().ok());
    let list = |listed: Vec<Value>| asked.page_at(&shown_as, listed, |_, page| Value::Array(page));
    match (asked.method.as_str(), rest) {
        ("POST", ["pipeline"]) => {
            let variables = asked.body.get("variables").cloned().unwrap_or_default().to_string();
            project.started.push((asked.text("ref"), variables));
            Reply::json(201, json!({ "id": new_id, "status": "created", "ref": asked.text("ref") }))
        }
        // With those that were retried.
        ("GET", ["jobs"]) => {
            let wanted = asked.query("scope[]");
            let mut jobs: Vec<(&Pipeline, &super::Job)> =
                project.pipelines.iter().flat_map(|of| of.jobs.iter().map(move |job| (of, job))).collect();
            jobs.retain(|(_, job)| wanted.is_none_or(|wanted| wanted == job.status));
            jobs.sort_by_key(|(_, job)| std::cmp::Reverse(job.id));
            list(jobs.into_iter().map(|(of, job)| shown::job(path, own, of, job)).collect())
        }
        (method, ["jobs", _, rest @ ..]) => {
            let found = project.pipelines.iter_mut().find(|of| of.jobs.iter().any(|job| Some(job.id) == id));
            let (Some(pipeline), Some(id)) = (found, id) else { return not_found("Job") };
            let Some(job) = pipeline.jobs.iter().find(|job| job.id == id) else { return not_found("Job") };
            match (method, rest) {
                ("GET", []) => Reply::json(200, shown::job(path, own, pipeline, job)),
                ("GET", ["trace"]) => match traces_at {
                    Some(at) => {
                        let to = format!("{at}/_traces/{}/{id}?sig=secret", path.replace('/', "%2F"));
                        Reply { headers: vec![("location", to)], ..Reply::empty(302) }
                    }
                    None => text(job.trace.clone()),
                },
                ("POST", ["retry"]) => {
                    if !pipeline.retry(id, new_id, &login) {
                        return says(403, "403 Forbidden - Job is not retryable");
                    }
                    match pipeline.jobs.last() {
                        Some(job) => Reply::json(201, shown::job(path, own, pipeline, job)),
                        None => not_found("Job"),
                    }
                }
                _ => not_found("Job"),
            }
        }
        (method, ["pipelines", _, rest @ ..]) => {
            let Some(pipeline) = project.pipelines.iter_mut().find(|of| Some(of.id) == id) else {
                return not_found("Pipeline");
            };
            match (method, rest) {
                ("GET", []) => Reply::json(200, shown::pipeline(path, own, pipeline)),
                ("GET", ["jobs"]) => {
                    let all = asked.query("include_retried") == Some("true");
                    let mut jobs: Vec<&super::Job> =
                        pipeline.jobs.iter().filter(|job| all || !job.retried).collect();
                    jobs.sort_by_key(|job| std::cmp::Reverse(job.id));
                    list(jobs.into_iter().map(|job| shown::job(path, own, pipeline, job)).collect())
                }
                ("GET", ["bridges"]) => list(
                    pipeline
                        .bridges
                        .iter()
                        .map(|bridge| shown::bridge(path, own, pipeline, bridge))
                        .collect(),
                ),
                // It answers so whatever it could cancel.
                ("POST", ["cancel"]) => {
                    pipeline.finish("canceled");
                    Reply::json(200, shown::pipeline(path, own, pipeline))
                }
                _ => not_found("Pipeline"),
            }
        }
        _ => not_found("Resource"),
    }
}

/// What lies where traces lie.
pub(super) fn stored(world: &World, asked: &Asked) -> Reply {
    let parts: Vec<&str> = asked.parts.iter().map(String::as_str).collect();
    let ["_traces", path, id] = parts.as_slice() else { return not_found("Trace") };
    let id = id.parse::<u64>().ok();
    let pipelines = world.projects.get(*path).map(|project| &project.pipelines);
    let mut jobs = pipelines.into_iter().flatten().flat_map(|of| &of.jobs);
    match jobs.find(|job| Some(job.id) == id) {
        Some(job) => text(job.trace.clone()),
        None => not_found("Trace"),
    }
}

fn text(body: Vec<u8>) -> Reply {
    Reply { body, headers: vec![("content-type", "text/plain".to_owned())], ..Reply::empty(200) }
}
