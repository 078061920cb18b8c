//! The fault proxy: a small TCP proxy in front of the registries, because most faults are below HTTP.
//!
//! One request a connection: every answer says `Connection: close`, so a fault strikes exactly the request that
//! a rule names. Refusal is the kernel's own: while the registry is down its port stays bound, so that nobody
//! else gets it, but nothing listens.

mod conversation;
mod message;
mod verdict;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;

use crate::error::LabError;
use crate::script::{Fault, Script};
use verdict::ScriptInForce;

/// One request that reached the proxy. Refused connections leave no trace: the kernel answers them.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// `GET`, …
    pub method: String,
    /// The path, without query.
    pub path: String,
    /// What the proxy did.
    pub answer: Answer,
    /// When, since the lab started.
    pub at: Duration,
}

/// What a client got.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Answer {
    /// The registry's honest answer.
    Passed,
    /// A fault of the script.
    Faulted(Fault),
}

/// What the proxy's tasks and its owner share.
#[derive(Debug)]
pub(crate) struct Shared {
    upstream: SocketAddr,
    started: Instant,
    script: Mutex<ScriptInForce>,
    /// Tells the listener, and conversations that stall, that the script is another one.
    changed: watch::Sender<u64>,
    requests: Mutex<Vec<Request>>,
}

impl Shared {
    pub(crate) fn new(upstream: SocketAddr) -> Arc<Shared> {
        Arc::new(Shared {
            upstream,
            started: Instant::now(),
            script: Mutex::new(ScriptInForce::new(Script::sound())),
            changed: watch::Sender::new(0),
            requests: Mutex::new(Vec::new()),
        })
    }

    /// The version number of the script that is now in force.
    pub(crate) fn set_script(&self, script: Script) -> u64 {
        let mut in_force = locked(&self.script);
        *in_force = ScriptInForce::new(script);
        self.changed.send_modify(|version| *version += 1);
        *self.changed.borrow()
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        locked(&self.requests).clone()
    }

    pub(crate) fn forget_requests(&self) {
        locked(&self.requests).clear();
    }

    /// Which fault strikes this request; it is noted either way.
    fn strike(&self, method: &str, path: &str) -> Option<Fault> {
        let fault = locked(&self.script).strike(path);
        let answer = fault.map_or(Answer::Passed, Answer::Faulted);
        let at = self.started.elapsed();
        locked(&self.requests).push(Request { method: method.to_owned(), path: path.to_owned(), answer, at });
        fault
    }

    fn down_for(&self) -> Option<verdict::Down> {
        locked(&self.script).down()
    }
}

/// A lock whose holder panicked still guards sound data: every change here is one assignment or push.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A socket that holds the port and is either listening or refusing.
enum Door {
    Open(TcpListener),
    Shut(TcpSocket),
}

/// Binds the proxy's port; from the return on it listens.
pub(crate) fn open() -> Result<(TcpListener, SocketAddr), LabError> {
    loop {
        let listener = bound(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
            .and_then(|socket| socket.listen(BACKLOG))
            .map_err(LabError::server("listen"))?;
        let address = listener.local_addr().map_err(LabError::server("tell their port"))?;
        if !reads_as_status(address.port()) {
            return Ok((listener, address));
        }
    }
}

/// Whether a package manager takes the port for an answer. Bundler looks for `401` and `403` anywhere in an error's message, in
/// which the address stands too, and then says that a login is missing (`bundler/fetcher/index.rb` of 2.3).
fn reads_as_status(port: u16) -> bool {
    let port = port.to_string();
    port.contains("401") || port.contains("403")
}

/// Serves until the runtime ends. `settled` is told the version of the script that the door obeys.
pub(crate) async fn serve(
    listener: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
    settled: watch::Sender<u64>,
) {
    let mut changed = shared.changed.subscribe();
    let mut door = Door::Open(listener);
    loop {
        let version = *changed.borrow_and_update();
        let down = shared.down_for();
        door = match (door, down.is_some()) {
            (Door::Open(listener), true) => {
                drop(listener);
                match bound(address) {
                    Ok(socket) => Door::Shut(socket),
                    Err(_) => return,
                }
            }
            (Door::Shut(socket), false) => match socket.listen(BACKLOG) {
                Ok(listener) => Door::Open(listener),
                Err(_) => return,
            },
            (door, _) => door,
        };
        settled.send_replace(version);
        match &door {
            Door::Open(listener) => tokio::select! {
                accepted = listener.accept() => if let Ok((client, _)) = accepted {
                    tokio::spawn(conversation::hold(client, Arc::clone(&shared)));
                },
                _ = changed.changed() => {}
            },
            Door::Shut(_) => tokio::select! {
                () = verdict::over(down) => {}
                _ = changed.changed() => {}
            },
        }
    }
}

const BACKLOG: u32 = 128;

/// A socket that holds a loopback port without listening: connections to it are refused.
fn bound(address: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // The old connections of this very port may still be in TIME_WAIT.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::reads_as_status;

    #[test]
    fn a_port_that_reads_as_an_answer_is_not_taken() {
        for port in [40_132, 34_013, 4_403] {
            assert!(reads_as_status(port), "{port}");
        }
        assert!(!reads_as_status(41_003));
    }
}
