//! The ledger as the place where deliveries are kept.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use regreen_forge::hook::Sender;
use regreen_ledger::{Ledger, LedgerError, NewDelivery as Kept, Received};
use tokio::sync::Notify;

use crate::{
    inbox::{Accepted, Inbox, InboxFuture, NewDelivery, Unavailable},
    task::{Listed, Task},
};

/// Keeps deliveries in the ledger, with the work that comes of them.
pub struct LedgerInbox {
    ledger: Ledger,
    /// Rung when there is new work.
    bell: Arc<Notify>,
    /// Whether something comes of commands in comments.
    comments: bool,
    /// In which repositories something is escalated, and when that was looked up.
    escalated: Mutex<Option<(Instant, Escalated)>>,
}

type Escalated = Arc<BTreeSet<(Sender, String)>>;

/// How old that may be: so much later at the latest an end that went well is seen to be one that matters.
const LOOKED_UP: Duration = Duration::from_secs(15);

impl LedgerInbox {
    /// In this ledger; rings the bell when there is new work.
    pub fn new(ledger: Ledger, bell: Arc<Notify>) -> LedgerInbox {
        LedgerInbox { ledger, bell, comments: false, escalated: Mutex::default() }
    }

    /// The same, where something comes of commands in comments, or nothing.
    #[must_use]
    pub fn with_comments(self, obeyed: bool) -> LedgerInbox {
        LedgerInbox { comments: obeyed, ..self }
    }

    async fn escalated(&self) -> Result<Escalated, LedgerError> {
        let known = self.escalated.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, known)) = known
            && at.elapsed() < LOOKED_UP
        {
            return Ok(known);
        }
        let mut found = BTreeSet::new();
        for sender in [Sender::GitHub, Sender::GitLab] {
            let open = self.ledger.escalations(sender.id(), None).await?;
            found.extend(open.into_iter().map(|one| (sender, one.repository)));
        }
        let found = Arc::new(found);
        *self.escalated.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((Instant::now(), found.clone()));
        Ok(found)
    }
}

impl Inbox for LedgerInbox {
    fn receive<'a>(&'a self, batch: &'a [NewDelivery]) -> InboxFuture<'a, Vec<Accepted>> {
        Box::pin(async move {
            let escalated = self.escalated().await.map_err(|e| unavailable(&e))?;
            let task = |new: &NewDelivery| {
                let (sender, event) = (new.delivery.sender, &new.delivery.event);
                let green = || {
                    Task::green(sender, event).filter(|task| match task {
                        Task::Green { ended, .. } => {
                            let repository = ended.run.repository.folded().as_str().to_owned();
                            escalated.contains(&(sender, repository))
                        }
                        _ => false,
                    })
                };
                let wanted = |task: &Task| self.comments || !matches!(task, Task::Command { .. });
                Task::of(sender, event, new.at)
                    .or_else(green)
                    .filter(wanted)
                    .map(|task| task.listed(new.at).of_end(event))
            };
            let work: Vec<Option<Listed>> = batch.iter().map(task).collect();
            let all: Vec<Kept<'_>> =
                batch.iter().zip(&work).map(|(new, work)| kept(new, work.as_ref())).collect();
            let received = self.ledger.receive(&all).await.map_err(|e| unavailable(&e))?;
            if received.contains(&Received::Fresh { work: true }) {
                self.bell.notify_one();
            }
            let accepted = |one: &Received| match one {
                Received::Fresh { .. } => Accepted::New,
                Received::Duplicate => Accepted::Duplicate,
            };
            Ok(received.iter().map(accepted).collect())
        })
    }

    fn is_ready(&self) -> InboxFuture<'_, ()> {
        Box::pin(async move {
            self.ledger.paused(regreen_engine::PAUSED_FLEET).await.map(drop).map_err(|e| unavailable(&e))
        })
    }
}

fn kept<'a>(new: &'a NewDelivery, work: Option<&'a Listed>) -> Kept<'a> {
    Kept {
        forge: new.delivery.sender.id(),
        id: &new.delivery.id,
        event: &new.delivery.name,
        kind: new.delivery.event.kind(),
        received_at: new.at,
        // What it says lies in the work; nothing raw is kept.
        body: None,
        work: work.map(Listed::work),
    }
}

pub(crate) fn unavailable(error: &LedgerError) -> Unavailable {
    Unavailable(chain(error))
}

/// An error with what is behind it.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        words = format!("{words}: {error}");
        source = error.source();
    }
    words
}
