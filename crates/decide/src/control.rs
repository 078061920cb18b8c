//! The control group: some of what would be healed is left alone, so that it can be told what healing brings.

use crate::{Case, random::Random};

/// Names the draw, so that it is another one than those that order the playbooks.
const DRAW: &str = "control-group";

/// Whether this one is left alone. The seed is of the incident's name, so the same one is drawn on every node, at every look
/// and in a replay. What a person agreed to is not drawn.
pub(crate) fn is_drawn(case: &Case<'_>) -> bool {
    let (policy, setting) = (case.policy, case.setting);
    let may = policy.control > 0.0 && setting.whole_job && !policy.approved && !setting.yes;
    may && case.history.seed.is_some_and(|seed| share(seed) < policy.control)
}

/// Where a seed falls between 0 and 1, evenly.
fn share(seed: u64) -> f64 {
    Random::new(seed, DRAW).uniform()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_is_drawn_and_the_same_each_time() {
        for (fraction, least, most) in [(0.1, 900, 1_100), (0.5, 4_850, 5_150)] {
            let drawn = (0..10_000u64).filter(|seed| share(*seed) < fraction).count();
            assert!((least..=most).contains(&drawn), "{drawn} of 10000 for {fraction}");
        }
        // Another draw than that of before would take another group in the middle of the comparison.
        let first: Vec<u64> = (0..100).filter(|seed| share(*seed) < 0.1).collect();
        assert_eq!(first, PINNED);
    }

    const PINNED: [u64; 17] = [6, 16, 25, 38, 41, 50, 51, 52, 58, 62, 63, 67, 71, 77, 78, 87, 96];
}
