//! Confidence as a measured quantity: Wilson lower bounds of counts, combined as independent witnesses.

use std::fmt;

/// How sure a diagnosis is, a probability from 0 to 1.
///
/// There is no constructor from a literal: it is computed from [`Counts`], stated by a calibrated model, or read back from where it was stored.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Confidence(f64);

/// What was measured of a signature or a probe on labelled logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Logs in which it spoke.
    pub hits: u32,
    /// Of those, logs whose label it named.
    pub right: u32,
    /// Labelled logs that were read.
    pub n: u32,
}

impl Confidence {
    /// Nothing is known.
    pub const NONE: Confidence = Confidence(0.0);

    /// Wilson score lower bound of `counts.right` of `counts.hits` at 95 % two-sided (z = 1.96).
    ///
    /// Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    /// JASA 22 (1927). Zero hits give [`Confidence::NONE`],
    /// and none right is exactly that too, which rounding would miss.
    pub fn wilson(counts: Counts) -> Confidence {
        if counts.hits == 0 || counts.right == 0 {
            return Confidence::NONE;
        }
        const Z: f64 = 1.959_963_984_540_054;
        let n = f64::from(counts.hits);
        let p = f64::from(counts.right.min(counts.hits)) / n;
        let centre = p + Z * Z / (2.0 * n);
        let margin = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
        Confidence(((centre - margin) / (1.0 + Z * Z / n)).clamp(0.0, 1.0))
    }

    /// Both witnesses say the same, and each was wrong independently of the other: 1 − (1 − a)(1 − b).
    #[must_use]
    pub fn and_witness(self, other: Confidence) -> Confidence {
        Confidence(1.0 - (1.0 - self.0) * (1.0 - other.0))
    }

    /// The lower of both.
    #[must_use]
    pub fn at_most(self, other: Confidence) -> Confidence {
        if other < self { other } else { self }
    }

    /// A probability that a model states and that was calibrated on what was held out from it.
    pub fn calibrated(probability: f64) -> Confidence {
        if probability.is_finite() { Confidence(probability.clamp(0.0, 1.0)) } else { Confidence::NONE }
    }

    /// Reads a stored value back; anything outside 0..=1 is refused.
    pub fn from_stored(value: f64) -> Option<Confidence> {
        (0.0..=1.0).contains(&value).then_some(Confidence(value))
    }

    /// The probability, from 0 to 1.
    pub fn value(self) -> f64 {
        self.0
    }
}

impl fmt::Display for Confidence {
    /// Two decimals, rounded down, so that 0.849 is never shown as the threshold it did not reach.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2}", (self.0 * 100.0 + 1e-9).floor() / 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn wilson_agrees_with_published_values() {
        // Newcombe, Statistics in Medicine 17 (1998), table I: 81/263, 15/148, 0/20, 1/29.
        for (right, hits, want) in [(81, 263, 0.2553), (15, 148, 0.0624), (0, 20, 0.0), (1, 29, 0.0061)] {
            let got = Confidence::wilson(Counts { hits, right, n: hits }).value();
            assert!((got - want).abs() < 5e-5, "{right}/{hits}: {got}");
        }
    }

    proptest! {
        #[test]
        fn never_above_the_observed_share_and_grows_with_evidence(hits in 1u32..500, right in 0u32..500) {
            let right = right.min(hits);
            let c = Confidence::wilson(Counts { hits, right, n: hits });
            prop_assert!(c.value() <= f64::from(right) / f64::from(hits) + 1e-12);
            let twice = Confidence::wilson(Counts { hits: hits * 2, right: right * 2, n: hits * 2 });
            prop_assert!(twice >= c);
            prop_assert!(c.and_witness(twice) >= twice);
        }
    }
}
