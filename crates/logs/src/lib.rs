//! Bytes of a job's log → [`Log`]: which CI wrote it, its steps, how it says that it ended, the window that a
//! diagnosis reads, and lines that are decoded only when asked for.
//!
//! A log is hostile: broken UTF-8, UTF-16, NUL bytes, a hundred megabytes on one line, escape sequences that hide
//! words. Nothing here fails; what can't be read is read as well as it can be. Line numbers and columns always
//! mean the raw log, so that a person finds what the evidence points at.

mod decode;
mod dialect;
mod encoding;
mod ending;
mod line;
mod log;
mod options;
mod piece;
mod reader;
mod step;
mod text;
mod words;

pub use dialect::Format;
pub use ending::Ending;
pub use line::{Line, Lines};
pub use log::{Log, Numbers, read};
pub use options::{Dropped, ReadOptions};
pub use reader::Reader;
pub use step::{Step, StepOutcome};
pub use text::Text;
pub use words::{Alarm, alarm};
