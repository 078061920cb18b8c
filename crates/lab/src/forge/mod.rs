//! A stand-in for GitHub's API, on the loopback interface: it keeps state, counts what was done to it, and fails on demand.
//!
//! What it answers are GitHub's own examples (`examples.json`, from its OpenAPI description, cut down to the fields that
//! the schema requires) with the facts of its [`World`] put in; the contract test of `crates/forge` holds both sides
//! against that description.

mod actions;
mod fault;
mod git;
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

/// A running stand-in. It stops when it is dropped.
#[derive(Debug)]
pub struct GitHub {
    address: SocketAddr,
    world: Arc<Mutex<World>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl GitHub {
    /// Starts it at a free port.
    ///
    /// # Errors
    /// Where the loopback interface can't be listened at.
    pub fn start() -> Result<GitHub, LabError> {
        let failed = |source| LabError::Server { doing: "listen", source };
        let listener = TcpListener::bind("127.0.0.1:0").map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let world = World { shown_as: format!("http://{address}"), ..World::default() };
        let world = Arc::new(Mutex::new(world));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let router = Router::new()
            .fallback(route::answer)
            .with_state(State { world: Arc::clone(&world), own: format!("http://{address}") });
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
        Ok(GitHub { address, world, stop: Some(stop), thread: Some(thread) })
    }

    /// The address of its API.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it knows and what was done to it; nothing is answered meanwhile.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for GitHub {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

#[derive(Debug, Clone)]
struct State {
    world: Arc<Mutex<World>>,
    /// Where logs lie, whatever stands before the API.
    own: String,
}
