//! The ledger as the place where deliveries are kept.

use std::sync::Arc;

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
}

impl LedgerInbox {
    /// In this ledger; rings the bell when there is new work.
    pub fn new(ledger: Ledger, bell: Arc<Notify>) -> LedgerInbox {
        LedgerInbox { ledger, bell }
    }
}

impl Inbox for LedgerInbox {
    fn receive<'a>(&'a self, batch: &'a [NewDelivery]) -> InboxFuture<'a, Vec<Accepted>> {
        Box::pin(async move {
            let task = |new: &NewDelivery| {
                let event = &new.delivery.event;
                Task::of(new.delivery.sender, event).map(|task| task.listed(new.at).of_end(event))
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
