//! How often one who may ask does: a bucket of requests for each, which fills up again steadily. It is wide enough for pages that
//! are kept up to date and for scripts, and holds up a loop that has gone wild: what it would ask of the
//! ledger beyond who asks is not asked.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use super::Who;
use crate::room::Peer;

/// Requests at once, where there were none for a while.
pub(super) const BURST: u32 = 200;
/// Requests a second from then on.
pub(super) const PER_SECOND: u32 = 20;
/// Time for one, in milliseconds.
const EACH_MS: i64 = 1_000 / PER_SECOND as i64;
/// Time in which an empty bucket is full again.
const FULL_MS: i64 = EACH_MS * BURST as i64;
/// Most buckets that are remembered.
const MOST: usize = 4096;

/// Whose bucket it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Asks {
    /// A token's, all of whose sessions share it, or somebody's that a proxy knows.
    Named(String),
    /// Whoever reads from an address without a token.
    From(Option<Peer>),
}

impl Asks {
    pub(super) fn of(who: &Who, peer: Option<Peer>) -> Asks {
        match who.is_named() {
            true => Asks::Named(who.actor.clone()),
            false => Asks::From(peer),
        }
    }
}

/// When each bucket is full again, in milliseconds since 1970: that says how much is in it.
#[derive(Default)]
pub(super) struct Rate(Mutex<HashMap<Asks, i64>>);

impl Rate {
    /// Takes one request out.
    ///
    /// # Errors
    /// In how many seconds there is one, where the bucket is empty.
    pub(super) fn take(&self, asks: Asks, now: i64) -> Result<(), u64> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full =
            |full_at: i64| !(now.saturating_add(1)..=now.saturating_add(FULL_MS)).contains(&full_at);
        if all.len() >= MOST && !all.contains_key(&asks) {
            all.retain(|_, full_at| !is_full(*full_at));
            // The fullest loses the least.
            if all.len() >= MOST
                && let Some(fullest) =
                    all.iter().min_by_key(|(_, full_at)| **full_at).map(|(asks, _)| asks.clone())
            {
                all.remove(&fullest);
            }
        }
        let full_at = all.entry(asks).or_insert(now);
        // A clock that was set back leaves nobody with an empty bucket.
        let then = if is_full(*full_at) { now } else { *full_at }.saturating_add(EACH_MS);
        let over = then.saturating_sub(now).saturating_sub(FULL_MS);
        if over > 0 {
            return Err(over.unsigned_abs().div_ceil(1_000));
        }
        *full_at = then;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Asks {
        Asks::Named(name.to_owned())
    }

    #[test]
    fn who_asks_too_often_waits_for_the_next_and_nobody_else_does() {
        let rate = Rate::default();
        for n in 0..BURST {
            assert_eq!(rate.take(named("token:ann"), 1_000), Ok(()), "{n}");
        }
        assert_eq!(rate.take(named("token:ann"), 1_000), Err(1));
        assert_eq!(rate.take(named("token:bob"), 1_000), Ok(()));
        assert_eq!(rate.take(Asks::From(None), 1_000), Ok(()));
        // A second later there are as many as a second has, and no more.
        for n in 0..PER_SECOND {
            assert_eq!(rate.take(named("token:ann"), 2_000), Ok(()), "{n}");
        }
        assert_eq!(rate.take(named("token:ann"), 2_000), Err(1));
        // After a pause it is as at first, and not more.
        for n in 0..BURST {
            assert_eq!(rate.take(named("token:ann"), 900_000), Ok(()), "{n}");
        }
        assert_eq!(rate.take(named("token:ann"), 900_000), Err(1));
        assert_eq!(rate.take(named("token:ann"), 5_000), Ok(()), "the clock was set back");
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let rate = Rate::default();
        for n in 0..2 * MOST {
            assert_eq!(rate.take(named(&n.to_string()), 1_000), Ok(()));
        }
        assert_eq!(rate.0.lock().unwrap().len(), MOST);
    }
}
