//! Scenarios: really broken projects as data, one file each in `scenarios/`, and what must come of them.
//!
//! A [`Scenario`] says what breaks and how Regreen must end. [`Stage::set`] sets it up, [`Stage::run`] lets one
//! [`Arm`] at it (the bare command, a plain retry, the tool's own retries, Regreen), and [`Ran`] tells what
//! happened, down to every byte of the workspace.

mod arm;
mod judge;
mod stage;

use std::collections::BTreeMap;

use serde::Deserialize;

pub use arm::{Arm, Ran};
pub use judge::judge;
pub use stage::Stage;

use crate::damage::{CacheDamage, LockfileDamage};
use crate::error::LabError;
use crate::packages::PackageManager;
use crate::script::Script;

/// One scenario.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// The file's name.
    #[serde(skip)]
    pub id: String,
    /// What happens, in a line.
    pub title: String,
    /// Whose project it is.
    pub tool: PackageManager,
    /// Another tool's patience with the same trouble is tried everywhere: this one only where all are asked for.
    #[serde(default)]
    pub slow: bool,
    /// The class that the fault is of.
    pub truth: String,
    /// Classes that an expert would accept too.
    #[serde(default)]
    pub also: Vec<String>,
    /// Where it happens.
    #[serde(default)]
    pub setting: Setting,
    /// The wrapped command; the project's own install where there is none.
    #[serde(default)]
    pub command: Option<Vec<String>>,
    /// What happened to the lockfile.
    #[serde(default)]
    pub lockfile: Option<LockfileDamage>,
    /// What happened to the cache.
    #[serde(default)]
    pub cache: Option<CacheDamage>,
    /// The registry's faults.
    #[serde(default)]
    pub registry: Script,
    /// A second registry, as the operator's mirror.
    #[serde(default)]
    pub mirror: bool,
    /// Whether the cache is filled before anything breaks.
    #[serde(default)]
    pub warm: bool,
    /// Files to commit before anything breaks.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Whether the damage is committed.
    #[serde(default)]
    pub committed: bool,
    /// A branch off `origin/main`, on which an earlier commit holds another checksum than the present one.
    #[serde(default)]
    pub evil_history: bool,
    /// Additional environment.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Whether it is one of the representative ones, at which all arms are let.
    #[serde(default)]
    pub compared: bool,
    /// What must come of it.
    pub expect: Expect,
}

/// Where it happens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Setting {
    /// A CI job.
    #[default]
    Ci,
    /// A laptop.
    Laptop,
    /// A CI job of a pull request against `main`.
    PullRequest,
}

/// What must come of a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Regreen's outcome.
    pub outcome: String,
    /// Why nothing was done.
    #[serde(default)]
    pub because: Option<String>,
}

impl Scenario {
    /// Every scenario, by id.
    ///
    /// # Errors
    /// [`LabError::Scenario`] where a file is not one.
    pub fn all() -> Result<Vec<Scenario>, LabError> {
        let files: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/scenarios.rs"));
        files.iter().map(|(id, text)| Scenario::parse(id, text)).collect()
    }

    /// The scenario in a file.
    ///
    /// # Errors
    /// [`LabError::Scenario`] where it is none.
    pub fn parse(id: &str, text: &str) -> Result<Scenario, LabError> {
        let scenario: Scenario =
            toml::from_str(text).map_err(|e| LabError::Scenario { id: id.to_owned(), why: e.to_string() })?;
        Ok(Scenario { id: id.to_owned(), ..scenario })
    }

    /// Whether the tool must get over it by itself.
    pub fn is_no_failure(&self) -> bool {
        self.expect.outcome == "passed"
    }

    /// Whether Regreen must heal it.
    pub fn is_healable(&self) -> bool {
        self.expect.outcome == "healed"
    }
}
