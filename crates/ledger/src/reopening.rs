//! An incident in which nothing was done is opened once more by a person: everything is looked at and decided anew.

use regreen_domain::{Diagnosis, Outcome};

use crate::{
    Incident, Ledger, LedgerError,
    audit::Change,
    incident::{ours, owned, require, store},
    shape::{DiagnosisV1, State},
};

/// So long after it was opened an incident may be opened anew, in milliseconds: what it costs then is counted among what began
/// within a day.
const WITHIN: i64 = 20 * 3_600_000;

impl Incident {
    /// Whether it is over and nothing was done in it, lately enough that it can be looked at anew.
    pub fn is_undone(&self, now: i64) -> bool {
        if now.saturating_sub(self.opened_at) > WITHIN {
            return false;
        }
        let undone = matches!(self.outcome(), Some(Outcome::Suggested | Outcome::LeftAlone));
        self.state == State::Closed && undone && !self.imported && self.handed_over_to.is_none()
    }
}

impl Ledger {
    /// Opens an incident again in which nothing was done. What was decided, and every word of a person on it, counts no more: who
    /// opens it allows nothing. With `seen`, only where it has not changed since that change.
    ///
    /// # Errors
    /// `UnknownIncident`, `Imported`; `WrongState` where it is not over, where something was done, where it is 20 hours old, or where it has
    /// changed; or the ledger's own.
    pub async fn open_anew(
        &self,
        id: &str,
        seen: Option<i64>,
        actor: &str,
        reason: Option<&str>,
        now: i64,
    ) -> Result<(), LedgerError> {
        let (actor, reason) = (self.clean(actor), self.clean(reason.unwrap_or_default()));
        let mut db = self.write().await?;
        let mut incident = ours(&mut db, id).await?;
        let facts: i64 = sqlx::query_scalar("SELECT count(*) FROM facts WHERE incident = $1")
            .bind(id)
            .fetch_one(&mut *db)
            .await?;
        if !incident.is_undone(now) || facts > 0 || seen.is_some_and(|seen| seen != incident.changed_at) {
            let state = incident.state.id();
            return Err(LedgerError::WrongState { id: incident.id, state, doing: "opened anew" });
        }
        incident.state = State::Open;
        incident.outcome = None;
        incident.closed_at = None;
        incident.changed_at = now;
        incident.decision = None;
        incident.inputs = None;
        incident.approval = None;
        incident.question = None;
        incident.verification = None;
        let details = [("actor", actor.as_str()), ("reason", reason.as_str())];
        store(&mut db, &incident, &Change { at: now, kind: "incident-reopened", details: &details }).await?;
        self.commit(db).await
    }

    /// What an open incident is taken for now, where it was looked at once more; nothing changes where that is the same.
    ///
    /// # Errors
    /// `UnknownIncident`, `StaleOwner`, `WrongState` where it is not open, or the ledger's own.
    pub async fn diagnosed_anew(
        &self,
        id: &str,
        owner: &str,
        diagnosis: &Diagnosis,
        now: i64,
    ) -> Result<(), LedgerError> {
        let mut db = self.write().await?;
        let mut incident = owned(&mut db, id, owner).await?;
        require(&incident, State::Open, "diagnosed anew")?;
        let before = std::mem::replace(&mut incident.diagnosis, DiagnosisV1::from(diagnosis));
        incident.scrub(self.scrubber());
        if incident.diagnosis == before {
            return Ok(());
        }
        incident.changed_at = now;
        let details = [("class", incident.diagnosis.class.as_str()), ("before", before.class.as_str())];
        store(&mut db, &incident, &Change { at: now, kind: "incident-diagnosed", details: &details }).await?;
        self.commit(db).await
    }
}
