//! What is said of a diagnosis, in five formats: plain text, JSON, annotations of a GitHub job, SARIF, Markdown; and what
//! issues and pull requests say.
//!
//! A log is hostile text, and so is what is quoted of it: nothing that is shown here hides, reorders or forges what
//! stands around it, drives the terminal, is a command to the CI runner that prints it, or leaves its place in a
//! document. Pure like the other thinking crates: text goes out as a `String`; who prints it is the shell.

mod advice;
mod cure;
mod diagnosed;
pub mod escalation;
pub mod github;
pub mod harmless;
pub mod json;
pub mod markdown;
pub mod plain;
pub mod proposal;
pub mod sarif;
pub mod told;

pub use advice::{Advice, Named, advice};
pub use cure::{Cure, action};
pub use diagnosed::Diagnosed;
