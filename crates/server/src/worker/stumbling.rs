//! Work that a host does not let be done: it is tried again, less and less often, and in the end given up.

use regreen_engine::{EndedRun, EngineError, Fleet, GivenUp, Hand};
use regreen_ledger::{Claim, LedgerError};

use super::{Ended, Worker, millis};

/// Work waits for this part of the time for which it has stumbled.
const PART: i64 = 8;

impl Worker {
    /// How long the host has not let it be done.
    fn stumbles_for(&self, claim: &Claim) -> i64 {
        let now = (self.clock)();
        now.saturating_sub(claim.stumbles_since.unwrap_or(now)).max(0)
    }

    fn is_to_be_given_up(&self, claim: &Claim) -> bool {
        self.stumbles_for(claim) >= millis(self.pace.give_up)
    }

    /// What comes of a run that the host does not let be looked after.
    pub(super) async fn run_stumbled(
        &self,
        claim: &Claim,
        fleet: &Fleet,
        hand: &Hand<'_>,
        ended: &EndedRun,
        (at, why): (i64, String),
    ) -> Result<Ended, EngineError> {
        if self.is_to_be_given_up(claim)
            && let GivenUp::Now(closed) = fleet.give_up(hand, ended, &why).await?
        {
            let mut told = why;
            for one in closed {
                told.push_str(&format!("; incident {} is closed as {}", one.incident, one.outcome.id()));
                fleet.tell(hand, fleet.sender.id(), &one.incident).await?;
            }
            return Ok(Ended::GivenUp(told));
        }
        Ok(Ended::Stumbled(at, why))
    }

    /// What has stumbled for too long is given up. A run's was asked before: something of it may still be under way.
    pub(super) fn or_given_up(&self, claim: &Claim, ended: Ended) -> Ended {
        match ended {
            Ended::Stumbled(_, why) if self.is_to_be_given_up(claim) && claim.kind != crate::task::RUN => {
                Ended::GivenUp(why)
            }
            ended => ended,
        }
    }

    /// Gives it back until later: the longer it lasts the later, and not all at one time.
    pub(super) async fn stumbled(&self, claim: &Claim, at: i64) -> Result<(), LedgerError> {
        let now = (self.clock)();
        let wait = (self.stumbles_for(claim) / PART).min(millis(self.pace.stumble));
        let spread = wait / 10 * claim.id.rem_euclid(16) / 16;
        let at = at.max(now.saturating_add(wait).saturating_add(spread));
        self.ledger.stumbled(claim, at, now).await
    }
}
