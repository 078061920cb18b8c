//! Which rows may be learned from, and which are only scored.

use sha2::{Digest, Sha256};

/// A part of the corpus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Set {
    /// Rows that nobody opens and nothing is tuned on; the headline figures come from them.
    Check,
    /// The others.
    Train,
    /// Every row.
    All,
}

impl Set {
    /// Whether the rows of this repository belong to it.
    pub fn holds(self, repo: &str) -> bool {
        match self {
            Set::Check => in_check_set(repo),
            Set::Train => !in_check_set(repo),
            Set::All => true,
        }
    }
}

/// Rows whose repository hashes to 0 mod 4 are the check set: the headline figures come from them alone, and nothing
/// is fixed by looking at them.
pub fn in_check_set(repo: &str) -> bool {
    let digest = Sha256::digest(repo.as_bytes());
    digest[..8].iter().fold(0u64, |n, b| n << 8 | u64::from(*b)) % 4 == 0
}

/// So many folds has a cross-validation.
pub const FOLDS: usize = 5;

/// The fold that the rows of this repository are in.
pub fn fold(repo: &str) -> usize {
    let digest = Sha256::digest(format!("fold {repo}").as_bytes());
    digest[..4].iter().fold(0, |n, b| n << 8 | usize::from(*b)) % FOLDS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_set_is_about_a_quarter_and_never_changes() {
        let picked = (0..4000).filter(|i| in_check_set(&format!("owner/repo{i}"))).count();
        assert!((900..1100).contains(&picked), "{picked} of 4000");
        // Computed by another implementation of SHA-256.
        let fixed = ["rust-lang/rust", "python/cpython", "npm/cli", "owner/repo4"].map(in_check_set);
        assert_eq!(fixed, [false, false, false, true]);
    }

    #[test]
    fn every_row_is_in_exactly_one_part() {
        for i in 0..100 {
            let repo = format!("owner/repo{i}");
            assert!(Set::Check.holds(&repo) != Set::Train.holds(&repo));
            assert!(Set::All.holds(&repo));
        }
    }
}
