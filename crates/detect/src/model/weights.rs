//! What was learned, as a file of numbers: no word of any log is in it.
//!
//! `RGM1`, then two parts (bias of each outcome, scale, number of features, and per feature its hash, its rarity and a
//! weight an outcome in one byte each), then the shared weights and those of the calibration. Little endian.

use std::sync::LazyLock;

use super::outcome::OUTCOMES;

/// The built-in weights, made by `cargo xtask train`.
static BUILTIN: &[u8] = include_bytes!("../../../../catalog/weights.bin");

const MAGIC: &[u8; 4] = b"RGM1";

/// Rarity is stored in steps of this.
const RARITY_STEP: f32 = 1.0 / 32.0;

/// A linear part: words to scores.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Part {
    /// By outcome.
    pub bias: Vec<f32>,
    /// One step of a stored weight.
    pub scale: f32,
    /// Hashes of the features, ascending.
    pub keys: Vec<u32>,
    /// By feature: how rare it is, by which its value is multiplied.
    pub rarity: Vec<u8>,
    /// By feature, then outcome.
    pub weights: Vec<i8>,
}

/// The whole model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Model {
    /// The words of a failure.
    pub failure: Part,
    /// A single line.
    pub line: Part,
    /// Weights that all classes share.
    pub shared: Vec<f32>,
    /// From the stated log-odds to those that hold.
    pub calibration: Vec<f32>,
}

/// A file that is no model of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnreadableModel;

impl std::fmt::Display for UnreadableModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no weights file of this version")
    }
}

impl std::error::Error for UnreadableModel {}

impl Model {
    /// The model that is part of the program.
    pub fn builtin() -> &'static Model {
        static MODEL: LazyLock<Model> = LazyLock::new(|| Model::parse(BUILTIN).unwrap_or_default());
        &MODEL
    }

    /// Reads a weights file.
    ///
    /// # Errors
    /// Where it is cut off, of another version, or its features are out of order.
    pub fn parse(bytes: &[u8]) -> Result<Model, UnreadableModel> {
        let mut rest = bytes.strip_prefix(MAGIC).ok_or(UnreadableModel)?;
        let model = Model {
            failure: Part::parse(&mut rest)?,
            line: Part::parse(&mut rest)?,
            shared: floats(&mut rest)?,
            calibration: floats(&mut rest)?,
        };
        if rest.is_empty() { Ok(model) } else { Err(UnreadableModel) }
    }

    /// The file.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        for part in [&self.failure, &self.line] {
            put_floats(&mut out, &part.bias);
            out.extend(part.scale.to_le_bytes());
            out.extend(count(part.keys.len()));
            out.extend(part.keys.iter().flat_map(|key| key.to_le_bytes()));
            out.extend(&part.rarity);
            out.extend(part.weights.iter().map(|w| w.to_le_bytes()[0]));
        }
        put_floats(&mut out, &self.shared);
        put_floats(&mut out, &self.calibration);
        out
    }
}

impl Part {
    /// From weights by feature and outcome; features come by ascending hash.
    pub fn quantise(bias: &[f64], keys: Vec<u32>, rarity: &[f32], weights: &[f64]) -> Part {
        let most = weights.iter().fold(0.0_f64, |most, w| most.max(w.abs())).max(f64::MIN_POSITIVE);
        let scale = (most / 127.0) as f32;
        let step = |w: &f64| (w / f64::from(scale)).round().clamp(-127.0, 127.0) as i8;
        Part {
            bias: bias.iter().map(|b| *b as f32).collect(),
            scale,
            keys,
            rarity: rarity.iter().map(|r| Part::rarity_step(*r)).collect(),
            weights: weights.iter().map(step).collect(),
        }
    }

    /// The same with at most so many features: those that can say most.
    #[must_use]
    pub fn pruned(self, most: usize) -> Part {
        let says = |i: usize| {
            let weights = self.weights[i * OUTCOMES..(i + 1) * OUTCOMES].iter();
            let greatest = weights.map(|w| u32::from(w.unsigned_abs())).max().unwrap_or(0);
            greatest * self.rarity.get(i).map_or(1, |r| u32::from(*r))
        };
        let mut kept: Vec<usize> = (0..self.keys.len()).collect();
        kept.sort_by_key(|i| (std::cmp::Reverse(says(*i)), *i));
        kept.truncate(most);
        kept.sort_unstable();
        Part {
            keys: kept.iter().map(|i| self.keys[*i]).collect(),
            rarity: kept.iter().map(|i| self.rarity[*i]).collect(),
            weights: kept
                .iter()
                .flat_map(|i| self.weights[i * OUTCOMES..(i + 1) * OUTCOMES].iter().copied())
                .collect(),
            ..self
        }
    }

