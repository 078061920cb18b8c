//! How much is asked of a host, on behalf of whom.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher as _, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use super::Repository;

/// Counts requests by the repository on whose behalf they are sent, until somebody has kept the counts.
#[derive(Debug)]
pub struct Calls {
    /// Unique for each that counts, in any process.
    book: String,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    /// Since the last batch was made up.
    open: BTreeMap<Repository, u64>,
    /// That of which it is not known yet whether it is kept.
    batch: Option<Batch>,
    /// How many batches there were.
    batches: i64,
}

/// What is to be kept at one go. It stays as it is until it is known to be kept, so that it can be kept once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Unique for whoever counts.
    pub book: String,
    /// Grows from one to the next, from 1.
    pub number: i64,
    /// When it was made up, in milliseconds since 1970.
    pub at: i64,
    /// How many requests, for whom.
    pub sent: BTreeMap<Repository, u64>,
}

impl Default for Calls {
    fn default() -> Calls {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // The hashers' keys are the system's random ones, and each has its own.
        let random = || RandomState::new().hash_one(now);
        Calls { book: format!("{:016x}{:016x}", random(), random()), counts: Mutex::default() }
    }
}

impl Calls {
    /// One request is sent for this repository.
    pub fn note(&self, repository: &Repository) {
        let mut all = self.all();
        let count = all.open.entry(repository.folded()).or_default();
        *count = count.saturating_add(1);
    }

    /// What was counted and is not known to be kept: for this repository, and for all of its organisation together.
    pub fn of(&self, repository: &Repository) -> (u64, u64) {
        let repository = repository.folded();
        let all = self.all();
        let both = all.open.iter().chain(all.batch.iter().flat_map(|batch| &batch.sent));
        let (mut own, mut of_organisation) = (0u64, 0u64);
        for (of, count) in both.filter(|(of, _)| of.organisation() == repository.organisation()) {
            of_organisation = of_organisation.saturating_add(*count);
            if *of == repository {
                own = own.saturating_add(*count);
            }
        }
        (own, of_organisation)
    }

    /// What is to be kept next: the batch of which that is not known yet, or a new one of all that was counted since, made up at
    /// `now`; `None` where nothing was.
    pub fn batch(&self, now: i64) -> Option<Batch> {
        let mut all = self.all();
        if all.batch.is_none() && !all.open.is_empty() {
            all.batches += 1;
            let sent = std::mem::take(&mut all.open);
            all.batch = Some(Batch { book: self.book.clone(), number: all.batches, at: now, sent });
        }
        all.batch.clone()
    }

    /// The batch with this number is kept elsewhere by now.
    pub fn kept(&self, number: i64) {
        let mut all = self.all();
        all.batch.take_if(|batch| batch.number == number);
    }

    fn all(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organisation_is_all_below_its_first_part_and_a_batch_stays_as_it_is() {
        let calls = Calls::default();
        let name = |text: &str| Repository::parse(text).unwrap();
        for text in ["octo/shop", "Octo/Shop", "octo/deep/er", "octopus/shop"] {
            calls.note(&name(text));
        }
        assert_eq!(calls.of(&name("OCTO/shop")), (2, 3));
        assert_eq!(calls.of(&name("octo/other")), (0, 3));
        let first = calls.batch(7).unwrap();
        assert_eq!((first.number, first.at, first.sent.len()), (1, 7, 3));
        calls.note(&name("octo/shop"));
        assert_eq!(calls.of(&name("octo/shop")), (3, 4), "what is not known to be kept counts here");
        assert_eq!(calls.batch(8), Some(first), "whatever comes meanwhile");
        calls.kept(1);
        calls.kept(1);
        let second = calls.batch(9).unwrap();
        assert_eq!((second.number, calls.of(&name("octo/shop"))), (2, (1, 1)));
        calls.kept(1);
        assert_eq!(calls.batch(9), Some(second), "said late, it is another's");
        calls.kept(2);
        assert_eq!(calls.batch(9), None);
    }
}
