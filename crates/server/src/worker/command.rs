//! Commands in comments: what comes of one on the list of work.

use regreen_engine::{EngineError, Hand, Obeyed, Order};
use regreen_forge::hook::{Command, Sender};
use regreen_ledger::Claim;

use super::{Ended, Worker};
use crate::{
    happening::Happening,
    task::{Asked, Spoken, Task, Wanted},
};

impl Worker {
    /// Does what a comment says, where its author may say it.
    pub(super) async fn obey(
        &self,
        claim: &Claim,
        sender: Sender,
        spoken: &Spoken,
    ) -> Result<Ended, EngineError> {
        let Some(fleet) = self.fleets.get(&sender) else {
            return Ok(Ended::Done("no-credential".to_owned(), Vec::new()));
        };
        let (ledger, owner, now) = (self.ledger.under(claim), claim.token(), (self.clock)());
        let order = Order {
            repository: spoken.repository.clone(),
            comment: spoken.comment,
            at: spoken.at,
            about: spoken.about,
            author: spoken.author.clone(),
            actor: format!("{}:{}", sender.id(), spoken.author),
            command: spoken.command.clone(),
        };
        let obeyed = fleet.obey(&Hand { ledger: &ledger, owner: &owner, now: self.clock }, &order).await?;
        let (key, actor, command) = (claim.key.clone(), order.actor.clone(), order.command.word());
        Ok(match obeyed {
            Obeyed::Done { said, look, wake, unanswered } => {
                if let Some(ended) = look {
                    let listed = Task::Run { sender, ended }.listed(now);
                    let listed = listed.named(&format!("comment-{}", order.comment));
                    ledger.enqueue_by_hand(&listed.work(), &order.actor, now).await?;
                    self.bell.notify_one();
                }
                if let Some(ended) = wake {
                    ledger.wake(Task::Run { sender, ended }.listed(now).key(), now).await?;
                    self.bell.notify_one();
                }
                if let Some(why) = unanswered {
                    let (key, actor) = (key.clone(), actor.clone());
                    self.log.tell(&Happening::CommandUnanswered { key, actor, command, why });
                }
                self.log.tell(&Happening::CommandObeyed { key, actor, command, said });
                Ended::Done("obeyed".to_owned(), Vec::new())
            }
            Obeyed::Refused(why) => {
                self.log.tell(&Happening::CommandRefused { key, actor, command, why });
                Ended::Done("refused".to_owned(), Vec::new())
            }
            Obeyed::Later { at, why } => {
                self.log.tell(&Happening::RunWaits { key, why: why.clone() });
                Ended::Stumbled(at, why)
            }
        })
    }

    /// Does what a person asks for who has shown that they may.
    pub(super) async fn asked(
        &self,
        claim: &Claim,
        sender: Sender,
        asked: &Asked,
    ) -> Result<Ended, EngineError> {
        let Some(fleet) = self.fleets.get(&sender) else {
            return Ok(Ended::Done("no-credential".to_owned(), Vec::new()));
        };
        let (ledger, owner) = (self.ledger.under(claim), claim.token());
        let order = Order {
            repository: asked.repository.clone(),
            comment: 0,
            at: asked.at,
            about: None,
            author: asked.actor.clone(),
            actor: asked.actor.clone(),
            command: match asked.wanted {
                Wanted::Rollback => Command::Rollback { incident: Some(asked.incident.clone()) },
            },
        };
        let hand = Hand { ledger: &ledger, owner: &owner, now: self.clock };
        let (key, actor, command) = (claim.key.clone(), order.actor.clone(), order.command.word());
        Ok(match fleet.obey_proven(&hand, &order).await? {
            Obeyed::Done { said, .. } => {
                self.log.tell(&Happening::CommandObeyed { key, actor, command, said });
                Ended::Done("obeyed".to_owned(), Vec::new())
            }
            Obeyed::Refused(why) => {
                self.log.tell(&Happening::CommandRefused { key, actor, command, why });
                Ended::Done("refused".to_owned(), Vec::new())
            }
            Obeyed::Later { at, why } => {
                self.log.tell(&Happening::RunWaits { key, why: why.clone() });
                Ended::Stumbled(at, why)
            }
        })
    }
}
