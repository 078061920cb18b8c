//! Signals that ask for an end while this process itself is at work, counted. While a [`crate::live`] run is going on
//! they are that run's, and are not counted here.

use std::io;

use rustix::process::Signal;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::JoinSet,
};

use crate::live::{ENDING, hand_ends_over, is_ignored, is_running};

/// Counts while it lives. From then on no such signal ends this process by itself.
#[derive(Debug)]
pub struct Interrupts {
    counted: watch::Receiver<(u32, i32)>,
    _listeners: JoinSet<()>,
}

impl Interrupts {
    /// Begins to listen. A signal that was ignored when this process was started (`nohup`) stays so.
    ///
    /// # Errors
    /// Where the system refuses to tell of signals.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O.
    pub fn listen() -> io::Result<Interrupts> {
        let (count, counted) = watch::channel((0, 0));
        let mut listeners = JoinSet::new();
        for kind in ENDING.into_iter().filter(|kind| !is_ignored(*kind)) {
            let number = kind.as_raw();
            let mut arrivals = signal(SignalKind::from_raw(number))?;
            let count = count.clone();
            listeners.spawn(async move {
                while arrivals.recv().await.is_some() {
                    if !is_running() {
                        count.send_modify(|(times, latest)| (*times, *latest) = (*times + 1, number));
                    }
                }
            });
        }
        hand_ends_over(true);
        Ok(Interrupts { counted, _listeners: listeners })
    }

    /// Ready once an end was asked for so often, with the number of the signal that did so last.
    pub async fn asked(&self, times: u32) -> i32 {
        let mut counted = self.counted.clone();
        let signal = counted.wait_for(|(so_far, _)| *so_far >= times).await.ok().map(|reached| reached.1);
        match signal {
            Some(signal) => signal,
            // Nobody listens any more, so nobody can ask.
            None => std::future::pending().await,
        }
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        hand_ends_over(false);
    }
}

/// The name of a signal that asks for an end, e.g. `SIGTERM`.
pub fn signal_name(number: i32) -> &'static str {
    match Signal::from_named_raw(number) {
        Some(Signal::INT) => "SIGINT",
        Some(Signal::TERM) => "SIGTERM",
        Some(Signal::HUP) => "SIGHUP",
        Some(Signal::QUIT) => "SIGQUIT",
        _ => "a signal",
    }
}
