//! How often one who may ask does: a bucket of requests for each, which fills up again steadily. It is wide enough for pages that
//! are kept up to date and for scripts, and holds up a loop that has gone wild: what it would ask of the
//! ledger beyond who asks is not asked. Others, for each address and each id, hold up tokens that nobody knows yet, before the ledger
//! is asked who they are.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use super::Who;
use crate::room::Peer;

/// How much is in a bucket, and how fast it fills up again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Requests at once, where there were none for a while.
    pub(super) burst: u32,
    /// Requests a second from then on.
    pub(super) per_second: u32,
}

impl Pace {
    /// A person's, or a script's.
    pub(super) const PEOPLE: Pace = Pace { burst: 200, per_second: 20 };
    /// An address's, of tokens that have not been right yet: behind a proxy all have one address.
    pub(super) const UNPROVEN: Pace = Pace { burst: 1_000, per_second: 100 };
    /// A token's or a session's that has not been right yet, where there are too many of those.
    pub(super) const CLAIMED: Pace = Pace { burst: 10, per_second: 1 };

    /// Time for one, in milliseconds.
    const fn each_ms(self) -> i64 {
        1_000 / self.per_second as i64
    }

    /// Time in which an empty bucket is full again.
    const fn full_ms(self) -> i64 {
        self.each_ms() * self.burst as i64
    }
}

/// Most buckets that are remembered.
const MOST: usize = 4096;

/// Whose bucket it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Asks {
    /// A token's, all of whose sessions share it, or somebody's that a proxy knows.
    Named(String),
    /// Whoever asks from an address: without a token, or by one that has not been right yet.
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
pub(super) struct Rate {
    pace: Pace,
    full_at: Mutex<HashMap<Asks, i64>>,
}

impl Rate {
    /// Every bucket is full.
    pub(super) fn new(pace: Pace) -> Rate {
        Rate { pace, full_at: Mutex::default() }
    }

    /// Takes one request out.
    ///
    /// # Errors
    /// In how many seconds there is one, where the bucket is empty.
    pub(super) fn take(&self, asks: Asks, now: i64) -> Result<(), u64> {
        let (each_ms, full_ms) = (self.pace.each_ms(), self.pace.full_ms());
        let mut all = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full =
            |full_at: i64| !(now.saturating_add(1)..=now.saturating_add(full_ms)).contains(&full_at);
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
        let then = if is_full(*full_at) { now } else { *full_at }.saturating_add(each_ms);
        let over = then.saturating_sub(now).saturating_sub(full_ms);
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
        let rate = Rate::new(Pace::PEOPLE);
        let Pace { burst, per_second } = Pace::PEOPLE;
        for n in 0..burst {
            assert_eq!(rate.take(named("token:ann"), 1_000), Ok(()), "{n}");
        }
        assert_eq!(rate.take(named("token:ann"), 1_000), Err(1));
        assert_eq!(rate.take(named("token:bob"), 1_000), Ok(()));
        assert_eq!(rate.take(Asks::From(None), 1_000), Ok(()));
        // A second later there are as many as a second has, and no more.
        for n in 0..per_second {
            assert_eq!(rate.take(named("token:ann"), 2_000), Ok(()), "{n}");
        }
        assert_eq!(rate.take(named("token:ann"), 2_000), Err(1));
        // After a pause it is as at first, and not more.
        for n in 0..burst {
            assert_eq!(rate.take(named("token:ann"), 900_000), Ok(()), "{n}");
        }
        assert_eq!(rate.take(named("token:ann"), 900_000), Err(1));
        assert_eq!(rate.take(named("token:ann"), 5_000), Ok(()), "the clock was set back");
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let rate = Rate::new(Pace::PEOPLE);
        for n in 0..2 * MOST {
            assert_eq!(rate.take(named(&n.to_string()), 1_000), Ok(()));
        }
        assert_eq!(rate.full_at.lock().unwrap().len(), MOST);
    }
}
