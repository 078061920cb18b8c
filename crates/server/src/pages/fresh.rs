//! What is counted from many incidents: by one at a time, and anew only where it is too old. Nobody waits for a count but at
//! the beginning: while one is made, the last one is shown.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

/// For so long a count is shown, in milliseconds.
const KEPT: i64 = 30_000;
/// For so long it is shown while it is counted anew.
const STALE: i64 = 600_000;

type Counted<T> = (i64, Arc<T>);

/// A count, and who makes the next one.
pub(super) struct Fresh<T>(Arc<Inner<T>>);

struct Inner<T> {
    last: Mutex<Option<Counted<T>>>,
    counting: Arc<tokio::sync::Mutex<()>>,
}

impl<T> Default for Fresh<T> {
    fn default() -> Fresh<T> {
        Fresh(Arc::new(Inner { last: Mutex::new(None), counting: Arc::default() }))
    }
}

impl<T: Send + Sync + 'static> Fresh<T> {
    /// The count, made by `count` where the last one is too old. Where that can still be shown, it is, and a count that fails
    /// is made again by who asks next.
    pub(super) async fn get<E: Send>(
        &self,
        now: i64,
        count: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<Arc<T>, E> {
        let inner = &self.0;
        if let Some(kept) = inner.within(now, KEPT) {
            return Ok(kept);
        }
        if let Some(old) = inner.within(now, STALE) {
            if let Ok(mine) = inner.counting.clone().try_lock_owned() {
                let inner = inner.clone();
                tokio::spawn(async move {
                    if let Ok(counted) = count.await {
                        inner.keep(now, Arc::new(counted));
                    }
                    drop(mine);
                });
            }
            return Ok(old);
        }
        let _one_counts = inner.counting.lock().await;
        if let Some(kept) = inner.within(now, KEPT) {
            return Ok(kept);
        }
        let counted = Arc::new(count.await?);
        inner.keep(now, counted.clone());
        Ok(counted)
    }
}

impl<T> Inner<T> {
    fn keep(&self, now: i64, counted: Arc<T>) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, counted));
    }

    fn within(&self, now: i64, age: i64) -> Option<Arc<T>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|(at, _)| (0..age).contains(&now.saturating_sub(*at))).map(|(_, of)| of.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::{sync::oneshot, task::yield_now};

    use super::*;

    #[tokio::test]
    async fn one_counts_for_all_and_an_old_count_is_shown_meanwhile() {
        let (fresh, counts) = (Fresh::<u32>::default(), Arc::new(AtomicU32::new(0)));
        let get = async |now| {
            let counts = counts.clone();
            let next = async move {
                yield_now().await;
                Ok::<_, ()>(counts.fetch_add(1, Ordering::SeqCst) + 1)
            };
            *fresh.get(now, next).await.unwrap()
        };
        let all = tokio::join!(get(0), get(0), get(1), get(KEPT - 1));
        assert_eq!(all, (1, 1, 1, 1), "one count, whoever asks meanwhile");
        assert_eq!(get(-1).await, 2, "of a clock that was set back");
        let (go, wait) = oneshot::channel::<()>();
        let counted = counts.clone();
        let slow = async move {
            wait.await.unwrap();
            Ok::<_, ()>(counted.fetch_add(1, Ordering::SeqCst) + 1)
        };
        assert_eq!(*fresh.get(KEPT, slow).await.unwrap(), 2, "nobody waits where there is one");
        assert_eq!((get(KEPT).await, get(KEPT + 1).await), (2, 2), "and nobody else counts");
        go.send(()).unwrap();
        while get(KEPT).await == 2 {
            yield_now().await;
        }
        assert_eq!((get(KEPT).await, counts.load(Ordering::SeqCst)), (3, 3));
        // Too old to be shown: whoever asks waits, and is told what went wrong; who failed holds nobody up.
        let late = KEPT + STALE;
        assert_eq!(fresh.get(late, async { Err::<u32, _>("away") }).await, Err("away"));
        assert_eq!(get(late).await, 4);
    }
}
