//! GitLab, hosted or self-managed, by its REST API (v4).
//!
//! Facts are from GitLab's documentation, <https://docs.gitlab.com/api/rest/> and the pages below it (jobs, pipelines,
//! issues, notes, commits, commit statuses, merge requests, projects), and where that is silent from its source
//! (`lib/api/ci`, `app/services/ci/retry_job_service.rb`, `app/models/ci/processable.rb`). GitLab publishes no collection
//! of example payloads, and this client has met the stand-in of `crates/lab` only, which was made from the same pages.
//!
//! What the words of the port mean here:
//!
//! - A *run* is a pipeline. A job that is retried is a new job of the same pipeline; GitLab counts no attempts, so they are
//!   made out from the jobs ([`attempts`]).
//! - *The failed jobs once more* is `POST /jobs/:id/retry` for each of them, not `POST /pipelines/:id/retry`: a job's id
//!   names the very try that was diagnosed, and GitLab refuses to retry one that was retried already. So the host itself
//!   keeps "at most once for what was diagnosed", whatever is sent twice or late. The pipeline's retry would also start what
//!   failed since, what somebody cancelled, and what may fail.
//! - A job that failed and may (`allow_failure`) did not make the pipeline fail: it is *neutral*, neither diagnosed nor
//!   repeated.
//! - A trigger job (bridge) that failed stands for a pipeline elsewhere: it counts as failed, has no log, and so keeps the
//!   others from running again. A downstream pipeline is part of another: what goes on after it is not seen from here.
//! - A merge request's pipeline is a fork's where the request's source is another project.
//! - The host's word beside the log is the job's `failure_reason`.
//! - A verdict beside a commit is a commit status. It counts in the pipeline like a job.
//! - People command by notes on issues and merge requests. Who may is asked of the members API each time ([`members`]).
//! - Caches can't be listed or deleted by the API; a CI/CD variable that their key is made with can be counted up ([`variables`]).

mod answers;
mod attempts;
mod change;
mod client;
mod files;
mod host;
mod issues;
mod limits;
mod logs;
mod members;
mod notes;
mod owners;
mod pipelines;
mod reasons;
mod refusal;
mod retry;
mod statuses;
mod variables;

pub use client::GitLab;
pub use variables::{Counted, NotACount, Variable};
