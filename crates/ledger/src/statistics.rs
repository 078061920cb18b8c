//! Shares with their intervals, and percentiles: `None` where nothing was measured, never a made-up number.

use regreen_domain::{Confidence, Counts};

/// A share of counted cases with its 95 % Wilson interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Cases that count.
    pub hits: u64,
    /// All cases; at least 1.
    pub n: u64,
    /// `hits / n`.
    pub share: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

impl Rate {
    /// `None` of no cases.
    pub(crate) fn of(hits: u64, n: u64) -> Option<Rate> {
        if n == 0 {
            return None;
        }
        let bound = |right: u64| {
            let (right, hits) = (u32::try_from(right).ok()?, u32::try_from(n).ok()?);
            Some(Confidence::wilson(Counts { hits, right, n: hits }).value())
        };
        Some(Rate {
            hits,
            n,
            share: hits as f64 / n as f64,
            low: bound(hits)?,
            // The interval is symmetric: the upper end of the hits is the lower end of the misses.
            high: 1.0 - bound(n.checked_sub(hits)?)?,
        })
    }
}

/// How long something takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spread {
    /// How many were measured; at least 1.
    pub n: u64,
    /// Half of them took at most so many milliseconds.
    pub p50: u64,
    /// 95 of 100 took at most so many milliseconds.
    pub p95: u64,
}

impl Spread {
    /// Nearest-rank percentiles; `None` of nothing.
    pub(crate) fn of(mut values: Vec<u64>) -> Option<Spread> {
        values.sort_unstable();
        let rank =
            |percent: usize| values.get((values.len() * percent).div_ceil(100).checked_sub(1)?).copied();
        Some(Spread { n: values.len() as u64, p50: rank(50)?, p95: rank(95)? })
    }
}

/// The mean; `None` of nothing.
pub(crate) fn mean(values: &[u64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().map(|v| *v as f64).sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_measured_gives_nothing() {
        assert_eq!(Rate::of(0, 0), None);
        assert_eq!(Spread::of(Vec::new()), None);
        assert_eq!(mean(&[]), None);
    }

    #[test]
    fn a_rate_agrees_with_published_intervals() {
        // Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
        for (hits, n, low, high) in [(81, 263, 0.2553, 0.3662), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
        {
            let rate = Rate::of(hits, n).unwrap();
            assert!((rate.low - low).abs() < 5e-5 && (rate.high - high).abs() < 5e-5, "{rate:?}");
        }
    }

    #[test]
    fn percentiles_are_values_that_were_measured() {
        assert_eq!(Spread::of(vec![7]), Some(Spread { n: 1, p50: 7, p95: 7 }));
        assert_eq!(Spread::of((1..=100).collect()), Some(Spread { n: 100, p50: 50, p95: 95 }));
        assert_eq!(Spread::of(vec![4, 1, 3, 2]), Some(Spread { n: 4, p50: 2, p95: 4 }));
    }
}
