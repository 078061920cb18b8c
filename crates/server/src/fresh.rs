//! What is counted from many incidents: by one at a time, anew only where it is too old, and while many wait for it they wait
//! for one count and not one after the other.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use regreen_ledger::LedgerError;
use tokio::{
    sync::{OwnedMutexGuard, Semaphore},
    task::JoinHandle,
    time::timeout,
};

use crate::memory::chain;

/// How old a count may be, and how long is waited for a new one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// For so long it is shown and nobody counts, in milliseconds.
    pub(crate) kept: i64,
    /// For so long it is shown at once while somebody counts anew, in milliseconds.
    pub(crate) shown: i64,
    /// So long is waited for a new one where there is an old one.
    pub(crate) patience: Duration,
    /// So old is the oldest that is shown after that, in milliseconds.
    pub(crate) oldest: i64,
    /// So long is waited where there is none.
    pub(crate) at_most: Duration,
}

/// Longest that a count may take, so that one which hangs does not stand in the way of the next for ever.
const LONGEST: Duration = Duration::from_secs(600);

/// Counts of every kind that are made at once: each holds a connection to the ledger, and the work beside them wants some too.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// When it was counted, and what.
pub(crate) type Counted<T> = (i64, Arc<T>);

/// A count, and who makes the next one.
pub(crate) struct Fresh<T>(Arc<Inner<T>>);

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

impl<T> Clone for Fresh<T> {
    fn clone(&self) -> Fresh<T> {
        Fresh(self.0.clone())
    }
}

type Counting<T> = JoinHandle<Result<Counted<T>, LedgerError>>;

impl<T: Send + Sync + 'static> Fresh<T> {
    /// The count, made by `count` where the last one is too old. It is made to its end also where nobody waits for it any more;
    /// and whoever waited for one that failed is told so, and does not try the same once more.
    pub(crate) async fn get(
        &self,
        now: i64,
        terms: &Terms,
        count: impl Future<Output = Result<T, LedgerError>> + Send + 'static,
    ) -> Result<Counted<T>, LedgerError> {
        let kept = &self.0;
        if let Some(kept) = kept.within(now, terms.kept) {
            return Ok(kept);
        }
        let before = kept.failures().0;
        let (mine, count) = match kept.counting.clone().try_lock_owned() {
            Ok(mine) => (Some(self.count(now, mine, count)), None),
            Err(_) => (None, Some(count)),
        };
        if let Some(kept) = kept.within(now, terms.shown) {
            return Ok(kept);
        }
        let counted = async {
            match (mine, count) {
                (Some(mine), _) => joined(mine).await,
                (None, Some(count)) => self.after_another(now, terms, before, count).await,
                (None, None) => Err(too_long()),
            }
        };
        let old = kept.within(now, terms.oldest);
        let patience = if old.is_some() { terms.patience } else { terms.at_most };
        timeout(patience, counted).await.unwrap_or_else(|_| old.ok_or_else(too_long))
    }

    /// What another counts; counted here where that came to nothing and did not fail.
    async fn after_another(
        &self,
        now: i64,
        terms: &Terms,
        before: u64,
        count: impl Future<Output = Result<T, LedgerError>> + Send + 'static,
    ) -> Result<Counted<T>, LedgerError> {
        let mine = self.0.counting.clone().lock_owned().await;
        if let Some(kept) = self.0.within(now, terms.kept) {
            return Ok(kept);
        }
        let (failures, why) = self.0.failures();
        if failures != before {
            return Err(LedgerError::Unreachable { place: None, why });
        }
        joined(self.count(now, mine, count)).await
    }

    fn count(
        &self,
        now: i64,
        mine: OwnedMutexGuard<()>,
        count: impl Future<Output = Result<T, LedgerError>> + Send + 'static,
    ) -> Counting<T> {
        let kept = self.0.clone();
        tokio::spawn(async move {
            let _one_counts = mine;
            let counted = async {
                // Closed by nobody.
                let _permit = AT_ONCE.acquire().await;
                count.await
            };
            let counted = timeout(LONGEST, counted).await.unwrap_or_else(|_| Err(too_long()));
            let counted = counted.map(|counted| (now, Arc::new(counted)));
            kept.put(&counted);
            counted
        })
    }
}

async fn joined<T>(counting: Counting<T>) -> Result<Counted<T>, LedgerError> {
    let stopped = |e: tokio::task::JoinError| LedgerError::Unreachable { place: None, why: e.to_string() };
    counting.await.unwrap_or_else(|e| Err(stopped(e)))
}

fn too_long() -> LedgerError {
    LedgerError::Unreachable { place: None, why: "the figures take too long to be counted".to_owned() }
}

