//! Drafts of patterns: from one line of a log, from lines that recur in failures that nothing names, and from the rules
//! of other tools. What comes out is a pattern file as text, for a person to complete; nothing here decides anything.

mod cluster;
mod draft;
mod import;
mod recur;
mod shape;

pub use cluster::{Cluster, Clusters};
pub use draft::{Draft, Drafted, Rest, Words, id_for};
pub use import::{Imported, LARGEST_IMPORT, Skipped, Unimportable, import};
pub use recur::{Suggestion, Unnamed, guess, suggest};
pub use shape::expression;
