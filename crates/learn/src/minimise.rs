//! Minimises a smooth function: L-BFGS with a backtracking line search.
//!
//! Source: Nocedal and Wright, "Numerical Optimization" (2006), algorithms 7.4 and 3.1.

/// So many steps are remembered.
const MEMORY: usize = 10;

/// A step is short enough once the value falls by this share of what the slope promises.
const ARMIJO: f64 = 1e-4;

/// Starts at `x`; stops after so many steps, or where the function is flat. `f` gives the value and fills in the
/// gradient.
pub fn minimise(mut x: Vec<f64>, steps: usize, mut f: impl FnMut(&[f64], &mut [f64]) -> f64) -> Vec<f64> {
    let mut gradient = vec![0.0; x.len()];
    let mut value = f(&x, &mut gradient);
    let mut memory: Vec<(Vec<f64>, Vec<f64>, f64)> = Vec::new();
    let (mut next, mut next_gradient) = (x.clone(), gradient.clone());
    for _ in 0..steps {
        let mut direction = downhill(&gradient, &memory);
        let mut slope = dot(&direction, &gradient);
        if slope >= 0.0 {
            memory.clear();
            direction = gradient.iter().map(|g| -g).collect();
            slope = dot(&direction, &gradient);
        }
        if slope > -1e-14 {
            break;
        }
        // The first step knows nothing of the scale.
        let mut length = if memory.is_empty() { 1.0 / (-slope).sqrt() } else { 1.0 };
        let mut found = false;
        for _ in 0..30 {
            for ((n, x), d) in next.iter_mut().zip(&x).zip(&direction) {
                *n = x + length * d;
            }
            let next_value = f(&next, &mut next_gradient);
            if next_value <= value + ARMIJO * length * slope {
                value = next_value;
                found = true;
                break;
            }
            length *= 0.5;
        }
        if !found {
            break;
        }
        let step: Vec<f64> = next.iter().zip(&x).map(|(a, b)| a - b).collect();
        let turn: Vec<f64> = next_gradient.iter().zip(&gradient).map(|(a, b)| a - b).collect();
        let curvature = dot(&step, &turn);
        std::mem::swap(&mut x, &mut next);
        std::mem::swap(&mut gradient, &mut next_gradient);
        if curvature > 1e-12 {
            if memory.len() == MEMORY {
                memory.remove(0);
            }
            memory.push((step, turn, 1.0 / curvature));
        }
    }
    x
}

fn downhill(gradient: &[f64], memory: &[(Vec<f64>, Vec<f64>, f64)]) -> Vec<f64> {
    let mut q = gradient.to_vec();
    let mut alphas = Vec::with_capacity(memory.len());
    for (step, turn, rho) in memory.iter().rev() {
        let alpha = rho * dot(step, &q);
        add(&mut q, -alpha, turn);
        alphas.push(alpha);
    }
    if let Some((step, turn, _)) = memory.last() {
        let scale = dot(step, turn) / dot(turn, turn);
        q.iter_mut().for_each(|q| *q *= scale);
    }
    for ((step, turn, rho), alpha) in memory.iter().zip(alphas.into_iter().rev()) {
        let beta = rho * dot(turn, &q);
        add(&mut q, alpha - beta, step);
    }
    q.iter_mut().for_each(|q| *q = -*q);
    q
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(to: &mut [f64], factor: f64, what: &[f64]) {
    for (to, what) in to.iter_mut().zip(what) {
        *to += factor * what;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_bottom_of_a_narrow_valley() {
        // Rosenbrock's function.
        let f = |x: &[f64], g: &mut [f64]| {
            let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
            g[0] = -2.0 * a - 400.0 * x[0] * b;
            g[1] = 200.0 * b;
            a * a + 100.0 * b * b
        };
        let x = minimise(vec![-1.2, 1.0], 200, f);
        assert!((x[0] - 1.0).abs() < 1e-5 && (x[1] - 1.0).abs() < 1e-5, "{x:?}");
    }
}
