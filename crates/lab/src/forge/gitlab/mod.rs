//! A stand-in for GitLab's REST API (v4): it keeps state, counts what was done to it, and fails on demand.
//!
//! It was made from GitLab's documentation (<https://docs.gitlab.com/api/rest/>), and where that is silent from its source;
//! its payloads are written by hand, with the documentation's field names and forms: GitLab publishes no collection of
//! examples. What it does about a retry is what `app/services/ci/retry_job_service.rb` and `Ci::Processable#retryable?` do.
//! It was never held against a real GitLab.

mod members;
mod pipelines;
mod repository;
mod route;
mod shown;
mod social;
mod variables;
mod world;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;

use super::Served;
use crate::LabError;

pub use members::{Account, Member};
pub use repository::MergeRequest;
pub use social::{Issue, Note, Status};
pub use variables::Variable;
pub use world::{Bridge, Job, Pipeline, Project, Quota, World};

/// A running stand-in. It stops when it is dropped.
#[derive(Debug)]
pub struct GitLab {
    world: Arc<Mutex<World>>,
    served: Served,
}

impl GitLab {
    /// Starts it at a free port.
    ///
    /// # Errors
    /// Where the loopback interface can't be listened at.
    pub fn start() -> Result<GitLab, LabError> {
        let world = Arc::new(Mutex::new(World::default()));
        let served = Served::start(|address| {
            let mut made = world.lock().unwrap_or_else(PoisonError::into_inner);
            made.shown_as = format!("http://{address}");
            Router::new().fallback(route::answer).with_state(Arc::clone(&world))
        })?;
        Ok(GitLab { world, served })
    }

    /// Its address; the API is below it.
    pub fn url(&self) -> String {
        format!("http://{}", self.served.address)
    }

    /// What it knows and what was done to it; nothing is answered meanwhile.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
