//! A job has failed in a run that goes on.

use regreen_engine::{EndedRun, EngineError, Hand, Next, Settled};
use regreen_forge::hook::Sender;
use regreen_ledger::Claim;

use super::{Ended, Worker};
use crate::happening::Happening;

impl Worker {
    pub(super) async fn hear(
        &self,
        claim: &Claim,
        sender: Sender,
        of: &EndedRun,
    ) -> Result<Ended, EngineError> {
        let Some(fleet) = self.fleets.get(&sender) else {
            return Ok(Ended::Done("no-credential".to_owned(), Vec::new()));
        };
        let (ledger, owner) = (self.ledger.under(claim), claim.token());
        let hand = Hand { ledger: &ledger, owner: &owner, now: self.clock };
        let key = claim.key.clone();
        Ok(match fleet.hear(&hand, of).await? {
            Next::Done(Settled { why, .. }) => {
                self.log.tell(&Happening::JobHeard { key, why });
                Ended::Done("heard".to_owned(), Vec::new())
            }
            Next::Stumbled { at, why } => {
                self.log.tell(&Happening::RunWaits { key, why: why.clone() });
                Ended::Stumbled(at, why)
            }
            Next::Later { at, .. } | Next::Taken { at } => Ended::Again(at),
        })
    }
}
