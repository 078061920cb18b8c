//! `probes.toml`: what was measured of each probe.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::source::Source;
use crate::{CatalogError, Measured};

/// One probe's measured counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// The stable id, as in findings.
    pub id: String,
    /// What it looks at, for people.
    pub title: String,
    /// Whether what it sees is there as well where the project's own code has failed, such as a registry that answers.
    pub circumstantial: bool,
    /// What was measured of it.
    pub measured: Measured,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProbe {
    title: String,
    #[serde(default)]
    circumstantial: bool,
    #[serde(default)]
    measured: Measured,
}

impl Probe {
    pub(crate) fn parse_all(source: Source<'_>) -> Result<Vec<Probe>, CatalogError> {
        let raw: BTreeMap<String, RawProbe> = source.parse()?;
        let probe = |(id, RawProbe { title, circumstantial, measured })| Probe {
            id,
            title,
            circumstantial,
            measured,
        };
        Ok(raw.into_iter().map(probe).collect())
    }
}
