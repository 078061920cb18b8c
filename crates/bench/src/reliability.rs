//! Whether 0.85 means 85 %: stated confidence beside the share that was right.

/// Findings of about the same confidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// Confidence from here.
    pub from: f64,
    /// To here; the last bin includes it.
    pub to: f64,
    /// How many.
    pub n: u32,
    /// Their mean confidence.
    pub stated: f64,
    /// The share of them that was right.
    pub right: f64,
}

/// The reliability table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reliability {
    /// Only bins that hold something, in order.
    pub bins: Vec<Bin>,
    /// Expected calibration error: the mean distance of stated and right over the bins, weighted by their size.
    pub ece: Option<f64>,
}

const BINS: u32 = 10;

impl Reliability {
    /// From (confidence, whether it was right).
    pub fn of(findings: &[(f64, bool)]) -> Reliability {
        let width = 1.0 / f64::from(BINS);
        let mut bins = Vec::new();
        for i in 0..BINS {
            let (from, to) = (f64::from(i) * width, f64::from(i + 1) * width);
            let last = i + 1 == BINS;
            let inside: Vec<_> = findings.iter().filter(|(c, _)| *c >= from && (*c < to || last)).collect();
            let Ok(n) = u32::try_from(inside.len()) else { continue };
            if n == 0 {
                continue;
            }
            let stated = inside.iter().map(|(c, _)| c).sum::<f64>() / f64::from(n);
            let right =
                inside.iter().map(|(_, right)| f64::from(u8::from(*right))).sum::<f64>() / f64::from(n);
            bins.push(Bin { from, to, n, stated, right });
        }
        let all: f64 = bins.iter().map(|bin| f64::from(bin.n)).sum();
        let distance: f64 = bins.iter().map(|bin| f64::from(bin.n) * (bin.stated - bin.right).abs()).sum();
        Reliability { bins, ece: (all > 0.0).then(|| distance / all) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_honest_half_has_no_error_and_a_boast_has() {
        let honest = [(0.5, true), (0.5, false)];
        assert_eq!(Reliability::of(&honest).ece, Some(0.0));
        let boast = [(1.0, true), (1.0, false)];
        assert_eq!(Reliability::of(&boast).ece, Some(0.5));
        let both: Vec<_> = honest.into_iter().chain(boast).collect();
        let table = Reliability::of(&both);
        assert_eq!(table.ece, Some(0.25));
        assert_eq!(table.bins.iter().map(|bin| bin.n).collect::<Vec<_>>(), [2, 2]);
        assert_eq!(Reliability::of(&[]).ece, None);
    }
}
