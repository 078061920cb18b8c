//! GitHub, and GitHub Enterprise at an address of its own.
//!
//! Facts are from GitHub's REST API description (`@octokit/openapi`, version 2022-11-28) and its documentation,
//! <https://docs.github.com/en/rest>.

mod answers;
mod app;
mod caches;
mod change;
mod checks;
mod client;
mod credential;
mod git;
mod host;
mod issues;
mod limits;
mod logs;
mod owners;
mod refusal;
mod rerun;
mod runs;

use crate::calls::{api, sending};

pub use client::GitHub;
pub use credential::Credential;
pub(crate) use runs::is_of_its_head;
