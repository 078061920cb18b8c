//! How much is asked of a host, on behalf of whom.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::Repository;

/// Counts requests by the repository on whose behalf they are sent, until somebody has kept the counts.
#[derive(Debug, Default)]
pub struct Calls(Mutex<BTreeMap<Repository, u64>>);

impl Calls {
    /// One request is sent for this repository.
    pub fn note(&self, repository: &Repository) {
        let mut all = self.all();
        let count = all.entry(repository.folded()).or_default();
        *count = count.saturating_add(1);
    }

    /// What was counted and is not kept yet: for this repository, and for all of its organisation together.
    pub fn of(&self, repository: &Repository) -> (u64, u64) {
        let repository = repository.folded();
        let all = self.all();
        let of_organisation = all.iter().filter(|(of, _)| of.organisation() == repository.organisation());
        (all.get(&repository).copied().unwrap_or(0), of_organisation.map(|(_, count)| count).sum())
    }

    /// What was counted and is not kept yet.
    pub fn counted(&self) -> BTreeMap<Repository, u64> {
        self.all().clone()
    }

    /// So much of it is kept elsewhere by now.
    pub fn kept(&self, kept: &BTreeMap<Repository, u64>) {
        let mut all = self.all();
        for (repository, count) in kept {
            if let Some(left) = all.get_mut(repository) {
                *left = left.saturating_sub(*count);
            }
        }
        all.retain(|_, left| *left > 0);
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<Repository, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organisation_is_all_below_its_first_part() {
        let calls = Calls::default();
        let name = |text: &str| Repository::parse(text).unwrap();
        for text in ["octo/shop", "Octo/Shop", "octo/deep/er", "octopus/shop"] {
            calls.note(&name(text));
        }
        assert_eq!(calls.of(&name("OCTO/shop")), (2, 3));
        assert_eq!(calls.of(&name("octo/other")), (0, 3));
        let counted = calls.counted();
        calls.note(&name("octo/shop"));
        calls.kept(&counted);
        assert_eq!((counted.len(), calls.of(&name("octo/shop"))), (3, (1, 1)));
    }
}
