//! What is counted from many incidents: by one at a time, and anew only where it is too old.

use std::sync::{Arc, Mutex, PoisonError};

use regreen_ledger::LedgerError;

use crate::memory::chain;

/// For so long a count is shown, in milliseconds.
const KEPT: i64 = 30_000;
/// For so long it is shown while somebody counts anew: nobody waits for another's count but at the beginning.
const STALE: i64 = 600_000;

type Counted<T> = (i64, Arc<T>);

/// A count, and who makes the next one.
pub(super) struct Fresh<T>(Arc<Inner<T>>);

struct Inner<T> {
    last: Mutex<Option<Counted<T>>>,
    /// How many counts have failed, and why the last one did.
    failed: Mutex<(u64, String)>,
    counting: Arc<tokio::sync::Mutex<()>>,
}

impl<T> Default for Fresh<T> {
    fn default() -> Fresh<T> {
        Fresh(Arc::new(Inner { last: Mutex::default(), failed: Mutex::default(), counting: Arc::default() }))
    }
}

impl<T: Send + Sync + 'static> Fresh<T> {
    /// The count, made by `count` where the last one is too old. It is made to its end also where nobody waits for it any more;
    /// and whoever waited for one that failed is told so, and does not try the same once more.
    pub(super) async fn get(
        &self,
        now: i64,
        count: impl Future<Output = Result<T, LedgerError>> + Send + 'static,
    ) -> Result<Arc<T>, LedgerError> {
        let kept = &self.0;
        if let Some(kept) = kept.within(now, KEPT) {
            return Ok(kept);
        }
        let mine = match kept.counting.clone().try_lock_owned() {
            Ok(mine) => mine,
            Err(_) => {
                if let Some(kept) = kept.within(now, STALE) {
                    return Ok(kept);
                }
                let before = kept.failures().0;
                let mine = kept.counting.clone().lock_owned().await;
                if let Some(kept) = kept.within(now, KEPT) {
                    return Ok(kept);
                }
                let (failures, why) = kept.failures();
                if failures != before {
                    return Err(LedgerError::Unreachable { place: None, why });
                }
                mine
            }
        };
        let kept = self.0.clone();
        let counting = tokio::spawn(async move {
            let _one_counts = mine;
            let counted = count.await.map(Arc::new);
            kept.put(now, &counted);
            counted
        });
        let stopped =
            |e: tokio::task::JoinError| LedgerError::Unreachable { place: None, why: e.to_string() };
        counting.await.unwrap_or_else(|e| Err(stopped(e)))
    }
}

impl<T> Inner<T> {
    fn within(&self, now: i64, age: i64) -> Option<Arc<T>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|(at, _)| (0..age).contains(&now.saturating_sub(*at))).map(|(_, of)| of.clone())
    }

    fn failures(&self) -> (u64, String) {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, now: i64, counted: &Result<Arc<T>, LedgerError>) {
        match counted {
            Ok(counted) => {
                *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, counted.clone()));
            }
            Err(e) => {
                let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
                *failed = (failed.0 + 1, chain(e));
            }
        }
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
            let counts = counts.clone();
            *fresh.get(now, async move { Ok(counts.fetch_add(1, Ordering::SeqCst) + 1) }).await.unwrap()
        };
        let all = tokio::join!(get(0), get(0), get(1), get(KEPT - 1));
        assert_eq!(all, (1, 1, 1, 1), "one count, whoever asks meanwhile");
        assert_eq!((get(KEPT).await, get(-1).await), (2, 3), "too old, or of a clock that was set back");
        let (go, wait) = oneshot::channel::<()>();
        let (slow, counted) = (fresh.clone(), counts.clone());
        let counting = tokio::spawn(async move {
            let slowly = async move {
                wait.await.unwrap();
                Ok(counted.fetch_add(1, Ordering::SeqCst) + 1)
            };
            *slow.get(2 * KEPT, slowly).await.unwrap()
        });
        tokio::task::yield_now().await;
        assert_eq!(get(2 * KEPT).await, 3, "the old one is shown");
        go.send(()).unwrap();
        assert_eq!((counting.await.unwrap(), get(2 * KEPT).await), (4, 4));
        let away = || LedgerError::Unreachable { place: None, why: "away".to_owned() };
        assert!(fresh.get(9 * KEPT, async move { Err(away()) }).await.is_err());
        assert_eq!(get(9 * KEPT).await, 5, "who failed holds nobody up");
    }

    #[tokio::test]
    async fn a_count_outlives_its_reader_and_its_failure_is_that_of_all_who_wait() {
        let (fresh, (go, wait)) = (Arc::new(Fresh::<u32>::default()), oneshot::channel::<()>());
        let reads = fresh.clone();
        let reader = tokio::spawn(async move {
            let slowly = async move {
                wait.await.unwrap();
                Ok(1)
            };
            drop(reads.get(0, slowly).await);
        });
        tokio::task::yield_now().await;
        reader.abort();
        assert!(reader.await.unwrap_err().is_cancelled());
        go.send(()).unwrap();
        let other = fresh.get(0, async { unreachable!("it was counted") }).await;
        assert_eq!(other.ok(), Some(Arc::new(1)));
        let tries = Arc::new(AtomicU32::new(0));
        let fails = || {
            let tries = tries.clone();
            fresh.get(STALE, async move {
                tries.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                Err(LedgerError::Unreachable { place: None, why: "away".to_owned() })
            })
        };
        let all = tokio::join!(fails(), fails(), fails());
        assert!(all.0.is_err() && all.1.is_err() && all.2.is_err());
        assert_eq!(tries.load(Ordering::SeqCst), 1);
    }
}