    /// A rarity as it is stored.
    pub fn rarity_step(rarity: f32) -> u8 {
        (rarity / RARITY_STEP).round().clamp(1.0, 255.0) as u8
    }

    /// A stored rarity.
    pub fn rarity(step: u8) -> f32 {
        f32::from(step) * RARITY_STEP
    }

    /// Scores by outcome. `whole`: the values are made as long as one over the features that are known.
    pub(crate) fn scores(&self, keys: &[(u32, f32)], whole: bool) -> [f64; OUTCOMES] {
        let known = keys.iter().filter_map(|(key, value)| Some((self.keys.binary_search(key).ok()?, *value)));
        let known: Vec<(usize, f32)> = known
            .map(|(i, value)| (i, value * self.rarity.get(i).map_or(1.0, |r| Part::rarity(*r))))
            .collect();
        let length = known.iter().map(|(_, v)| v * v).sum::<f32>().sqrt();
        let unit = f64::from(self.scale) / if whole && length > 0.0 { f64::from(length) } else { 1.0 };
        let mut scores = [0.0; OUTCOMES];
        for (score, bias) in scores.iter_mut().zip(&self.bias) {
            *score = f64::from(*bias);
        }
        for (i, value) in known {
            let weights = self.weights.get(i * OUTCOMES..).unwrap_or_default();
            for (score, w) in scores.iter_mut().zip(weights) {
                *score += unit * f64::from(value) * f64::from(*w);
            }
        }
        scores
    }

    fn parse(rest: &mut &[u8]) -> Result<Part, UnreadableModel> {
        let bias = floats(rest)?;
        let scale = f32::from_le_bytes(take(rest)?);
        let n = u32::from_le_bytes(take(rest)?) as usize;
        let whole =
            n.checked_mul(4 + 1 + OUTCOMES).filter(|bytes| *bytes <= rest.len()).ok_or(UnreadableModel)?;
        let (body, after) = rest.split_at(whole);
        *rest = after;
        let (keys, body) = body.split_at(n * 4);
        let (rarity, weights) = body.split_at(n);
        let keys: Vec<u32> = keys.as_chunks().0.iter().map(|key| u32::from_le_bytes(*key)).collect();
        if bias.len() != OUTCOMES || !scale.is_finite() || !keys.is_sorted_by(|a, b| a < b) {
            return Err(UnreadableModel);
        }
        let weights = weights.iter().map(|b| i8::from_le_bytes([*b])).collect();
        Ok(Part { bias, scale, keys, rarity: rarity.to_vec(), weights })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], UnreadableModel> {
    let (first, after) = rest.split_first_chunk::<N>().ok_or(UnreadableModel)?;
    *rest = after;
    Ok(*first)
}

fn floats(rest: &mut &[u8]) -> Result<Vec<f32>, UnreadableModel> {
    let n = u32::from_le_bytes(take(rest)?);
    let values: Vec<f32> = (0..n).map(|_| take(rest).map(f32::from_le_bytes)).collect::<Result<_, _>>()?;
    if values.iter().all(|v| v.is_finite()) { Ok(values) } else { Err(UnreadableModel) }
}

fn put_floats(out: &mut Vec<u8>, values: &[f32]) {
    out.extend(count(values.len()));
    out.extend(values.iter().flat_map(|v| v.to_le_bytes()));
}

fn count(n: usize) -> [u8; 4] {
    u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_damaged_is_refused() {
        let weights: Vec<f64> = (0..2 * OUTCOMES).map(|i| i as f64 / 10.0 - 1.0).collect();
        let part = Part::quantise(&[0.5; OUTCOMES], vec![3, 9], &[1.0, 2.0], &weights);
        let model =
            Model { failure: part.clone(), line: part, shared: vec![1.0, -2.0], calibration: vec![0.5] };
        let bytes = model.encode();
        assert_eq!(Model::parse(&bytes), Ok(model));
        for end in 0..bytes.len() {
            assert_eq!(Model::parse(&bytes[..end]), Err(UnreadableModel));
        }
    }

    #[test]
    fn what_says_least_is_dropped_first() {
        let mut weights = vec![0.0; 3 * OUTCOMES];
        (weights[0], weights[OUTCOMES], weights[2 * OUTCOMES]) = (1.0, -3.0, 2.0);
        let part = Part::quantise(&[0.0; OUTCOMES], vec![1, 2, 3], &[1.0; 3], &weights).pruned(2);
        assert_eq!(part.keys, [2, 3]);
        assert_eq!((part.weights[0], part.weights.len()), (-127, 2 * OUTCOMES));
    }

    #[test]
    fn the_built_in_weights_are_whole_and_small() {
        assert!(Model::parse(BUILTIN).is_ok());
        assert!(BUILTIN.len() <= 300 * 1024, "{} bytes", BUILTIN.len());
    }
}
