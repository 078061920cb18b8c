//! Learning from labelled examples: softmax regression on sparse features, a choice model whose few weights all classes
//! share, and the calibration of a probability. Single-threaded and in a fixed order: the same examples always give
//! the same weights.

mod calibrate;
mod choice;
mod minimise;
mod softmax;

pub use calibrate::calibrate;
pub use choice::{Choice, choose};
pub use minimise::minimise;
pub use softmax::{Example, Softmax, log_softmax, softmax};
