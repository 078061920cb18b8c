//! Room for bodies whose sender is not proven yet: taken as bytes really come, shared out by address, and cut where they
//! come too slowly. What a request merely announces takes nothing.

use std::{
    collections::HashMap,
    future::poll_fn,
    net::{IpAddr, Ipv6Addr},
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::body::{Body, HttpBody as _};
use tokio::time::{Instant, timeout_at};

use crate::{happening::Refused, limits::Limits};

/// A body of this size, in bytes, is a small one: the last quarter of the room is for them.
const SMALL: usize = 256 << 10;

/// Who is at the other end of a connection, as far as shares go: an address, or a network where one owner has many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Peer(IpAddr);

impl Peer {
    pub(crate) fn of(address: IpAddr) -> Peer {
        match address.to_canonical() {
            // Whoever has one address there has as many as they like: RFC 6177 gives a site a /64 at least.
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                Peer(IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)))
            }
            v4 => Peer(v4),
        }
    }
}

/// Something that is shared out: so much of it, and of that so much to any one peer.
pub(crate) struct Room {
    all: usize,
    of_one: usize,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    all: usize,
    by: HashMap<Peer, usize>,
}

/// What one request or connection has of it. Given back when it is dropped.
pub(crate) struct Share<'r> {
    room: &'r Room,
    peer: Peer,
    has: usize,
}

impl Room {
    pub(crate) fn new(all: usize, of_one: usize) -> Room {
        Room { all, of_one: of_one.min(all), held: Mutex::default() }
    }

    /// A share with nothing in it yet.
    pub(crate) fn share(&self, peer: Peer) -> Share<'_> {
        Share { room: self, peer, has: 0 }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes `more`, where there is as much, for somebody who would have `then` with it.
    pub(crate) fn take(&self, peer: Peer, more: usize, then: usize) -> bool {
        let mut held = self.held();
        let all = if then > SMALL { self.all / 4 * 3 } else { self.all };
        let own = held.by.get(&peer).copied().unwrap_or_default();
        if held.all.saturating_add(more) > all || own.saturating_add(more) > self.of_one {
            return false;
        }
        held.all += more;
        held.by.insert(peer, own + more);
        true
    }

    pub(crate) fn give(&self, peer: Peer, back: usize) {
        let mut held = self.held();
        held.all = held.all.saturating_sub(back);
        let own = held.by.get(&peer).copied().unwrap_or_default().saturating_sub(back);
        if own == 0 {
            held.by.remove(&peer);
        } else {
            held.by.insert(peer, own);
        }
    }
}

impl Share<'_> {
    fn grow(&mut self, more: usize) -> bool {
        let taken = self.room.take(self.peer, more, self.has.saturating_add(more));
        if taken {
            self.has += more;
        }
        taken
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.room.give(self.peer, self.has);
    }
}

/// The whole body, as it comes.
///
/// # Errors
/// `TooLarge`, `Busy` where there is no room for what came, `Incomplete` where it broke off or came too slowly.
pub(crate) async fn read(mut body: Body, share: &mut Share<'_>, limits: &Limits) -> Result<Vec<u8>, Refused> {
    let begun = Instant::now();
    let mut kept = Vec::new();
    loop {
        let earned = (kept.len() as u64).saturating_mul(1000) / limits.rate.max(1);
        let until = begun + limits.body_time.min(limits.grace + Duration::from_millis(earned));
        let next = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx));
        let frame = match timeout_at(until, next).await {
            Ok(None) => return Ok(kept),
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(_))) | Err(_) => return Err(Refused::Incomplete),
        };
        // Trailers say nothing here.
        let Ok(piece) = frame.into_data() else { continue };
        if kept.len().saturating_add(piece.len()) > limits.body {
            return Err(Refused::TooLarge);
        }
        if !share.grow(piece.len()) {
            return Err(Refused::Busy);
        }
        kept.extend_from_slice(&piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(text: &str) -> Peer {
        Peer::of(text.parse().unwrap())
    }

    #[test]
    fn one_owner_is_one_peer() {
        assert_eq!(peer("::ffff:10.0.0.1"), peer("10.0.0.1"));
        assert_eq!(peer("2001:db8::1"), peer("2001:db8::ffff:2"));
        assert_ne!(peer("2001:db8::1"), peer("2001:db8:0:1::1"));
        assert_ne!(peer("10.0.0.1"), peer("10.0.0.2"));
    }

    #[test]
    fn nobody_takes_all_and_the_last_quarter_is_for_small_bodies() {
        let room = Room::new(4 << 20, 2 << 20);
        let (mut one, mut two, mut three) =
            (room.share(peer("10.0.0.1")), room.share(peer("10.0.0.2")), room.share(peer("10.0.0.3")));
        assert!(one.grow(2 << 20) && !one.grow(1));
        assert!(two.grow(1 << 20) && !two.grow(1), "three quarters are taken");
        assert!(three.grow(SMALL) && !three.grow(1));
        drop(one);
        assert!(two.grow(1 << 20));
        drop((two, three));
        assert!(room.held().by.is_empty() && room.held().all == 0);
    }
}
