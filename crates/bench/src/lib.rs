//! How good detection and healing are: labelled logs and runs of scenarios in, figures with their uncertainty out.
//!
//! Pure like the other thinking crates: it reads from what it is given, and knows neither detector nor catalogue. Who
//! measures hands over what was found for each row.

mod healing;
mod label;
mod rate;
mod reliability;
mod row;
mod scores;
mod set;

pub use healing::{ArmFigures, CauseFigures, Healing, HealingFigures, Slower, Times};
pub use label::Label;
pub use rate::Rate;
pub use reliability::{Bin, Reliability};
pub use row::{Chunk, Row, RowError, chunks, lines, row};
pub use scores::{ClassScore, Confusion, Found, Judged, Scores, THRESHOLD};
pub use set::{FOLDS, Set, fold, in_check_set};
