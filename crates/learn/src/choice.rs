//! A choice among classes of which each is described by the same few features: what is learned of one class holds for
//! all, so a class that is rare in the examples is not forgotten.
//!
//! Source: D. McFadden, "Conditional logit analysis of qualitative choice behavior" (1974).

use crate::{log_softmax, minimise};

/// One labelled choice.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// By class: its features.
    pub options: Vec<Vec<f64>>,
    /// By class: whether choosing it is right.
    pub right: Vec<bool>,
}

/// Learns one weight a feature, such that the right classes together are as likely as they can be. `l2` draws the
/// weights to where they `start`.
pub fn choose(choices: &[Choice], start: &[f64], l2: f64, steps: usize) -> Vec<f64> {
    let n = choices.len() as f64;
    minimise(start.to_vec(), steps, |w, gradient| {
        let mut loss = 0.0;
        for ((g, w), s) in gradient.iter_mut().zip(w).zip(start) {
            *g = 2.0 * l2 * (w - s);
            loss += l2 * (w - s) * (w - s);
        }
        for choice in choices {
            let score = |option: &Vec<f64>| option.iter().zip(w).map(|(x, w)| x * w).sum::<f64>();
            let mut scores: Vec<f64> = choice.options.iter().map(score).collect();
            log_softmax(&mut scores);
            let right: f64 =
                scores.iter().zip(&choice.right).filter(|(_, r)| **r).map(|(s, _)| s.exp()).sum();
            let right = right.max(1e-12);
            loss -= right.ln() / n;
            for ((score, is_right), option) in scores.iter().zip(&choice.right).zip(&choice.options) {
                let p = score.exp();
                let off = (p - if *is_right { p / right } else { 0.0 }) / n;
                for (g, x) in gradient.iter_mut().zip(option) {
                    *g += off * x;
                }
            }
        }
        loss
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_that_points_at_the_right_class_gets_weight_and_noise_none() {
        let choice = |right: usize, noise: f64| {
            let option = |class: usize| {
                vec![f64::from(u8::from(class == right)), if class == 0 { noise } else { 0.0 }]
            };
            Choice { options: (0..3).map(option).collect(), right: (0..3).map(|c| c == right).collect() }
        };
        let choices: Vec<Choice> =
            (0..30).map(|i| choice(i % 3, if i % 2 == 0 { 1.0 } else { -1.0 })).collect();
        let w = choose(&choices, &[0.0, 0.0], 1e-3, 100);
        assert!(w[0] > 2.0 && w[1].abs() < 0.2, "{w:?}");
    }
}
