//! How a piece of work ended is said until the ledger takes it, and what nobody here knows of is given back: a call that fails
//! must not leave work to wait for the end of a lease.

use std::{sync::PoisonError, time::Duration};

use regreen_ledger::{Claim, LedgerError};
use tokio::time::{sleep, timeout};

use super::{Ended, Worker};
use crate::{happening::Happening, memory::chain, task::Listed};

/// Until it is said once more, at first and at most.
const SOON: Duration = Duration::from_millis(50);
const LATEST: Duration = Duration::from_secs(1);
/// Doublings of the wait after failures in a row.
const DOUBLINGS: u32 = 6;
/// Pieces of work whose failures are counted: those that other nodes went on with are not heard of again.
const COUNTED: usize = 4_096;

impl Worker {
    /// Says how it ended, again and again until the ledger takes it or the lease is over: then others may have it anyway.
    /// That it is said twice is no danger, as each time the fence is asked for.
    pub(super) async fn settle(&self, claim: &Claim, ended: Ended) {
        if let Some(why) = self.ledger.log_trouble() {
            self.log.tell(&Happening::LogsNotKept { why });
        }
        let ended = self.or_given_up(claim, ended);
        if let Ended::GivenUp(why) = &ended {
            self.log.tell(&Happening::WorkGivenUp { key: claim.key.clone(), why: why.clone() });
        }
        let (mut wait, mut unsure) = (SOON, false);
        loop {
            let why = match timeout(self.pace.lease / 3, self.say(claim, &ended)).await {
                Ok(Ok(())) => return,
                // It was taken the time before, and only the answer was lost; or else somebody has the work, which is as well.
                Ok(Err(LedgerError::StaleClaim { .. })) if unsure => return,
                Ok(Err(e @ LedgerError::StaleClaim { .. })) => {
                    self.log.tell(&Happening::LeaseLost { key: claim.key.clone(), why: chain(&e) });
                    return;
                }
                Ok(Err(e)) => chain(&e),
                Err(_) => "the ledger does not answer".to_owned(),
            };
            if (self.clock)() >= claim.lease_until {
                self.log.tell(&Happening::LeaseLost { key: claim.key.clone(), why });
                return;
            }
            if !unsure {
                self.log.tell(&Happening::WorkUnavailable { why });
            }
            unsure = true;
            sleep(wait).await;
            wait = (wait * 2).min(LATEST);
        }
    }

    async fn say(&self, claim: &Claim, ended: &Ended) -> Result<(), LedgerError> {
        match ended {
            Ended::Done(outcome, next) => {
                let next: Vec<_> = next.iter().map(Listed::work).collect();
                self.ledger.finish_with(claim, outcome, &next, (self.clock)()).await
            }
            Ended::GivenUp(why) => self.ledger.give_up(claim, why, (self.clock)()).await,
            Ended::Again(at) => self.ledger.retry_at(claim, *at).await,
            Ended::Waits(at) => self.ledger.wait_until(claim, *at).await,
            Ended::Stumbled(at, _) => self.stumbled(claim, *at).await,
        }
    }

    /// Gives back what was claimed in this node's name without its knowledge: the answer to the claim was lost.
    pub(super) async fn give_back_unheard(&self) -> Result<(), LedgerError> {
        let known: Vec<i64> = self.held().keys().copied().collect();
        self.ledger.give_back_unknown(&self.node, &known, (self.clock)()).await.map(drop)
    }

    /// Counts a failure of this work: how often the wait doubles. What it waited for before, as many times as that was, is none.
    pub(super) fn failed_again(&self, claim: &Claim) -> u32 {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= COUNTED {
            failures.clear();
        }
        let count = failures.entry(claim.id).or_default();
        let doublings = (*count).min(DOUBLINGS);
        *count = count.saturating_add(1);
        doublings
    }

    pub(super) fn went_well(&self, claim: &Claim) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(&claim.id);
    }
}
