//! Futures against time and a person's wish to end, and side by side.

use std::{
    future::poll_fn,
    task::{Poll, ready},
    time::Duration,
};

use crate::{gate::Gate, step::BoxFuture};

/// Why work was let go before its end.
pub(crate) enum Cut {
    /// Its time was over.
    TooLong,
    /// Somebody asked for an end, in these words.
    Stopped(String),
}

/// The answer, unless `limit` or somebody's wish to end comes first: the work is dropped then, and must end with that. It
/// is asked first.
pub(crate) async fn within<T>(
    gate: &dyn Gate,
    limit: Option<Duration>,
    mut work: BoxFuture<'_, T>,
) -> Result<T, Cut> {
    let mut stopped = gate.stopped();
    let mut clock = limit.map(|limit| gate.sleep(limit));
    poll_fn(|cx| {
        if let Poll::Ready(answer) = work.as_mut().poll(cx) {
            return Poll::Ready(Ok(answer));
        }
        if let Poll::Ready(why) = stopped.as_mut().poll(cx) {
            return Poll::Ready(Err(Cut::Stopped(why)));
        }
        match &mut clock {
            Some(clock) => {
                ready!(clock.as_mut().poll(cx));
                Poll::Ready(Err(Cut::TooLong))
            }
            None => Poll::Pending,
        }
    })
    .await
}

/// The first of `pending` that is ready, taken out; `None` once there is none left.
pub(crate) async fn first<T>(pending: &mut Vec<(usize, BoxFuture<'_, T>)>) -> Option<(usize, T)> {
    if pending.is_empty() {
        return None;
    }
    poll_fn(|cx| {
        for at in 0..pending.len() {
            if let Poll::Ready(answer) = pending[at].1.as_mut().poll(cx) {
                let (name, _ended) = pending.remove(at);
                return Poll::Ready(Some((name, answer)));
            }
        }
        Poll::Pending
    })
    .await
}
