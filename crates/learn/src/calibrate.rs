//! From a stated probability to one that holds: logistic regression on its log-odds.
//!
//! Source: J. Platt, "Probabilistic outputs for support vector machines" (1999), section 2.2 for the targets.

use crate::minimise;

/// Learns weights of the features (the first of which is usually the stated log-odds) and a constant, which comes
/// last, such that their logistic sum is the share that is right.
pub fn calibrate(cases: &[(Vec<f64>, bool)], l2: f64) -> Vec<f64> {
    let size = cases.first().map_or(0, |(features, _)| features.len());
    let right = cases.iter().filter(|(_, right)| *right).count() as f64;
    let wrong = cases.len() as f64 - right;
    // Never quite sure: a count says so.
    let (yes, no) = ((right + 1.0) / (right + 2.0), 1.0 / (wrong + 2.0));
    let mut start = vec![0.0; size + 1];
    if let Some(first) = start.first_mut() {
        *first = 1.0;
    }
    let n = cases.len().max(1) as f64;
    minimise(start.clone(), 100, |w, gradient| {
        let mut loss = 0.0;
        for ((g, w), s) in gradient.iter_mut().zip(w).zip(&start) {
            *g = 2.0 * l2 * (w - s);
            loss += l2 * (w - s) * (w - s);
        }
        for (features, right) in cases {
            let z: f64 = features.iter().zip(w).map(|(x, w)| x * w).sum::<f64>() + w[size];
            let target = if *right { yes } else { no };
            // ln(1 + e^z) - target z, without overflow.
            loss += (z.max(0.0) + (-z.abs()).exp().ln_1p() - target * z) / n;
            let off = (1.0 / (1.0 + (-z).exp()) - target) / n;
            for (g, x) in gradient.iter_mut().zip(features) {
                *g += off * x;
            }
            gradient[size] += off;
        }
        loss
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boast_is_brought_down_to_what_was_right() {
        // States 0.95 (log-odds 2.94), is right in 7 of 10.
        let cases: Vec<_> = (0..200).map(|i| (vec![2.94], i % 10 < 7)).collect();
        let w = calibrate(&cases, 1e-4);
        let p = 1.0 / (1.0 + (-(2.94 * w[0] + w[1])).exp());
        assert!((p - 0.7).abs() < 0.02, "{p}");
    }
}
