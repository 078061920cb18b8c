//! What a kill switch beside the fleet names, and whether one is thrown for a repository.

use regreen_forge::hook::Sender;
use regreen_ledger::{Ledger, LedgerError};

/// Names what is paused: everything that Regreen does beside the fleet.
pub const ALL: &str = "fleet";

/// Names what is paused: a repository of this name, or all; at that host, or at each. No repository's name holds a colon.
pub fn pause_scope(host: Option<Sender>, repository: Option<&str>) -> String {
    let folded = repository.map(str::to_ascii_lowercase);
    match (host, folded) {
        (None, None) => ALL.to_owned(),
        (Some(host), None) => format!("host:{}", host.id()),
        (None, Some(name)) => format!("repository:{name}"),
        (Some(host), Some(name)) => format!("repository:{}:{name}", host.id()),
    }
}

/// Whether healing is paused in a repository: everywhere, at its host, in what is called so at any host, or there alone.
/// Read at once, so that none is missed that takes another's place.
///
/// # Errors
/// Where the ledger can't be read.
pub async fn is_paused(ledger: &Ledger, host: Sender, repository: &str) -> Result<bool, LedgerError> {
    let named = Some(repository);
    let scopes = [
        pause_scope(None, None),
        pause_scope(Some(host), None),
        pause_scope(None, named),
        pause_scope(Some(host), named),
    ];
    ledger.paused_in(&scopes).await
}

#[cfg(test)]
mod tests {
    use super::{Sender, pause_scope};

    #[test]
    fn what_is_on_record_keeps_its_name() {
        for (host, repository, want) in [
            (None, None, "fleet"),
            (None, Some("Octo/Shop"), "repository:octo/shop"),
            (Some(Sender::GitHub), Some("Octo/Shop"), "repository:github:octo/shop"),
            (Some(Sender::GitLab), None, "host:gitlab"),
        ] {
            assert_eq!(pause_scope(host, repository), want);
        }
    }
}
