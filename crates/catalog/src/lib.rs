//! The catalogue: TOML files → [`Catalog`]; parsed, checked, compiled, and proved by their own examples.
//!
//! One pattern, banner or playbook is one file, named after its id; the folder of a pattern is its class. The
//! built-in files are loaded and packed when the program is built; a user's own are added with
//! [`Catalog::with_custom`].
//! An invalid file is an error that names the file, the place in it and what to do.

mod banner;
mod catalog;
mod custom;
mod error;
mod expression;
mod literals;
mod matcher;
mod own_playbooks;
mod packed;
mod pattern;
mod playbook;
mod probe;
mod prove;
mod schema;
mod source;
mod template;

pub use banner::{Banner, Speaks};
pub use catalog::Catalog;
pub use custom::{LARGEST_CUSTOM_FILE, MOST_CUSTOM_FILES, id_in};
pub use error::CatalogError;
pub use expression::Expression;
pub use matcher::{Context, Description, Matcher, Side, Surroundings};
pub use own_playbooks::WithOwn;
pub use packed::{Later, Unpackable, Unreadable};
pub use pattern::{Counterexample, Example, HoleKind, Measured, Pattern, Status, Strength, TO_FILL_IN};
pub use playbook::{
    Break, DecisionExample, ExpectedDecision, ExpectedOutcome, Given, Guard, Need, Playbook, PlaybookStep,
    Rehearsal,
};
pub use probe::Probe;
pub use prove::Unproved;
pub use regreen_domain::PatternSource;
pub use schema::{pattern_schema, playbook_schema};
pub use template::{Filling, Part, Template, Unfilled};
