//! How much is asked of the CI host: what this node sent is added to what all nodes sent within the hour, and where that is as
//! much as may be for a repository or its organisation, what is to be done there waits until the hour is over.
//!
//! It is asked before a piece of work, and not before each request: what is begun is brought to its end. So the budget can be
//! exceeded by what is under way, and by what the other nodes have not added yet.

use regreen_forge::Repository;
use regreen_ledger::{Booking, CallsOf, Ledger, Share, end_of_hour};

use crate::{error::EngineError, fleet::Fleet};

/// No more is to be asked of the host for a repository within this hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallsUsedUp {
    /// When the hour is over, in milliseconds since 1970.
    pub at: i64,
    /// Whose budget it is: the repository, or its organisation.
    pub whose: String,
    /// How many may be sent.
    pub most: u32,
    share: Share,
}

impl Fleet {
    /// Whether the requests that may be sent on behalf of a repository within this hour are used up.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn calls_used_up(
        &self,
        ledger: &Ledger,
        repository: &Repository,
        now: i64,
    ) -> Result<Option<CallsUsedUp>, EngineError> {
        let (limits, repository) = (self.config.calls, repository.folded());
        if limits.repository.is_none() && limits.organisation.is_none() {
            return Ok(None);
        }
        let of = self.calls_of(&repository);
        let (kept, kept_of_all) = ledger.calls(of, now).await?;
        let (own, own_of_all) = self.forge.calls().map_or((0, 0), |calls| calls.of(&repository));
        let shares = [
            (limits.repository, kept.saturating_add(own), Share::Repository, of.repository),
            (
                limits.organisation,
                kept_of_all.saturating_add(own_of_all),
                Share::Organisation,
                of.organisation,
            ),
        ];
        for (most, sent, share, whose) in shares {
            let Some(most) = most.filter(|most| sent >= u64::from(*most)) else { continue };
            return Ok(Some(CallsUsedUp { at: end_of_hour(now), whose: whose.to_owned(), most, share }));
        }
        Ok(None)
    }

    /// Whether it falls to whoever asks to tell that: to one of all nodes, once an hour.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn tells_of_calls(
        &self,
        ledger: &Ledger,
        repository: &Repository,
        used_up: &CallsUsedUp,
        now: i64,
    ) -> Result<bool, EngineError> {
        let repository = repository.folded();
        Ok(ledger.tells_of_calls(self.calls_of(&repository), used_up.share, now).await?)
    }

    /// Adds what this node sent since it last did to what all nodes sent.
    ///
    /// # Errors
    /// The ledger's; then it is added the next time, and once.
    pub async fn keep_calls(&self, ledger: &Ledger, now: i64) -> Result<(), EngineError> {
        let Some(calls) = self.forge.calls() else { return Ok(()) };
        let Some(batch) = calls.batch(now) else { return Ok(()) };
        let sent = batch.sent.iter();
        let rows: Vec<_> = sent.map(|(repository, count)| (self.calls_of(repository), *count)).collect();
        let booking = Booking { book: &batch.book, number: batch.number, at: batch.at };
        ledger.add_calls(&rows, &booking).await?;
        calls.kept(batch.number);
        Ok(())
    }

    fn calls_of<'a>(&self, repository: &'a Repository) -> CallsOf<'a> {
        CallsOf {
            forge: self.sender.id(),
            organisation: repository.organisation(),
            repository: repository.as_str(),
        }
    }
}
