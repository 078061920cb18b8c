//! Telling people where they work: what comes of one comment or check run on the list of work.

use regreen_engine::{EngineError, Hand, Said, Telling};
use regreen_ledger::Claim;

use super::{Ended, Worker};
use crate::happening::Happening;

impl Worker {
    /// Says what is on record of a run. What the host does not take is said later, less and less often, and given up after a
    /// day; no healing waits for it.
    pub(super) async fn tell_there(&self, claim: &Claim, telling: &Telling) -> Result<Ended, EngineError> {
        let Some(fleet) = self.fleets.get(&telling.sender) else {
            return Ok(Ended::Done("no-credential".to_owned(), Vec::new()));
        };
        let (ledger, owner) = (self.ledger.under(claim), claim.token());
        let said = fleet.say(&Hand { ledger: &ledger, owner: &owner, now: self.clock }, telling).await?;
        Ok(match said {
            Said::Done(word) => Ended::Done(word.to_owned(), Vec::new()),
            Said::Open { next } => Ended::Waits(next),
            Said::Later { at, why } => Ended::Stumbled(at, why),
            Said::Never(why) => Ended::GivenUp(why),
            Said::Refused { trouble } => {
                if let Some(why) = trouble {
                    self.log.tell(&Happening::WorkFailed { key: claim.key.clone(), why });
                }
                Ended::Done("refused".to_owned(), Vec::new())
            }
        })
    }
}
