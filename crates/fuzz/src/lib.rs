//! Fuzz targets: each door through which bytes from outside come in, as a plain function that panics where a law is
//! broken; and the mutator that makes inputs from seeds.
//!
//! The mutator is not guided by coverage. It knows the shapes instead: it splices seeds, repeats, cuts and shuffles
//! lines, and puts in words that each door knows. `tests/targets.rs` runs every target, a little in CI and for long
//! in `cargo xtask soak fuzz`; the same seed and count give the same inputs.

mod mutate;
mod targets;

pub use mutate::Mutator;

/// A door, and the law behind it.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// What holds for any bytes, beside that nothing panics.
    pub law: &'static str,
    /// Checks the law for these bytes.
    pub run: fn(&[u8]),
    /// Inputs that get far.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Words that mean something there.
    pub words: &'static [&'static str],
    /// How many inputs a small run has, in a hundred: some targets cost more.
    pub share: u32,
}

/// Every target.
pub fn targets() -> Vec<Target> {
    targets::all()
}
