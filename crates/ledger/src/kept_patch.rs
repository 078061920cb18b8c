//! What an incident changed in tracked files, kept with it like a log: compressed, capped, and only where masking changes nothing in it.

use std::fmt::Write as _;

use crate::{Ledger, LedgerError};

/// Most bytes of a patch that are kept: its beginning.
pub const PATCH_CAP: usize = 128 << 10;
/// By this name it lies among the incident's logs. An incident of whole jobs, whose logs have theirs, changes no files.
const NAME: &str = "patch";

impl Ledger {
    /// Keeps a patch with its incident, and says whether it does: one that would not be the same once masked is refused.
    ///
    /// # Errors
    /// As [`Ledger::keep_log`].
    pub async fn keep_patch(&self, incident: &str, text: &str, now: i64) -> Result<bool, LedgerError> {
        if text.is_empty() || self.scrubber().scrub(text) != text {
            return Ok(false);
        }
        self.keep_log(incident, NAME, &beginning(text), now).await?;
        Ok(true)
    }

    /// The hash of the log that is the patch of an incident that changed files; `None` where none is kept.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn patch_of(&self, incident: &str) -> Result<Option<String>, LedgerError> {
        let logs = self.logs_of(incident).await?;
        Ok(logs.into_iter().find(|log| log.name == NAME).map(|log| log.hash))
    }
}

/// The first lines that fit, and how much is left out.
fn beginning(text: &str) -> String {
    if text.len() <= PATCH_CAP {
        return text.to_owned();
    }
    // With room for the line that says so: what was cut here once is cut nowhere again.
    let end = text.floor_char_boundary(PATCH_CAP - 64);
    let end = text[..end].rfind('\n').map_or(end, |at| at + 1);
    let mut kept = text[..end].to_owned();
    // As `diff` says what is no line of a file.
    let _infallible = writeln!(kept, "\\ {} more bytes are left out", text.len() - end);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_one_the_beginning_is_kept() {
        let text = "+a line of a file\n".repeat(10_000);
        let kept = beginning(&text);
        assert!(
            kept.len() <= PATCH_CAP && beginning(&kept) == kept && kept.starts_with("+a line of a file\n+a")
        );
        let lines = kept.lines().count() - 1;
        let left_out = format!("\\ {} more bytes are left out", text.len() - lines * 18);
        assert_eq!(kept.lines().last(), Some(left_out.as_str()));
        assert_eq!(beginning("+a\n"), "+a\n");
    }
}
