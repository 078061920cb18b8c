//! SIGTERM and Ctrl-C: the first asks for an end, the second does not wait for it.

use std::{future::Future, io};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use crate::exit;

/// The wish to end.
pub(super) struct Stop {
    /// How often it was asked for.
    asked: watch::Receiver<u32>,
}

impl Stop {
    /// Listens to signals from now on.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn listen() -> io::Result<Stop> {
        let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let (tell, asked) = watch::channel(0);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = term.recv() => {}
                    _ = int.recv() => {}
                }
                tell.send_modify(|times| *times += 1);
            }
        });
        Ok(Stop { asked })
    }

    /// Ready once an end was asked for.
    pub(super) fn asked(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut asked = self.asked.clone();
        async move { drop(asked.wait_for(|times| *times > 0).await) }
    }

    /// Does the work; the exit code. Whoever asks twice for an end gets it at once: what was begun is on record.
    pub(super) async fn unless_pressed_again(&self, work: impl Future<Output = ()>) -> u8 {
        let mut asked = self.asked.clone();
        tokio::select! {
            () = work => exit::FINE,
            _ = asked.wait_for(|times| *times > 1) => exit::INTERRUPTED,
        }
    }
}
