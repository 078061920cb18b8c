//! Everything into one file.

use std::io::Write;

use crate::{
    Ledger, LedgerError,
    audit::{self, GENESIS},
    rows::Walk,
    transfer::{Line, VERSION},
};

const PAGE: u32 = 512;

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// Lines that were written.
    pub lines: u64,
    /// Head of the audit chain in the file.
    pub head: String,
}

impl Ledger {
    /// Writes the whole ledger, as it is at one moment, as JSON lines.
    ///
    /// # Errors
    /// Where the ledger can't be read or `out` can't be written.
    pub async fn export(&self, out: &mut (dyn Write + Send)) -> Result<Exported, LedgerError> {
        let mut db = self.read().await?;
        let mut lines = 0;
        let mut head = GENESIS.to_owned();
        let mut write = |line: &Line| -> Result<(), LedgerError> {
            let text = serde_json::to_string(line)
                .map_err(|source| LedgerError::Shape { what: "a row to export".to_owned(), source })?;
            lines += 1;
            writeln!(out, "{text}")
                .map_err(|e| LedgerError::from_io("write the export of", self.place().as_ref(), e))
        };
        write(&Line::RegreenState { version: VERSION })?;
        let mut after = i64::MIN;
        loop {
            let page = audit::entries(&mut db, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            head.clone_from(&last.hash);
            for entry in page {
                write(&Line::Audit(entry))?;
            }
        }
        let mut walk = Walk::default();
        loop {
            let rows = walk.next(&mut db).await?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                write(&Line::Row(row))?;
            }
        }
        let before = lines;
        let end = serde_json::json!({ "end": { "lines": before } });
        writeln!(out, "{end}")
            .and_then(|()| out.flush())
            .map_err(|e| LedgerError::from_io("write the export of", self.place().as_ref(), e))?;
        Ok(Exported { lines: before + 1, head })
    }
}
