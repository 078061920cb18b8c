//! Commands in comments: what comes of one on the list of work.

use regreen_engine::{EngineError, Hand, Obeyed, Order, Put};
use regreen_forge::hook::Sender;
use regreen_ledger::Claim;

use super::{Ended, Worker};
use crate::{
    asked::Asked,
    happening::Happening,
    reply::Reply,
    task::{Spoken, Task},
};

/// So long an answer is tried to be put, in milliseconds.
const A_DAY: i64 = 24 * 3_600_000;
/// Longest time between two tries, in milliseconds.
const LONGEST_PAUSE: i64 = 3_600_000;

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
            on_change: spoken.on_change,
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
                    ledger.wake_all(&Task::Run { sender, ended }.listed(now).of_run(), now).await?;
                    self.bell.notify_one();
                }
                let mut next = Vec::new();
                if let Some((answer, put)) = unanswered {
                    let reply = Reply { comment: order.comment, since: now, answer };
                    let why = match put {
                        Put::Later { at, why } => {
                            next.push(Task::Answer { sender, reply }.listed(at));
                            why
                        }
                        Put::Never(why) => why,
                        Put::Done => String::new(),
                    };
                    let (key, actor) = (key.clone(), actor.clone());
                    self.log.tell(&Happening::CommandUnanswered { key, actor, command, why });
                }
                self.log.tell(&Happening::CommandObeyed { key, actor, command, said });
                // From here on it is carried out for good, and only its answer is left.
                Ended::Done("obeyed".to_owned(), next)
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

    /// Says what came of a command that could not be told at once: less and less often, for a day.
    pub(super) async fn answer(&self, claim: &Claim, sender: Sender, reply: &Reply) -> Ended {
        let Some(fleet) = self.fleets.get(&sender) else {
            return Ended::Done("no-credential".to_owned(), Vec::new());
        };
        let now = (self.clock)();
        match fleet.put_answer(&reply.answer, now).await {
            Put::Done => Ended::Done("answered".to_owned(), Vec::new()),
            Put::Never(why) => Ended::GivenUp(why),
            Put::Later { why, .. } if now.saturating_sub(reply.since) >= A_DAY => Ended::GivenUp(why),
            Put::Later { at, why } => {
                self.log.tell(&Happening::RunWaits { key: claim.key.clone(), why });
                let pause = fleet.config.stumble_ms.saturating_mul(1 << claim.attempts.min(10));
                Ended::Again(at.max(now.saturating_add(pause.min(LONGEST_PAUSE))))
            }
        }
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
        let (ledger, owner, order) = (self.ledger.under(claim), claim.token(), asked.order());
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
