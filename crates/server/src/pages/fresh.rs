//! What is counted from many incidents: by one at a time, and anew only where it is too old.

use std::sync::{Arc, Mutex, PoisonError};

/// For so long a count is shown, in milliseconds.
const KEPT: i64 = 30_000;
/// For so long it is shown while somebody counts anew: nobody waits for another's count but at the beginning.
const STALE: i64 = 600_000;

type Counted<T> = (i64, Arc<T>);

/// A count, and who makes the next one.
pub(super) struct Fresh<T> {
    last: Mutex<Option<Counted<T>>>,
    counting: tokio::sync::Mutex<()>,
}

impl<T> Default for Fresh<T> {
    fn default() -> Fresh<T> {
        Fresh { last: Mutex::new(None), counting: tokio::sync::Mutex::new(()) }
    }
}

impl<T> Fresh<T> {
    /// The count, made by `count` where the last one is too old.
    pub(super) async fn get<E>(
        &self,
        now: i64,
        count: impl AsyncFnOnce() -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        if let Some(kept) = self.within(now, KEPT) {
            return Ok(kept);
        }
        let _one_counts = match self.counting.try_lock() {
            Ok(mine) => mine,
            Err(_) => {
                if let Some(kept) = self.within(now, STALE) {
                    return Ok(kept);
                }
                let mine = self.counting.lock().await;
                if let Some(kept) = self.within(now, KEPT) {
                    return Ok(kept);
                }
                mine
            }
        };
        let counted = Arc::new(count().await?);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, counted.clone()));
        Ok(counted)
    }

    fn within(&self, now: i64, age: i64) -> Option<Arc<T>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|(at, _)| (0..age).contains(&now.saturating_sub(*at))).map(|(_, of)| of.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn one_counts_for_all_and_an_old_count_is_shown_meanwhile() {
        let (fresh, counts) = (Arc::new(Fresh::<u32>::default()), Arc::new(AtomicU32::new(0)));
        let get = async |now| {
            let next = async || Ok::<_, ()>(counts.fetch_add(1, Ordering::SeqCst) + 1);
            *fresh.get(now, next).await.unwrap()
        };
        let all = tokio::join!(get(0), get(0), get(1), get(KEPT - 1));
        assert_eq!(all, (1, 1, 1, 1), "one count, whoever asks meanwhile");
        assert_eq!((get(KEPT).await, get(-1).await), (2, 3), "too old, or of a clock that was set back");
        let (go, wait) = oneshot::channel::<()>();
        let (slow, counted) = (fresh.clone(), counts.clone());
        let counting = tokio::spawn(async move {
            let slowly = async || {
                wait.await.unwrap();
                Ok::<_, ()>(counted.fetch_add(1, Ordering::SeqCst) + 1)
            };
            *slow.get(2 * KEPT, slowly).await.unwrap()
        });
        tokio::task::yield_now().await;
        assert_eq!(get(2 * KEPT).await, 3, "the old one is shown");
        go.send(()).unwrap();
        assert_eq!((counting.await.unwrap(), get(2 * KEPT).await), (4, 4));
        assert_eq!(fresh.get(9 * KEPT, async || Err::<u32, _>("away")).await, Err("away"));
        assert_eq!(get(9 * KEPT).await, 5, "who failed holds nobody up");
    }
}
