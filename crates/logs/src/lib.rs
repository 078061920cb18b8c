//! Bytes of a job's log → [`Log`]: which CI wrote it, its steps, how it says that it ended, the window that a
//! diagnosis reads, and lines that are decoded only when asked for.
//!
//! A log is hostile: broken UTF-8, UTF-16, NUL bytes, a hundred megabytes on one line, escape sequences that hide
//! words. What can't be read is read as well as it can be; only
//! what is no text, or was packed to do harm, is an error. Line numbers and columns always
//! mean the raw log, so that a person finds what the evidence points at.

mod aftermath;
mod clock;
mod decode;
mod dialect;
mod encoding;
mod ending;
mod error;
mod line;
mod log;
mod options;
mod piece;
mod reader;
mod source;
mod step;
mod text;
mod unpack;
mod words;

pub use clock::Stamp;
pub use dialect::Format;
pub use ending::Ending;
pub use error::ReadError;
pub use line::{Line, Lines};
pub use log::{Log, Numbers, read};
pub use options::{Dropped, ReadOptions};
pub use reader::Reader;
pub use source::{Source, Tail};
pub use step::{Step, StepOutcome};
pub use text::Text;
pub use unpack::{Archive, Entry, Kind, Limits};
pub use words::{Alarm, alarm};
