//! The learned model: what the words of a failure, and the signatures among them, say of its class.
//!
//! Three small parts, trained by `cargo xtask train` on labelled logs and the catalogue's own examples. One reads the
//! words around the failure point, weighted by nearness and by how much a line reads like an error. One asks of each
//! line alone whether it is the cause, and of which class. The third weighs both with the signatures; its few weights
//! are shared by all classes and know no pattern by name, so a pattern that is added later counts at once. What comes
//! out is calibrated on folds that were held out.

mod cues;
mod opinion;
mod outcome;
mod reading;
mod weights;
mod words;

pub use opinion::{Opinion, SHARED, calibration_features, top};
pub(crate) use opinion::{Signs, calibrated, choice_features, features, probabilities};
pub use outcome::{OUTCOMES, Outcome};
pub use reading::{Keys, ReadLine, Reading};
pub use weights::{Model, Part, UnreadableModel};
