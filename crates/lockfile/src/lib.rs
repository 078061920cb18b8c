//! Lockfiles as values: read, check, compare, merge and mend them, bytes in and bytes out.
//!
//! One folder a format ([`Format`] lists them); everything else is written once for all of them. A new format
//! is a folder with `FACTS` and `read`, and its arms in [`Format`], [`parse`] and, where it has a manifest that is
//! data, [`agrees_with_manifest`], and its layout for [`merge`]; its fixtures are the work of the real tool.
//!
//! Nothing here looks at the world, so where a good version comes from, and whether a checksum may be trusted,
//! is the caller's question: [`replace_checksum`] writes what it is given and only refuses a weaker algorithm.
//!
//! ```
//! use regreen_lockfile::{Format, check, parse};
//!
//! let text = br#"{"lockfileVersion": 3, "packages": {"node_modules/ms": {"version": "2.1.3"}}}"#;
//! let lockfile = parse(Format::NpmLock, text)?;
//! assert_eq!(lockfile.entries[0].name, "ms");
//!
//! let cut = &text[..40];
//! assert_eq!(check(Format::NpmLock, cut)[0].to_string(), "line 1: the text ends in the middle of a value");
//! # Ok::<(), regreen_lockfile::Damage>(())
//! ```

mod agreement;
mod artefacts;
mod bun;
mod cargo;
mod check;
mod checksum;
mod composer;
mod conflict;
mod damage;
mod diff;
mod examine;
mod format;
mod gemfile;
mod gosum;
mod gradle;
mod gradle_verification;
mod json;
mod lockfile;
mod marker;
mod merge;
mod names;
mod npm;
mod nuget;
mod origin;
mod package_json;
mod pip;
mod pipenv;
mod pnpm;
mod poetry;
mod position;
mod python;
mod repair;
mod replace;
mod uv;
mod yarn_berry;
mod yarn_classic;

pub use agreement::{Agreement, Manifest, agrees_with_manifest, unneeded};
pub use check::{Problem, check};
pub use checksum::{Algorithm, BadDigest, Checksum};
pub use conflict::{Conflict, NoConflict, split_conflict};
pub use damage::Damage;
pub use diff::{Change, SemanticDiff, State, diff};
pub use examine::{
    AllowedHost, Examined, Finding, Rule, Severity, examine, examine_agreement, examine_changes,
};
pub use format::Format;
pub use lockfile::{Dependency, Entry, EntryKey, Lockfile, checksum_of, hosts, parse};
pub use merge::{MergeConflict, Merged, Side, Unmergeable, merge};
pub use repair::{
    NoRepair, OddChecksum, OddChecksums, Repair, Suspect, UnclearChecksums, Version, acceptable, choose,
    odd_checksums,
};
pub use replace::{Refused, replace_checksum};
