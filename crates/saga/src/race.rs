//! Futures against time, and side by side.

use std::{future::poll_fn, task::Poll, time::Duration};

use crate::{gate::Gate, step::BoxFuture};

/// The answer, or `None` where it did not come within `limit`: the work is dropped then, and must end with that. It is
/// asked first.
pub(crate) async fn within<T>(
    gate: &dyn Gate,
    limit: Option<Duration>,
    mut work: BoxFuture<'_, T>,
) -> Option<T> {
    let Some(limit) = limit else { return Some(work.await) };
    let mut clock = gate.sleep(limit);
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(answer) => Poll::Ready(Some(answer)),
        Poll::Pending => clock.as_mut().poll(cx).map(|()| None),
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
