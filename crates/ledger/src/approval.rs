//! A person's word on an incident that waits for it.

use regreen_domain::Outcome;

use crate::{
    Ledger, LedgerError,
    audit::Change,
    incident::{ours, require, store},
    shape::{Approval, State},
};

impl Ledger {
    /// Yes: the incident is open again, for whoever takes it over.
    ///
    /// # Errors
    /// `UnknownIncident`, `Imported`, `WrongState` where it does not wait, or the ledger's own.
    pub async fn approve(&self, id: &str, actor: &str, now: i64) -> Result<(), LedgerError> {
        self.answer(id, true, actor, None, now).await
    }

    /// No: the incident is closed as left alone.
    ///
    /// # Errors
    /// As [`Ledger::approve`].
    pub async fn deny(
        &self,
        id: &str,
        actor: &str,
        reason: Option<&str>,
        now: i64,
    ) -> Result<(), LedgerError> {
        self.answer(id, false, actor, reason, now).await
    }

    async fn answer(
        &self,
        id: &str,
        granted: bool,
        actor: &str,
        reason: Option<&str>,
        now: i64,
    ) -> Result<(), LedgerError> {
        let (actor, reason) = (self.clean(actor), reason.map(|text| self.clean(text)));
        let mut work = self.write().await?;
        let mut incident = ours(&mut work, id).await?;
        require(&incident, State::AwaitingApproval, if granted { "approved" } else { "denied" })?;
        if granted {
            incident.state = State::Open;
            incident.outcome = None;
        } else {
            incident.state = State::Closed;
            incident.outcome = Some(Outcome::LeftAlone.id().to_owned());
            incident.closed_at = Some(now);
        }
        incident.changed_at = now;
        incident.approval = Some(Approval { granted, actor: actor.clone(), reason: reason.clone(), at: now });
        let change = Change {
            at: now,
            kind: if granted { "incident-approved" } else { "incident-denied" },
            details: &[("actor", &actor), ("reason", reason.as_deref().unwrap_or(""))],
        };
        store(&mut work, &incident, &change).await?;
        self.commit(work).await
    }
}
