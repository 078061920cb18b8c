//! How often an address may show a wrong token: a guess would take ages anyway, but each costs a look into the ledger.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use super::token::Shown;
use crate::room::Peer;

/// Wrong ones within [`WINDOW_MS`] after which an address has to wait for the window's end.
const MOST: u32 = 20;
const WINDOW_MS: i64 = 60_000;
/// Addresses that are remembered. Beyond that the oldest go.
const ADDRESSES: usize = 4096;

#[derive(Default)]
pub(super) struct Throttle {
    wrong: Mutex<HashMap<Peer, Failures>>,
    /// Tokens that were right when they were shown last: id, and digest of the secret.
    right: Mutex<HashMap<String, String>>,
}

#[derive(Clone, Copy)]
struct Failures {
    since: i64,
    count: u32,
}

impl Throttle {
    /// Whether this very token was right when it was shown last.
    pub(super) fn knows(&self, shown: Shown<'_>) -> bool {
        let right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        right.get(shown.id).is_some_and(|digest| shown.fits(digest))
    }

    /// This token was right.
    pub(super) fn worked(&self, shown: Shown<'_>) {
        let mut right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        if right.len() >= ADDRESSES && !right.contains_key(shown.id) {
            right.clear();
        }
        right.insert(shown.id.to_owned(), shown.digest());
    }

    /// This token, which was right once, is no longer.
    pub(super) fn ended(&self, shown: Shown<'_>) {
        self.right.lock().unwrap_or_else(PoisonError::into_inner).remove(shown.id);
    }

    /// For how many seconds this address has to wait; `None` where it need not.
    pub(super) fn waits(&self, peer: Peer, now: i64) -> Option<u64> {
        let all = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        let failures = all.get(&peer).filter(|one| one.count >= MOST)?;
        let left = failures.since.saturating_add(WINDOW_MS).saturating_sub(now);
        // A clock that was set back holds nobody up for longer than a window.
        (1..=WINDOW_MS).contains(&left).then(|| left.unsigned_abs().div_ceil(1000))
    }

    pub(super) fn failed(&self, peer: Peer, now: i64) {
        let mut all = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        let over = |one: &Failures| !(0..WINDOW_MS).contains(&now.saturating_sub(one.since));
        if all.len() >= ADDRESSES && !all.contains_key(&peer) {
            all.retain(|_, one| !over(one));
            if all.len() >= ADDRESSES
                && let Some(oldest) = all.iter().min_by_key(|(_, one)| one.since).map(|(peer, _)| *peer)
            {
                all.remove(&oldest);
            }
        }
        let one = all.entry(peer).or_insert(Failures { since: now, count: 0 });
        if over(one) {
            *one = Failures { since: now, count: 0 };
        }
        one.count = one.count.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_waits_for_the_end_of_its_window_and_others_do_not() {
        let throttle = Throttle::default();
        let [one, other] = ["10.0.0.1", "10.0.0.2"].map(|ip| Peer::of(ip.parse().unwrap()));
        for _ in 0..MOST {
            assert_eq!(throttle.waits(one, 1_000), None);
            throttle.failed(one, 1_000);
        }
        assert_eq!((throttle.waits(one, 1_000), throttle.waits(one, 60_500)), (Some(60), Some(1)));
        assert_eq!((throttle.waits(other, 1_000), throttle.waits(one, 61_000)), (None, None));
        throttle.failed(one, 61_000);
        assert_eq!(throttle.waits(one, 61_000), None, "it begins anew");
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let throttle = Throttle::default();
        for n in 0..2 * ADDRESSES as u32 {
            throttle.failed(Peer::of(std::net::Ipv4Addr::from(n).into()), i64::from(n));
        }
        assert!(throttle.wrong.lock().unwrap().len() <= ADDRESSES);
    }
}
