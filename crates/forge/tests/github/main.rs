//! The client for GitHub against the stand-in of `crates/lab`: what it does, what it refuses, and what it makes of trouble.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod changes;
mod contract;
mod credentials;
mod enterprise;
mod hostile;
mod notes;
mod reads;
mod reruns;
mod trouble;

use std::time::Duration;

use regreen_forge::{
    Backoff, Bounds, Credential, Diagnosed, GitHub, JobRef, Marker, Options, Repository, RunRef, Secret,
};
use regreen_lab::forge;

/// The repository that all tests ask about.
const NAME: &str = "octo-org/hello";

/// A stand-in with that repository, and a client for it.
fn stage() -> (forge::GitHub, GitHub) {
    stage_of(forge::GitHub::start().unwrap())
}

fn stage_of(host: forge::GitHub) -> (forge::GitHub, GitHub) {
    host.world().add(NAME, &[("package-lock.json", b"good\n"), ("src/a.js", b"1\n")]);
    let client = client(&host.url());
    (host, client)
}

fn client(url: &str) -> GitHub {
    GitHub::new(url, Credential::Token(Secret::new("ghp_test")), options()).unwrap()
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

/// The run as it stands at the stand-in.
fn diagnosed(host: &forge::GitHub, run: u64) -> Diagnosed {
    let world = host.world();
    let found = world.repositories[NAME].runs.iter().find(|r| r.id == run).unwrap();
    Diagnosed { run: run_ref(run), head_sha: found.head_sha.clone(), attempt: found.attempt }
}