impl<T> Inner<T> {
    fn within(&self, now: i64, age: i64) -> Option<Counted<T>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|(at, _)| (0..age).contains(&now.saturating_sub(*at))).cloned()
    }

    fn failures(&self) -> (u64, String) {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, counted: &Result<Counted<T>, LedgerError>) {
        match counted {
            Ok(counted) => {
                *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(counted.clone());
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
    use std::{
        future::pending,
        sync::atomic::{AtomicU32, Ordering},
        time::Instant,
    };

    use tokio::sync::oneshot;

    use super::*;

    const TERMS: Terms = Terms {
        kept: 30,
        shown: 600,
        patience: Duration::from_millis(100),
        oldest: 6_000,
        at_most: Duration::from_secs(1),
    };

    fn away() -> LedgerError {
        LedgerError::Unreachable { place: None, why: "away".to_owned() }
    }

    #[tokio::test]
    async fn one_counts_for_all_and_nobody_waits_where_there_is_a_count() {
        let (fresh, counts) = (Fresh::<u32>::default(), Arc::new(AtomicU32::new(0)));
        let get = async |now| {
            let counts = counts.clone();
            let count = async move { Ok(counts.fetch_add(1, Ordering::SeqCst) + 1) };
            let (at, n) = fresh.get(now, &TERMS, count).await.unwrap();
            (at, *n)
        };
        let all = tokio::join!(get(0), get(0), get(1), get(TERMS.kept - 1));
        assert_eq!(all, ((0, 1), (0, 1), (0, 1), (0, 1)), "one count, whoever asks meanwhile");
        assert_eq!(get(TERMS.kept).await, (0, 1), "the old one is shown, with its time");
        // It was counted anew behind that reader's back.
        while fresh.0.within(TERMS.kept, 1).is_none() {
            tokio::task::yield_now().await;
        }
        assert_eq!(get(TERMS.kept).await, (30, 2));
        assert_eq!(get(-1).await, (-1, 3), "of a clock that was set back");
        assert_eq!(get(TERMS.shown).await, (600, 4), "one that is much too old is waited for");
        // A count that fails takes nobody's old one away until that is much too old.
        let failing = |now| fresh.get(now, &TERMS, async { Err(away()) });
        assert_eq!(failing(700).await.map(|(at, _)| at).ok(), Some(600));
        while fresh.0.failures().0 == 0 {
            tokio::task::yield_now().await;
        }
        assert!(failing(1_300).await.is_err());
        assert_eq!(get(1_300).await, (1_300, 5), "who failed holds nobody up");
    }

    #[tokio::test]
    async fn a_count_that_hangs_is_waited_for_by_all_at_once_and_not_for_ever() {
        let fresh = Fresh::<u32>::default();
        let hangs = |now| fresh.get(now, &TERMS, pending());
        let begun = Instant::now();
        let all = tokio::join!(hangs(0), hangs(0), hangs(0), hangs(0));
        assert!(all.0.is_err() && all.1.is_err() && all.2.is_err() && all.3.is_err());
        let waited = begun.elapsed();
        assert!(
            TERMS.at_most <= waited && waited < 3 * TERMS.at_most,
            "together, not one by one: {waited:?}"
        );
        // Where there is an old one, that is shown after a while.
        let kept = Fresh::<u32>::default();
        assert_eq!(kept.get(0, &TERMS, async { Ok(1) }).await.unwrap().0, 0);
        let begun = Instant::now();
        let hangs = |now| kept.get(now, &TERMS, pending());
        let (one, two) = tokio::join!(hangs(TERMS.shown), hangs(TERMS.shown));
        assert_eq!((one.unwrap().0, two.unwrap().0), (0, 0));
        assert!(begun.elapsed() >= TERMS.patience, "it was waited for");
    }

    #[tokio::test]
    async fn a_count_outlives_its_reader_and_its_failure_is_that_of_all_who_wait() {
        let (fresh, (go, wait)) = (Fresh::<u32>::default(), oneshot::channel::<()>());
        let reads = fresh.clone();
        let reader = tokio::spawn(async move {
            let slowly = async move {
                wait.await.unwrap();
                Ok(1)
            };
            drop(reads.get(0, &TERMS, slowly).await);
        });
        tokio::task::yield_now().await;
        reader.abort();
        assert!(reader.await.unwrap_err().is_cancelled());
        go.send(()).unwrap();
        let other = fresh.get(0, &TERMS, async { unreachable!("it was counted") }).await;
        assert_eq!(other.ok(), Some((0, Arc::new(1))));
        let tries = Arc::new(AtomicU32::new(0));
        let fails = || {
            let tries = tries.clone();
            fresh.get(TERMS.shown, &TERMS, async move {
                tries.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                Err(away())
            })
        };
        let all = tokio::join!(fails(), fails(), fails());
        assert!(all.0.is_err() && all.1.is_err() && all.2.is_err());
        assert_eq!(tries.load(Ordering::SeqCst), 1);
    }
}
