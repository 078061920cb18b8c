//! Change points: days from which on something is more, or less, than it was before, beyond what chance does.
//!
//! Counts of a day are taken as Poisson, shares as binomial; each is split where the likelihood gains most, and again within
//! the parts. Days differ by more than chance (work comes in bursts), so the gain is divided by how much more one day differs
//! from the next than such counts would (a quasi-likelihood). Either part has at least a week, so that a weekend is no change.

/// Fewest days of a part.
const WEEK: usize = 7;
/// How often chance alone would show a change in a whole series, at most.
const CHANCE: f64 = 0.01;

/// A day's count: `hits` in `n`. Of plain counts `n` is 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Of {
    pub(super) hits: f64,
    pub(super) n: f64,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// How many a day.
    Count,
    /// How many of those that there were.
    Share,
}

/// From a day on it is otherwise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Change {
    /// The first day of the new part, by its place in the series.
    pub(super) at: usize,
    /// A day's mean, or the share, from the change before on.
    pub(super) before: f64,
    /// The same until the next change.
    pub(super) after: f64,
}

/// The changes in a series of days, first to last.
pub(super) fn changes(days: &[Of], kind: Kind) -> Vec<Change> {
    let mut at = Vec::new();
    split(days, kind, 0, days.len(), &mut at);
    at.sort_unstable();
    let ends = |i: usize| at.get(i).copied().unwrap_or(days.len());
    let level = |from, to| mean(days.get(from..to).unwrap_or_default());
    let change = |(i, at): (usize, &usize)| Change {
        at: *at,
        before: level(if i == 0 { 0 } else { ends(i - 1) }, *at),
        after: level(*at, ends(i + 1)),
    };
    at.clone().iter().enumerate().map(change).collect()
}

fn split(days: &[Of], kind: Kind, from: usize, to: usize, found: &mut Vec<usize>) {
    let part = days.get(from..to).unwrap_or_default();
    let places = (part.len() + 1).saturating_sub(2 * WEEK);
    let (whole, vary) = (likelihood(part, kind), dispersion(part, kind));
    let gains = (WEEK..WEEK + places).filter_map(|at| {
        let (left, right) = part.split_at_checked(at)?;
        let gain = likelihood(left, kind) + likelihood(right, kind) - whole;
        Some((at, gain / vary))
    });
    let Some((at, gain)) = gains.max_by(|a, b| a.1.total_cmp(&b.1)) else { return };
    // P(chi² of one degree > 2g) is at most exp(-g); any of the places may show it.
    if gain > (places as f64 / CHANCE).ln() {
        found.push(from + at);
        split(days, kind, from, from + at, found);
        split(days, kind, from + at, to, found);
    }
}

fn mean(days: &[Of]) -> f64 {
    let (hits, n) = days.iter().fold((0.0, 0.0), |(h, n), day| (h + day.hits, n + day.n));
    if n > 0.0 { hits / n } else { 0.0 }
}

/// The logarithm of the likelihood at the part's own mean, without what is the same however it is split.
fn likelihood(days: &[Of], kind: Kind) -> f64 {
    let (level, hits) = (mean(days), days.iter().map(|day| day.hits).sum::<f64>());
    let n: f64 = days.iter().map(|day| day.n).sum();
    let of = |count: f64, level: f64| if count > 0.0 { count * level.ln() } else { 0.0 };
    match kind {
        Kind::Count => of(hits, level) - hits,
        Kind::Share => of(hits, level) + of(n - hits, 1.0 - level),
    }
}

/// How much more one day differs from the next than by chance; never less than 1. A change of level is between two days alone,
/// so it hides itself hardly at all.
fn dispersion(days: &[Of], kind: Kind) -> f64 {
    let apart = |pair: &[Of]| {
        let [a, b] = pair else { return None };
        let (hits, n) = (a.hits + b.hits, a.n + b.n);
        let (apart, chance) = match kind {
            Kind::Count => (a.hits - b.hits, hits),
            Kind::Share => {
                (a.hits / a.n - b.hits / b.n, hits / n * (1.0 - hits / n) * (1.0 / a.n + 1.0 / b.n))
            }
        };
        (a.n > 0.0 && b.n > 0.0 && chance > 0.0).then(|| apart * apart / chance)
    };
    let all: Vec<f64> = days.windows(2).filter_map(apart).collect();
    if all.is_empty() { 1.0 } else { (all.iter().sum::<f64>() / all.len() as f64).max(1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(days: &[u32]) -> Vec<Of> {
        days.iter().map(|n| Of { hits: f64::from(*n), n: 1.0 }).collect()
    }

    #[test]
    fn a_change_is_found_on_its_day_with_its_levels() {
        let before = [9, 11, 10, 8, 12, 10, 9, 11, 10, 10, 9, 11];
        let after = [24, 26, 25, 27, 23, 25, 24, 26, 25, 25];
        let series = counts(&[before.as_slice(), after.as_slice()].concat());
        assert_eq!(changes(&series, Kind::Count), [Change { at: 12, before: 10.0, after: 25.0 }]);
        let twice = counts(&[before.as_slice(), after.as_slice(), before.as_slice()].concat());
        let found: Vec<usize> = changes(&twice, Kind::Count).iter().map(|change| change.at).collect();
        assert_eq!(found, [12, 22]);
        let healed = |days: std::ops::Range<u32>, of| days.map(move |_| Of { hits: of, n: 10.0 });
        let shares: Vec<Of> = healed(0..10, 9.0).chain(healed(10..20, 4.0)).collect();
        assert_eq!(changes(&shares, Kind::Share), [Change { at: 10, before: 0.9, after: 0.4 }]);
    }

    #[test]
    fn chance_weekends_and_bursts_are_no_change() {
        assert_eq!(changes(&[], Kind::Count), []);
        assert_eq!(changes(&counts(&[0; 90]), Kind::Count), []);
        assert_eq!(
            changes(&counts(&[5, 50, 5, 50, 5, 50, 5, 50, 5, 50, 5, 50, 5]), Kind::Count),
            [],
            "too short"
        );
        let weeks: Vec<u32> = (0..90).map(|day| if day % 7 < 5 { 40 } else { 3 }).collect();
        assert_eq!(changes(&counts(&weeks), Kind::Count), []);
        // A thousand series of nothing but chance, of days that vary as Poisson's do (knuth's way of drawing).
        let mut seed = 1_u64;
        let mut draw = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as f64 / (1_u64 << 31) as f64
        };
        let mut poisson = |mean: f64| {
            let (end, mut product, mut n) = ((-mean).exp(), 1.0, 0);
            loop {
                product *= draw();
                if product <= end {
                    return n;
                }
                n += 1;
            }
        };
        let wrong = (0..1000)
            .filter(|_| {
                !changes(&counts(&(0..30).map(|_| poisson(6.0)).collect::<Vec<_>>()), Kind::Count).is_empty()
            })
            .count();
        assert!(wrong <= 20, "{wrong} of 1000");
    }
}
