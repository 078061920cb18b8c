//! Stand-ins for the APIs of GitHub and ([`gitlab`]) GitLab, on the loopback interface: they keep state, count what was done
//! to them, and fail on demand.
//!
//! What GitHub's answers are GitHub's own examples (`examples.json`, from its OpenAPI description, cut down to the fields that
//! the schema requires) with the facts of its [`World`] put in; the contract test of `crates/forge` holds both sides
//! against that description.

mod actions;
mod fault;
mod git;
pub mod gitlab;
mod route;
mod sample;
mod social;
mod world;

use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
};

use axum::Router;
use tokio::sync::oneshot;

use crate::LabError;

pub use fault::{Trouble, What};
pub use git::{Pull, Tree};
pub use social::{Check, Comment, Issue};
pub use world::{Cache, Call, Job, Quota, Repository, Run, Step, World};

/// What a job printed that lost its network.
pub const NETWORK_LOSS: &str = "\
2026-11-29T09:00:01.0000000Z ##[group]Run npm ci
2026-11-29T09:00:01.1000000Z npm ci
2026-11-29T09:00:01.3000000Z ##[endgroup]
2026-11-29T09:03:20.0000000Z npm error code ECONNRESET
2026-11-29T09:03:20.1000000Z npm error network request to https://registry.npmjs.org/left-pad/-/left-pad-1.3.0.tgz failed, reason: read ECONNRESET
2026-11-29T09:03:20.2000000Z npm error network This is a problem related to network connectivity.
2026-11-29T09:03:20.5000000Z ##[error]Process completed with exit code 1.
";

/// A server on the loopback interface. It stops when it is dropped.
#[derive(Debug)]
struct Served {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    /// At a free port; what is served is made once its address is known.
    fn start(router: impl FnOnce(SocketAddr) -> Router) -> Result<Served, LabError> {
        let failed = |source| LabError::Server { doing: "listen", source };
        let listener = TcpListener::bind("127.0.0.1:0").map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let router = router(address);
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
                tokio::select! {
                    _ = std::future::IntoFuture::into_future(axum::serve(listener, router)) => {}
                    _ = stopped => {}
                }
            });
            // Calls that hang on purpose are not waited for.
            runtime.shutdown_background();
        });
        Ok(Served { address, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

/// A running stand-in for GitHub. It stops when it is dropped.
#[derive(Debug)]
pub struct GitHub {
    world: Arc<Mutex<World>>,
    served: Served,
    below: &'static str,
}

impl GitHub {
    /// Starts it at a free port.
    ///
    /// # Errors
    /// Where the loopback interface can't be listened at.
    pub fn start() -> Result<GitHub, LabError> {
        GitHub::start_below("")
    }

    /// As [`GitHub::start`], its API below this path and nowhere else: `/api/v3`, as at a GitHub Enterprise Server. Logs lie
    /// elsewhere.
    ///
    /// # Errors
    /// As [`GitHub::start`].
    pub fn start_below(below: &'static str) -> Result<GitHub, LabError> {
        let world = Arc::new(Mutex::new(World::default()));
        let served = Served::start(|address| {
            let own = format!("http://{address}");
            world.lock().unwrap_or_else(PoisonError::into_inner).shown_as = format!("{own}{below}");
            let state = State { world: Arc::clone(&world), own, below };
            Router::new().fallback(route::answer).with_state(state)
        })?;
        Ok(GitHub { world, served, below })
    }

    /// The address of its API.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.served.address, self.below)
    }

    /// What it knows and what was done to it; nothing is answered meanwhile.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Clone)]
struct State {
    world: Arc<Mutex<World>>,
    /// Where logs lie, whatever stands before the API.
    own: String,
    /// Where the API lies.
    below: &'static str,
}
