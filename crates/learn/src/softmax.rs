//! Multinomial logistic regression on sparse features.

use crate::minimise;

/// One labelled example.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// (feature, value), each feature once.
    pub features: Vec<(usize, f64)>,
    /// How much each class is right; sums to 1.
    pub target: Vec<f64>,
    /// How much it counts.
    pub weight: f64,
}

/// What was learned.
#[derive(Debug, Clone, PartialEq)]
pub struct Softmax {
    /// By feature, then class.
    pub weights: Vec<f64>,
    /// By class.
    pub bias: Vec<f64>,
}

impl Softmax {
    /// Learns. `l2` times the squares of all weights is added to the mean loss.
    pub fn learn(examples: &[Example], features: usize, classes: usize, l2: f64, steps: usize) -> Softmax {
        let total: f64 = examples.iter().map(|example| example.weight).sum();
        let size = features * classes;
        let mut scores = vec![0.0; classes];
        let x = minimise(vec![0.0; size + classes], steps, |x, gradient| {
            let (weights, bias) = x.split_at(size);
            let squares: f64 = weights.iter().map(|w| w * w).sum();
            for (g, w) in gradient.iter_mut().zip(weights) {
                *g = 2.0 * l2 * w;
            }
            gradient[size..].fill(0.0);
            let mut loss = 0.0;
            for example in examples {
                scores.copy_from_slice(bias);
                for &(feature, value) in &example.features {
                    for (score, w) in scores.iter_mut().zip(&weights[feature * classes..]) {
                        *score += value * w;
                    }
                }
                log_softmax(&mut scores);
                let part = example.weight / total;
                for (score, target) in scores.iter_mut().zip(&example.target) {
                    loss -= part * target * *score;
                    *score = part * (score.exp() - target);
                }
                for &(feature, value) in &example.features {
                    for (g, s) in gradient[feature * classes..].iter_mut().zip(&scores) {
                        *g += value * s;
                    }
                }
                for (g, s) in gradient[size..].iter_mut().zip(&scores) {
                    *g += s;
                }
            }
            loss + l2 * squares
        });
        let (weights, bias) = x.split_at(size);
        Softmax { weights: weights.to_vec(), bias: bias.to_vec() }
    }
}

/// Scores to logarithms of probabilities.
pub fn log_softmax(scores: &mut [f64]) {
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = scores.iter().map(|s| (s - most).exp()).sum();
    let log = most + sum.ln();
    scores.iter_mut().for_each(|s| *s -= log);
}

/// Scores to probabilities.
pub fn softmax(scores: &mut [f64]) {
    log_softmax(scores);
    scores.iter_mut().for_each(|s| *s = s.exp());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn learns_which_feature_means_which_class() {
        let example = |feature: usize, class: usize| {
            let mut target = vec![0.0; 3];
            target[class] = 1.0;
            Example { features: vec![(feature, 1.0)], target, weight: 1.0 }
        };
        let examples = [example(0, 0), example(1, 1), example(2, 2), example(3, 2)];
        let learned = Softmax::learn(&examples, 4, 3, 1e-4, 100);
        for e in &examples {
            let feature = e.features[0].0;
            let mut scores: Vec<f64> =
                (0..3).map(|c| learned.bias[c] + learned.weights[feature * 3 + c]).collect();
            softmax(&mut scores);
            let right: f64 = scores.iter().zip(&e.target).map(|(p, t)| p * t).sum();
            assert!(right > 0.9, "{scores:?}");
        }
        assert_eq!(learned, Softmax::learn(&examples, 4, 3, 1e-4, 100));
    }
}
