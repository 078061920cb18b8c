//! The budget of requests to the CI hosts: work for which it is used up waits until the hour is over.

use std::{sync::atomic::Ordering, time::Duration};

use regreen_domain::Refusal;
use regreen_engine::{CallsUsedUp, EngineError, Hand};
use regreen_ledger::Claim;
use tokio::time::timeout;

use super::{Ended, Worker};
use crate::{happening::Happening, task::Task};

/// What a node asked of the hosts is added to what all asked after this long, in milliseconds.
const KEPT_AFTER: i64 = 10_000;
/// Longest that this takes.
const LONGEST: Duration = Duration::from_secs(5);

impl Worker {
    /// How a piece of work ends for which no more may be asked of its host. What a person commands is counted,
    /// and done; an issue, and what people are told, wait by themselves.
    pub(super) async fn waits_for_calls(
        &self,
        claim: &Claim,
        task: &Task,
    ) -> Result<Option<Ended>, EngineError> {
        let (sender, repository) = match task {
            Task::Run { sender, ended } | Task::Green { sender, ended } => (*sender, &ended.run.repository),
            Task::Job { sender, of, .. } => (*sender, &of.run.repository),
            Task::Sweep { sender, repository, .. } => (*sender, repository),
            Task::Command { .. }
            | Task::Asked { .. }
            | Task::Answer { .. }
            | Task::Outage { .. }
            | Task::Told(_)
            | Task::Prune { .. }
            | Task::Issue { .. } => {
                return Ok(None);
            }
        };
        let Some(fleet) = self.fleets.get(&sender) else { return Ok(None) };
        let now = (self.clock)();
        let Some(used_up) = fleet.calls_used_up(&self.ledger, repository, now).await? else {
            return Ok(None);
        };
        let tells = fleet.tells_of_calls(&self.ledger, repository, &used_up, now).await?;
        let CallsUsedUp { at, whose, most, .. } = used_up;
        if tells {
            self.log.tell(&Happening::CallsUsedUp { sender, whose: whose.clone(), most });
        }
        let why = format!("{} of {whose}", Refusal::CallsUsedUp.id());
        // What is left of the budget is for the run itself, which is looked at when it has ended.
        if matches!(task, Task::Job { .. }) {
            return Ok(Some(Ended::Done(Refusal::CallsUsedUp.id().to_owned(), Vec::new())));
        }
        let Task::Run { ended, .. } = task else { return Ok(Some(Ended::Stumbled(at, why))) };
        // A run to which it never comes is given up, too.
        let (ledger, owner) = (self.ledger.under(claim), claim.token());
        let hand = Hand { ledger: &ledger, owner: &owner, now: self.clock };
        self.run_stumbled(claim, fleet, &hand, ended, (at, why)).await.map(Some)
    }

    /// Adds what this node asked of the hosts to what all nodes asked, now and then.
    pub(super) async fn keep_calls(&self, at_once: bool) {
        let (now, last) = ((self.clock)(), self.calls_kept.load(Ordering::SeqCst));
        if !at_once && (last..last.saturating_add(KEPT_AFTER)).contains(&now) {
            return;
        }
        self.calls_kept.store(now, Ordering::SeqCst);
        for fleet in self.fleets.values() {
            // What could not be added is added the next time; that the ledger does not answer is told by whoever needs it.
            let _later = timeout(LONGEST, fleet.keep_calls(&self.ledger, now)).await;
        }
    }
}
