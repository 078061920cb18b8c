//! Work that looks after something until it is over: a service that is down, an issue, a job that people were told about.

use regreen_engine::{EndedRun, EngineError, Hand};
use regreen_forge::hook::Sender;
use regreen_ledger::Claim;

use super::{Ended, LONGEST_WAIT, Worker};
use crate::happening::Happening;

impl Worker {
    /// At which host an outage is told: a repository of the same name may be another's elsewhere.
    fn told_at(&self) -> Option<Sender> {
        let (only, fleet) = self.fleets.first_key_value()?;
        fleet.config.escalation.host.or((self.fleets.len() == 1).then_some(*only))
    }

    /// Looks after a service that is down. Which host's fleet does it makes no difference.
    pub(super) async fn tend(&self, claim: &Claim, id: &str) -> Result<Ended, EngineError> {
        let Some(fleet) = self.fleets.values().next() else {
            return Ok(Ended::Done("no-credential".to_owned(), Vec::new()));
        };
        let ledger = self.ledger.under(claim);
        let owner = claim.token();
        let hand = Hand { ledger: &ledger, owner: &owner, now: self.clock };
        let tended = fleet.tend(&hand, id).await?;
        if let Some(told) = tended.began {
            self.log.tell(&Happening::OutageBegan(told));
        }
        let told_at = self.told_at();
        if let (true, Some(host)) = (tended.known, told_at) {
            fleet.tell_outage(&hand, host.id(), id, false).await?;
        }
        if let Some(told) = tended.ended {
            self.log.tell(&Happening::OutageEnded(told));
        }
        Ok(match tended.next {
            Some(at) => Ended::Again(at),
            None => {
                if let Some(host) = told_at {
                    fleet.tell_outage(&hand, host.id(), id, true).await?;
                }
                self.bell.notify_one();
                Ended::Done("over".to_owned(), Vec::new())
            }
        })
    }

    pub(super) async fn keep_issue(
        &self,
        claim: &Claim,
        sender: Sender,
        id: &str,
    ) -> Result<Ended, EngineError> {
        let Some(fleet) = self.fleets.get(&sender) else {
            // Another node may have the credential.
            return Ok(Ended::Again((self.clock)().saturating_add(LONGEST_WAIT)));
        };
        let (ledger, owner) = (self.ledger.under(claim), claim.token());
        let kept = fleet.keep_issue(&Hand { ledger: &ledger, owner: &owner, now: self.clock }, id).await?;
        if let Some(why) = kept.trouble {
            self.log.tell(&Happening::WorkFailed { key: claim.key.clone(), why });
        }
        Ok(kept.next.map_or_else(|| Ended::Done("closed".to_owned(), Vec::new()), Ended::Again))
    }

    pub(super) async fn green(
        &self,
        claim: &Claim,
        sender: Sender,
        ended: &EndedRun,
    ) -> Result<Ended, EngineError> {
        let Some(fleet) = self.fleets.get(&sender) else {
            return Ok(Ended::Done("no-credential".to_owned(), Vec::new()));
        };
        let (ledger, owner) = (self.ledger.under(claim), claim.token());
        let hand = Hand { ledger: &ledger, owner: &owner, now: self.clock };
        let later = fleet.green(&hand, sender.id(), &ended.run, ended.attempt).await?;
        Ok(match later {
            Some((at, why)) => Ended::Stumbled(at, why),
            None => Ended::Done("green".to_owned(), Vec::new()),
        })
    }
}
