//! The client for GitLab against the stand-in of `crates/lab`, which was made from GitLab's documentation: what it does, what
//! it refuses, and what it makes of trouble.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod changes;
mod members;
mod notes;
mod reads;
mod retries;
mod trouble;
mod variables;

use std::time::Duration;

use regreen_forge::{
    Backoff, Bounds, Diagnosed, GitLab, JobRef, Marker, Options, Repository, RunRef, Secret,
};
use regreen_lab::forge::gitlab;

/// The project that all tests ask about.
const NAME: &str = "garden/tools/rake";

/// A stand-in with that project, and a client for it.
fn stage() -> (gitlab::GitLab, GitLab) {
    let host = gitlab::GitLab::start().unwrap();
    host.world().token = Some("glpat-test".to_owned());
    host.world().add(NAME, &[("package-lock.json", b"good\n"), ("src/a.js", b"1\n")]);
    let client = client(&host.url());
    (host, client)
}

fn client(url: &str) -> GitLab {
    GitLab::new(url, Some(Secret::new("glpat-test")), options()).unwrap()
}

/// As usual, but impatient.
fn options() -> Options {
    Options {
        backoff: Backoff { base: Duration::from_millis(2), most: Duration::from_millis(8), tries: 4 },
        bounds: Bounds { log: 1 << 20, ..Bounds::default() },
        limit: Duration::from_secs(20),
        ..Options::default()
    }
}

fn repository() -> Repository {
    Repository::parse(NAME).unwrap()
}

fn run_ref(run_id: u64) -> RunRef {
    RunRef { repository: repository(), run_id }
}

fn job_ref(job_id: u64) -> JobRef {
    JobRef { repository: repository(), job_id }
}

fn marker(text: &str) -> Marker {
    Marker::parse(text).unwrap()
}

/// The pipeline at its first attempt.
fn diagnosed(host: &gitlab::GitLab, pipeline: u64) -> Diagnosed {
    let head_sha = host.world().pipeline(NAME, pipeline).unwrap().sha.clone();
    Diagnosed { run: run_ref(pipeline), head_sha, attempt: 1 }
}
