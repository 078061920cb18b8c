//! Where this happens, read from what the CI system says of itself in the environment.

use regreen_decide::Setting;
use regreen_ledger::Place;
use regreen_tools::{Job, adapter::speaks_of_deploying, git, git_clean, pull_request};

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

/// The setting of a job; `paths` is its tool's lockfile, and `declared` are other files that playbooks may write.
pub async fn setting(job: &Job, config: &Config, paths: Vec<String>, declared: &[String]) -> Setting {
    let ws = &job.workspace;
    let mut clean = Some(true);
    for path in &paths {
        clean = match regreen_domain::RelPath::parse(path) {
            Some(path) => match (clean, git_clean::is_clean(ws, &path).await) {
                (Some(all), Some(this)) => Some(all && this),
                _ => None,
            },
            None => None,
        };
    }
    let mut unclean = Vec::new();
    for path in declared {
        let is_clean = match regreen_domain::RelPath::parse(path) {
            Some(path) => git_clean::is_clean(ws, &path).await == Some(true),
            None => false,
        };
        if !is_clean {
            unclean.push(path.clone());
        }
    }
    Setting {
        in_ci: ws.in_ci(),
        untrusted_fork: pull_request(ws).is_some_and(|p| p.foreign),
        deploys: JOB_NAMES.iter().filter_map(|n| ws.var(n)).any(speaks_of_deploying),
        yes: config.yes,
        rerun_always: config.rerun_always,
        whole_job: false,
        files_clean: clean,
        paths,
        unclean,
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
