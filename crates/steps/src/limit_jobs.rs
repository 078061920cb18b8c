//! `limit-jobs`: fewer things at once in the repeated command, so that they fit into memory together. Inert.

use std::{num::NonZero, sync::Arc, thread::available_parallelism};

use regreen_domain::Resource;
use regreen_saga::{ApplyError, Look, Refused, Resume, Seen, Step, Touch, Undo, UndoError};
use serde::{Deserialize, Serialize};

use crate::{added::Added, world::World};

/// The step.
pub(crate) struct LimitJobs(pub(crate) Arc<World>);

/// No arguments.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Args {}

/// What the repeated command gets.
#[derive(Serialize, Deserialize)]
pub(crate) struct Receipt {
    overlay: Added,
    /// What was done, in a clause.
    said: String,
}

/// Variables by which tools are told how much to do at once; each means something to its own tool only.
const VARIABLES: [&str; 10] = [
    // The Cargo Book, "Configuration", build.jobs; libtest's `--test-threads`.
    "CARGO_BUILD_JOBS",
    "RUST_TEST_THREADS",
    // CMake's "Environment Variables".
    "CMAKE_BUILD_PARALLEL_LEVEL",
    // node-gyp, `lib/build.js`.
    "npm_config_jobs",
    "JOBS",
    // PyTorch's C++ extensions, `torch/utils/cpp_extension.py`; pytest-xdist's `-n auto`; uv's "Environment variables".
    "MAX_JOBS",
    "PYTEST_XDIST_AUTO_NUM_WORKERS",
    "UV_CONCURRENT_BUILDS",
    // `go help build`, -p.
    "GOMAXPROCS",
    // `bundle config`, jobs.
    "BUNDLE_JOBS",
];

/// Half as many with each attempt.
fn fewer(jobs: usize, attempt: u32) -> Option<usize> {
    (jobs > 1).then(|| (jobs >> attempt.clamp(1, 16)).max(1))
}

impl Step for LimitJobs {
    const KIND: &'static str = "limit-jobs";
    const EXPLAIN: &'static str = "Lets the repeated command do half as much at once as the machine has processors (a quarter at the next attempt): compilers, test threads, native builds. A lower number that is set already stays.";
    const UNDO: Undo = Undo::Inert;
    const RESUME: Resume = Resume::Repeat;
    type Args = Args;
    /// At once now, and in the repeated command.
    type Before = (usize, usize);
    type Receipt = Receipt;

    async fn preflight(&self, _: &Look, _: &Args) -> Result<(usize, usize), Refused> {
        if self.0.cause.resource != Some(Resource::Memory) {
            return Err(Refused("it is not the machine's memory that ran out".to_owned()));
        }
        let set = |name: &&str| self.0.job.workspace.var(name)?.parse().ok();
        let jobs = VARIABLES.iter().find_map(set).unwrap_or(available_parallelism().map_or(1, NonZero::get));
        let to = fewer(jobs, self.0.attempt);
        to.map(|to| (jobs, to)).ok_or_else(|| Refused("it does one thing at a time already".to_owned()))
    }

    async fn apply(&self, _: &Touch, _: &Args, (from, to): &(usize, usize)) -> Result<Receipt, ApplyError> {
        let is_lower = |name: &&str| {
            self.0
                .job
                .workspace
                .var(name)
                .and_then(|set| set.parse().ok())
                .is_some_and(|set: usize| set <= *to)
        };
        let env = VARIABLES.iter().filter(|name| !is_lower(name));
        let env = env.map(|name| ((*name).to_owned(), to.to_string())).collect();
        let said = format!("let it do {to} at once in place of {from}");
        (self.0.progress)(&said);
        Ok(Receipt { overlay: Added { env, args: vec![] }, said })
    }

    async fn verify(&self, _: &Look, _: &Args, _: &Receipt) -> Result<Seen, Refused> {
        Ok(Seen::There)
    }

    async fn undo(
        &self,
        _: &Touch,
        _: &Args,
        _: &(usize, usize),
        _: Option<&Receipt>,
    ) -> Result<(), UndoError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::fewer;

    #[test]
    fn each_attempt_halves_down_to_one() {
        assert_eq!([1, 2, 3, 9].map(|attempt| fewer(8, attempt)), [Some(4), Some(2), Some(1), Some(1)]);
        assert_eq!(fewer(1, 1), None);
    }
}
