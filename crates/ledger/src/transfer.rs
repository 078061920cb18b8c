//! The file between two ledgers: JSON lines, versioned, the audit chain first, then every row, then an end mark.

use serde::{Deserialize, Serialize};

use crate::{audit::AuditEntry, row::Row};

/// The version that is written, and the newest that is read.
pub(crate) const VERSION: u32 = 1;

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Line {
    /// First.
    RegreenState {
        /// Version of this format.
        version: u32,
    },
    /// An entry of the chain.
    Audit(AuditEntry),
    /// A row.
    Row(Row),
    /// Last: a file without it was cut short.
    End {
        /// How many lines came before.
        lines: u64,
    },
}
