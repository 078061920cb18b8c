//! Somebody asks for an end while Regreen is at work. What only looks is let go; what acts is taken back; and who asks
//! twice gets an end at once, with the rest left to `regreen resume`.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context, Poll, Waker},
};

use regreen_domain::Outcome;
use regreen_ledger::Closing;
use regreen_process::interrupts::signal_name;
use regreen_steps::Rerun;

use crate::{
    error::EngineError,
    event::Event,
    handle::{Engine, now},
    state::State,
};

/// How far the handling of a failure is.
#[derive(Default)]
pub(crate) struct Progress {
    acting: AtomicBool,
    /// The incident that is open, and its owner.
    open: Mutex<Option<(String, String)>>,
}

/// While it lives, something may have been changed that is not yet kept or taken back.
pub(crate) struct Acting<'a>(&'a AtomicBool);

impl Drop for Acting<'_> {
    fn drop(&mut self) {
        self.0.store(false, SeqCst);
    }
}

impl Progress {
    /// From now on nothing may be let go.
    pub(crate) fn act(&self) -> Acting<'_> {
        self.acting.store(true, SeqCst);
        Acting(&self.acting)
    }

    /// Which incident is open.
    pub(crate) fn opened(&self, incident: &str, owner: &str) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((incident.to_owned(), owner.to_owned()));
    }

    /// None is.
    pub(crate) fn closed(&self) {
        self.take();
    }

    fn take(&self) -> Option<(String, String)> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The signal by which somebody has asked for an end already.
pub(crate) fn asked(rerun: &dyn Rerun) -> Option<i32> {
    match rerun.asked_to_end(1).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(signal) => Some(signal),
        Poll::Pending => None,
    }
}

/// Why something is ended, in words.
pub(crate) fn says(signal: i32) -> String {
    format!("ended by {}", signal_name(signal))
}

impl Engine {
    /// `work`, or an end where somebody asks for it and nothing has to be taken back first.
    pub(crate) async fn unless_asked_to_end<T>(
        &self,
        state: &State,
        rerun: &Arc<dyn Rerun>,
        progress: &Progress,
        work: impl Future<Output = Result<T, EngineError>>,
    ) -> Result<T, EngineError> {
        let let_go = {
            let mut work = pin!(work);
            let (mut once, mut twice) = (rerun.asked_to_end(1), rerun.asked_to_end(2));
            let mut asked = None;
            poll_fn(|cx| {
                if let Poll::Ready(done) = work.as_mut().poll(cx) {
                    return Poll::Ready(Ok(done));
                }
                let acting = progress.acting.load(SeqCst);
                if let Poll::Ready(signal) = twice.as_mut().poll(cx) {
                    return Poll::Ready(Err((signal, acting)));
                }
                if asked.is_none()
                    && let Poll::Ready(signal) = once.as_mut().poll(cx)
                {
                    asked = Some(signal);
                    if acting {
                        self.voice.tell(Event::Progress(&format!(
                            "{}: what was begun is taken back first; asked again, it goes at once",
                            signal_name(signal)
                        )));
                    }
                }
                match asked {
                    Some(signal) if !acting => Poll::Ready(Err((signal, false))),
                    // The run itself turns back.
                    _ => Poll::Pending,
                }
            })
            .await
        };
        let (signal, unfinished) = match let_go {
            Ok(done) => return done,
            Err(let_go) => let_go,
        };
        if let (Some((incident, owner)), false) = (progress.take(), unfinished) {
            // Nothing was done. If even that can't be recorded, the next run does it.
            if let Ok(ledger) = self.open_ledger(state).await {
                let closing = Closing::new(Outcome::LeftAlone);
                let _next_time = ledger.close(&incident, &owner, &closing, now()).await;
                ledger.close_file().await;
            }
        }
        Err(EngineError::Interrupted { signal, unfinished })
    }
}
