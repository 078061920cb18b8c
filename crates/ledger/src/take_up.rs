//! A person's word beside the fleet: nobody starts a command there, so the incident that waited goes on itself.

use regreen_domain::Outcome;

use crate::{
    APPROVAL_LASTS_MS, Ledger, LedgerError,
    audit::Change,
    incident::{ours, owned, require, store},
    shape::{Followed, State},
};

impl Ledger {
    /// Opens an approved incident again, for its owner to carry out what was approved; the approval is used up. `false`, and
    /// nothing changed, where it no longer counts.
    ///
    /// # Errors
    /// `UnknownIncident`, `StaleOwner`, `WrongState` where it is not approved, or the ledger's own.
    pub async fn take_up(&self, id: &str, owner: &str, now: i64) -> Result<bool, LedgerError> {
        let mut db = self.write().await?;
        let mut incident = owned(&mut db, id, owner).await?;
        require(&incident, State::Approved, "taken up")?;
        if !incident.is_granted(now) {
            return Ok(false);
        }
        incident.state = State::Open;
        incident.outcome = None;
        incident.changed_at = now;
        store(&mut db, &incident, &Change { at: now, kind: "approval-used", details: &[("by", id)] }).await?;
        self.commit(db).await?;
        Ok(true)
    }

    /// A person asked for something about an incident: that, and who it was, is in the audit log.
    ///
    /// # Errors
    /// `UnknownIncident`, `StaleOwner`, or the ledger's own.
    pub async fn asked_for(
        &self,
        id: &str,
        owner: &str,
        what: &str,
        actor: &str,
        now: i64,
    ) -> Result<(), LedgerError> {
        let (what, actor) = (self.clean(what), self.clean(actor));
        let mut db = self.write().await?;
        let incident = owned(&mut db, id, owner).await?;
        let details = [("actor", actor.as_str()), ("what", what.as_str())];
        store(&mut db, &incident, &Change { at: now, kind: "incident-commanded", details: &details }).await?;
        self.commit(db).await
    }

    /// What became of a closed incident in which nothing was done, as the end of the run's next attempt shows. Said once: `false`,
    /// and nothing changed, where it was.
    ///
    /// # Errors
    /// `UnknownIncident`, `Imported`, `WrongState` where it is not closed, or the ledger's own.
    pub async fn follow_up(
        &self,
        id: &str,
        attempt: u32,
        green: bool,
        now: i64,
    ) -> Result<bool, LedgerError> {
        let mut db = self.write().await?;
        let mut incident = ours(&mut db, id).await?;
        require(&incident, State::Closed, "followed")?;
        if incident.followed.is_some() {
            return Ok(false);
        }
        incident.followed = Some(Followed { attempt, green, at: now });
        let green = if green { "true" } else { "false" };
        let change = Change { at: now, kind: "incident-followed", details: &[("green", green)] };
        store(&mut db, &incident, &change).await?;
        self.commit(db).await?;
        Ok(true)
    }

    /// Closes an incident whose question nobody answered in time, or whose answer nobody took up in time. `false`, and nothing
    /// changed, where somebody has agreed and the word still counts.
    ///
    /// # Errors
    /// `UnknownIncident`, `StaleOwner`, `WrongState` where it neither waits nor is approved, or the ledger's own.
    pub async fn expire(&self, id: &str, owner: &str, now: i64) -> Result<bool, LedgerError> {
        let mut db = self.write().await?;
        let mut incident = owned(&mut db, id, owner).await?;
        if incident.state != State::Approved {
            require(&incident, State::AwaitingApproval, "expired")?;
        } else if incident.waits_until().is_some_and(|until| now < until) {
            return Ok(false);
        }
        incident.state = State::Closed;
        incident.outcome = Some(Outcome::Suggested.id().to_owned());
        incident.closed_at = Some(now);
        incident.changed_at = now;
        store(&mut db, &incident, &Change { at: now, kind: "approval-expired", details: &[] }).await?;
        self.commit(db).await?;
        Ok(true)
    }
}

impl crate::Incident {
    /// When the question ends that this incident waits with, or the approval that it has; `None` where it does neither.
    pub fn waits_until(&self) -> Option<i64> {
        let since = match self.state {
            State::AwaitingApproval => self.changed_at,
            State::Approved => self.approval.as_ref()?.at,
            State::Open | State::Closed => return None,
        };
        Some(since.saturating_add(APPROVAL_LASTS_MS))
    }
}
