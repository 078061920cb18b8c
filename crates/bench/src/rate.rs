//! A share that was counted, with the interval that its count allows.

/// So many of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Rate {
    /// How many did.
    pub hits: u32,
    /// How many could.
    pub n: u32,
}

impl Rate {
    /// Counts, over those for which `of` is some, how many are true.
    pub fn count<T>(items: impl IntoIterator<Item = T>, of: impl Fn(T) -> Option<bool>) -> Rate {
        items
            .into_iter()
            .filter_map(of)
            .fold(Rate::default(), |rate, hit| Rate { hits: rate.hits + u32::from(hit), n: rate.n + 1 })
    }

    /// The share; `None` of nothing.
    pub fn share(self) -> Option<f64> {
        (self.n > 0).then(|| f64::from(self.hits) / f64::from(self.n))
    }

    /// Wilson score interval at 95 %: from the least to the greatest share that these counts are likely under.
    ///
    /// Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
    pub fn interval(self) -> Option<(f64, f64)> {
        const Z: f64 = 1.959_963_984_540_054;
        let (p, n) = (self.share()?, f64::from(self.n));
        let centre = p + Z * Z / (2.0 * n);
        let margin = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
        let of = |sum: f64| (sum / (1.0 + Z * Z / n)).clamp(0.0, 1.0);
        Some((of(centre - margin), of(centre + margin)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_agree_with_published_ones() {
        // Newcombe, Statistics in Medicine 17 (1998), table I.
        for (hits, n, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let (l, h) = Rate { hits, n }.interval().unwrap();
            assert!((l - low).abs() < 5e-5 && (h - high).abs() < 5e-5, "{hits}/{n}: {l} {h}");
        }
        assert_eq!(Rate::default().interval(), None);
    }

    #[test]
    fn only_those_that_could_are_counted() {
        let rate = Rate::count([1, 2, 3, 4, 5], |i| (i != 5).then_some(i % 2 == 0));
        assert_eq!(rate, Rate { hits: 2, n: 4 });
    }
}
