//! Which playbook first: Thompson sampling over how each did here before.
//!
//! Every playbook's chance to heal is drawn from the Beta distribution of its outcomes and its prior; the highest draw
//! goes first, a riskier playbook's draw counting for less. So the best known is mostly taken, and what is little known
//! is tried now and then. What an operator wrote goes before all that the program brings. The seed is an argument: the same inputs give the same order.
//!
//! Source: W. R. Thompson, "On the likelihood that one unknown probability exceeds another", Biometrika 25 (1933).

use regreen_domain::Risk;

use crate::{History, Playbook, random::Random};

/// A playbook with the draw that gave it its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// Its id.
    pub playbook: String,
    /// The drawn chance to heal, times what its risk is worth; 0 to 1.
    pub score: f64,
    /// Outcomes here that healed.
    pub healed: u32,
    /// Outcomes here that did not.
    pub failed: u32,
}

/// Most outcomes of a kind that count: older ones are outweighed anyway, and a draw costs as many random numbers.
const MOST: u32 = 500;

/// These playbooks, the one to try first at the front. Equal scores keep their order.
pub(crate) fn rank<'p>(
    playbooks: impl Iterator<Item = &'p Playbook>,
    history: &History,
) -> Vec<(&'p Playbook, Ranked)> {
    let mut ranked: Vec<(&Playbook, Ranked)> = playbooks
        .map(|playbook| {
            let record = history.records.iter().find(|record| record.playbook == playbook.id);
            let (healed, failed) = record.map_or((0, 0), |r| (r.pattern_healed, r.pattern_failed));
            let (prior_healed, prior_tried) = playbook.prior;
            // Beta(1, 1) knows nothing; the prior and the outcomes are added to it.
            let a = 1 + prior_healed + healed.min(MOST);
            let b = 1 + prior_tried.saturating_sub(prior_healed) + failed.min(MOST);
            let draw = |seed| beta(a, b, &mut Random::new(seed, &playbook.id)) * worth(playbook.risk);
            let score = history.seed.map_or(0.0, draw);
            (playbook, Ranked { playbook: playbook.id.clone(), score, healed, failed })
        })
        .collect();
    ranked.sort_by(|(a, one), (b, other)| b.own.cmp(&a.own).then(other.score.total_cmp(&one.score)));
    ranked
}

/// What a chance to heal is worth at this risk: of two that heal alike, the one that can spoil less goes first.
fn worth(risk: Risk) -> f64 {
    match risk {
        Risk::Low => 1.0,
        Risk::Medium => 0.95,
        Risk::High => 0.8,
    }
}

/// A draw from Beta(a, b) for whole a and b: the a-th smallest of a + b − 1 uniform numbers is distributed so.
///
/// Source: H. A. David and H. N. Nagaraja, "Order Statistics" (3rd edition, 2003), section 2.3.
fn beta(a: u32, b: u32, random: &mut Random) -> f64 {
    let mut uniform: Vec<f64> = (1..a + b).map(|_| random.uniform()).collect();
    let place = (a - 1) as usize;
    *uniform.select_nth_unstable_by(place, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_have_the_mean_and_the_spread_of_their_distribution() {
        for (a, b) in [(1, 1), (2, 1), (30, 10), (97, 5)] {
            let draws: Vec<f64> = (0..4000).map(|seed| beta(a, b, &mut Random::new(seed, "x"))).collect();
            let n = draws.len() as f64;
            let mean = draws.iter().sum::<f64>() / n;
            let variance = draws.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / n;
            let (a, b) = (f64::from(a), f64::from(b));
            let want_mean = a / (a + b);
            let want_variance = a * b / ((a + b).powi(2) * (a + b + 1.0));
            assert!(
                (mean - want_mean).abs() < 4.0 * (want_variance / n).sqrt(),
                "Beta({a}, {b}): mean {mean}"
            );
            assert!((variance / want_variance - 1.0).abs() < 0.15, "Beta({a}, {b}): variance {variance}");
        }
    }
}
