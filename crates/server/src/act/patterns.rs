//! What a person accepts of what was drafted: a pattern that names such failures on every node from then on.

use std::sync::Arc;

use regreen_catalog::{CatalogError, TO_FILL_IN, id_in};
use regreen_engine::LiveCatalog;
use regreen_ledger::{Acceptance, Ledger, LedgerError};
use thiserror::Error;

/// The dashboard's page of drafts has the place of a pattern with this id.
const THE_PAGE: &str = "suggested";

/// Why a pattern is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotAccepted {
    /// It is no pattern, or does not prove itself: what is wrong with it, and what to do.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Wrong(Vec<CatalogError>),
    /// Another one of its name stands.
    #[error("another pattern of that name is accepted: choose another name, or take that one back first")]
    Taken,
    /// No more can stand.
    #[error("{} patterns are accepted, and no more can be: take one back first", Ledger::MOST_ACCEPTED)]
    Full,
    /// It may not be stored.
    #[error("it holds what looks like a secret, or is no text: take that out")]
    Secret,
}

/// Accepts a pattern's file, where it proves itself among all that is known; its name. The same again changes nothing.
///
/// # Errors
/// Where the ledger can't be read or written.
pub async fn accept(
    ledger: &Ledger,
    catalog: &Arc<LiveCatalog>,
    text: &str,
    actor: &str,
    now: i64,
) -> Result<Result<String, NotAccepted>, LedgerError> {
    let name = id_in(text).unwrap_or_else(|| "pattern".to_owned());
    if catalog.look(ledger).await?.accepted(&name).is_some_and(|one| one.text == text) {
        return Ok(Ok(name));
    }
    let file = format!("{name}.toml");
    let mut wrong = catalog.objections(ledger, file.clone(), text.to_owned()).await?;
    if wrong.is_empty() {
        wrong.extend(unsaid(&file, text));
    }
    if name == THE_PAGE {
        let (what, help) = (format!("`{name}` is the name of a page"), "choose another id".to_owned());
        wrong.push(CatalogError { file, line: 0, column: 0, what, help });
    }
    if !wrong.is_empty() {
        return Ok(Err(NotAccepted::Wrong(wrong)));
    }
    Ok(match ledger.accept_pattern(&name, text, actor, now).await? {
        Acceptance::Accepted | Acceptance::Stood => Ok(name),
        Acceptance::Taken => Err(NotAccepted::Taken),
        Acceptance::Full => Err(NotAccepted::Full),
        Acceptance::Secret => Err(NotAccepted::Secret),
    })
}

/// Takes an accepted pattern back; `false` where none of this name stands.
///
/// # Errors
/// Where the ledger can't be written.
pub async fn take_back(ledger: &Ledger, name: &str, actor: &str, now: i64) -> Result<bool, LedgerError> {
    ledger.take_pattern_back(name, actor, now).await
}

/// Where a person has something to say yet.
fn unsaid(file: &str, text: &str) -> Option<CatalogError> {
    let (at, line) = text.lines().enumerate().find(|(_, line)| line.contains(TO_FILL_IN))?;
    Some(CatalogError {
        file: file.to_owned(),
        line: at + 1,
        column: line.find(TO_FILL_IN).map_or(0, |byte| line[..byte].chars().count() + 1),
        what: format!("`{TO_FILL_IN}` still stands there"),
        help: "say what only a person can".to_owned(),
    })
}
