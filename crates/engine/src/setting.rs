//! Where this happens, read from what the CI system says of itself in the environment.

use std::{fs, io::Read};

use regreen_decide::Setting;
use regreen_ledger::Place;
use regreen_tools::{Job, Workspace, adapter::speaks_of_deploying, git};
use serde_json::Value;

use crate::config::Config;

/// Variables by which CI systems name the job, the stage or the environment.
const JOB_NAMES: [&str; 9] = [
    "GITHUB_JOB",
    "GITHUB_WORKFLOW",
    "CI_JOB_NAME",
    "CI_JOB_STAGE",
    "CI_ENVIRONMENT_NAME",
    "JOB_NAME",
    "BUILDKITE_LABEL",
    "CIRCLE_JOB",
    "SYSTEM_JOBDISPLAYNAME",
];

/// The setting of a job; `paths` are the files that a playbook of its tool may write.
pub async fn setting(job: &Job, config: &Config, paths: Vec<String>) -> Setting {
    let ws = &job.workspace;
    let mut clean = Some(true);
    for path in &paths {
        clean = match regreen_domain::RelPath::parse(path) {
            Some(path) => match (clean, git::is_clean(ws, &path).await) {
                (Some(all), Some(this)) => Some(all && this),
                _ => None,
            },
            None => None,
        };
    }
    Setting {
        in_ci: ws.in_ci(),
        untrusted_fork: is_fork(ws),
        deploys: JOB_NAMES.iter().filter_map(|n| ws.var(n)).any(speaks_of_deploying),
        yes: config.yes,
        rerun_always: config.rerun_always,
        files_clean: clean,
        paths,
    }
}

/// Which repository, commit and job an incident belongs to.
pub async fn place(job: &Job, run: &str) -> Place {
    let ws = &job.workspace;
    let in_job =
        ["GITHUB_JOB", "CI_JOB_NAME", "JOB_NAME", "BUILDKITE_LABEL", "CIRCLE_JOB", "SYSTEM_JOBDISPLAYNAME"];
    let named = in_job.iter().find_map(|n| ws.var(n)).filter(|_| ws.in_ci()).map(str::to_owned);
    Place {
        workspace: ws.root.display().to_string(),
        repository: Some(git::repository(ws).await),
        commit: git::head(ws).await,
        // A person at a laptop starts a command as often as they like: each start is a job of its own.
        job: Some(named.unwrap_or_else(|| run.to_owned())),
    }
}

/// Whether this is a pull request from a fork, by the CI system's own word. Where it can't be told, it is.
fn is_fork(ws: &Workspace) -> bool {
    let differ = |a: &str, b: &str| matches!((ws.var(a), ws.var(b)), (Some(a), Some(b)) if a != b);
    if ws.var("GITHUB_EVENT_NAME").is_some_and(|e| e.starts_with("pull_request")) {
        return match event(ws) {
            Some(event) => {
                let name = |side| event.pointer(&format!("/pull_request/{side}/repo/full_name"))?.as_str();
                name("head").is_none() || name("head") != name("base")
            }
            None => true,
        };
    }
    differ("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "CI_MERGE_REQUEST_PROJECT_ID")
        || (ws.var("TRAVIS_PULL_REQUEST").is_some_and(|v| v != "false")
            && differ("TRAVIS_PULL_REQUEST_SLUG", "TRAVIS_REPO_SLUG"))
        || (ws.var("BUILDKITE_PULL_REQUEST").is_some_and(|v| v != "false")
            && differ("BUILDKITE_PULL_REQUEST_REPO", "BUILDKITE_REPO"))
        || ws.var("SYSTEM_PULLREQUEST_ISFORK").is_some_and(|v| v.eq_ignore_ascii_case("true"))
        || ws.var("CIRCLE_PR_USERNAME").is_some()
        || ws.var("CHANGE_FORK").is_some()
}

fn event(ws: &Workspace) -> Option<Value> {
    let mut text = String::new();
    fs::File::open(ws.var("GITHUB_EVENT_PATH")?).ok()?.take(16 << 20).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}
