//! Seats for readers of the news: so many for all, and of those so many for each. Who has signed in is known by name, because
//! behind a proxy all have one address; anybody else by their address.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::room::Peer;

/// Who reads.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Sits {
    /// Somebody who has signed in, or shows a token.
    Named(String),
    /// Somebody at this address.
    At(Option<Peer>),
}

/// All seats.
pub(super) struct Seats {
    all: usize,
    of_one: usize,
    taken: Mutex<HashMap<Sits, usize>>,
}

/// One that is taken. Given back when it is dropped.
pub(super) struct Seat {
    seats: Arc<Seats>,
    of: Sits,
}

impl Seats {
    pub(super) fn new(all: usize, of_one: usize) -> Seats {
        Seats { all, of_one, taken: Mutex::default() }
    }

    /// Takes one, where there is one.
    pub(super) fn take(self: &Arc<Seats>, of: Sits) -> Option<Seat> {
        let mut taken = self.taken();
        let own = taken.get(&of).copied().unwrap_or_default();
        if taken.values().sum::<usize>() >= self.all || own >= self.of_one {
            return None;
        }
        taken.insert(of.clone(), own + 1);
        Some(Seat { seats: self.clone(), of })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<Sits, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken();
        let left = taken.get(&self.of).copied().unwrap_or_default().saturating_sub(1);
        match left {
            0 => taken.remove(&self.of),
            left => taken.insert(self.of.clone(), left),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_all_and_people_behind_one_address_are_several() {
        let seats = Arc::new(Seats::new(4, 2));
        let named = |name: &str| Sits::Named(name.to_owned());
        let at = Sits::At(Some(Peer::of("10.0.0.7".parse().unwrap())));
        let (one, two) = (seats.take(named("proxy:ann")), seats.take(named("proxy:ann")));
        assert!(one.is_some() && two.is_some() && seats.take(named("proxy:ann")).is_none());
        let (three, four) = (seats.take(named("proxy:bob")), seats.take(at.clone()));
        assert!(three.is_some() && four.is_some() && seats.take(at.clone()).is_none(), "all are taken");
        drop((one, three));
        let five = seats.take(at.clone());
        assert!(five.is_some() && seats.take(at).is_none(), "so many for each");
        drop((two, four, five));
        assert!(seats.taken().is_empty());
    }
}
