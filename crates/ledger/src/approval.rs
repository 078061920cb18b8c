//! A person's word on an incident that waits for it, and the one run that may carry it out.
//!
//! An approval binds to what was approved: the same failure (fingerprint), the same playbook, the same workspace. It
//! lasts for a day, and it is used up in the same transaction that names the incident which uses it.

use regreen_domain::Outcome;

use crate::{
    Ledger, LedgerError,
    audit::Change,
    incident::{find, ours, owned, require, store},
    shape::{Approval, Incident, State},
};

/// How long an approval lasts, in milliseconds.
pub const APPROVAL_LASTS_MS: i64 = 24 * 60 * 60 * 1000;
/// How far ahead the clock of who approved may be, in milliseconds. A word from later than that is none, so that a clock that
/// was set back lets none last longer.
pub const APPROVAL_SKEW_MS: i64 = 10 * 60 * 1000;

impl Incident {
    /// Whether a person agreed, the word still counts at `now`, and nobody has used it.
    pub fn is_granted(&self, now: i64) -> bool {
        // Another machine's clock may be a little ahead: a word from there is no older than one from here.
        let last = -APPROVAL_SKEW_MS..APPROVAL_LASTS_MS;
        let fresh = |a: &Approval| a.granted && last.contains(&now.saturating_sub(a.at));
        self.state == State::Approved && self.approval.as_ref().is_some_and(fresh)
    }

    fn playbook(&self) -> Option<&str> {
        Some(&self.decision.as_ref()?.plan.as_ref()?.playbook)
    }

    /// Whether what was approved here is what `other` is about to do.
    fn covers(&self, other: &Incident) -> bool {
        !self.imported
            && !self.diagnosis.fingerprint.is_empty()
            && self.diagnosis.fingerprint == other.diagnosis.fingerprint
            && self.playbook().is_some()
            && self.playbook() == other.playbook()
            && self.place.workspace == other.place.workspace
    }
}

impl Ledger {
    /// Yes: the next run with the same failure and the same playbook may carry it out, within a day. Said again, the
    /// day begins anew.
    ///
    /// # Errors
    /// `UnknownIncident`, `Imported`, `WrongState` where it does not wait, or the ledger's own.
    pub async fn approve(&self, id: &str, actor: &str, now: i64) -> Result<(), LedgerError> {
        self.answer(id, (true, None), actor, None, now).await
    }

    /// No, or no longer: the incident is closed as left alone.
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
        self.answer(id, (false, None), actor, reason, now).await
    }

    /// Yes or no by somebody who saw the incident as it was at its change `seen`: where it has changed since, nothing is done.
    ///
    /// # Errors
    /// As [`Ledger::approve`]; `WrongState` too where it has changed.
    pub async fn answer_seen(
        &self,
        id: &str,
        (granted, seen): (bool, i64),
        actor: &str,
        reason: Option<&str>,
        now: i64,
    ) -> Result<(), LedgerError> {
        self.answer(id, (granted, Some(seen)), actor, reason, now).await
    }

    /// The oldest approval that covers a failure with this fingerprint, healed by this playbook in this workspace.
    /// Looks only: [`Ledger::hand_over`] uses it up.
    ///
    /// # Errors
    /// Where the ledger, or a record, can't be read.
    pub async fn approval_for(
        &self,
        fingerprint: &str,
        playbook: &str,
        workspace: &str,
        now: i64,
    ) -> Result<Option<String>, LedgerError> {
        let workspace = self.clean(workspace);
        let records: Vec<String> = sqlx::query_scalar(
            "SELECT record FROM incidents WHERE state = 'approved' AND owner IS NOT NULL ORDER BY opened_at, id",
        )
        .fetch_all(&mut *self.read().await?)
        .await?;
        for record in records {
            let incident = Incident::parse(&record)?;
            if incident.is_granted(now)
                && !fingerprint.is_empty()
                && incident.diagnosis.fingerprint == fingerprint
                && incident.playbook() == Some(playbook)
                && incident.place.workspace == workspace
            {
                return Ok(Some(incident.id));
            }
        }
        Ok(None)
    }

    /// Uses up the approval of `approved` for the incident `by`, which is about to begin: from here on nobody else can.
    /// `false` where it no longer counts, or is for something else; then nothing changed.
    ///
    /// # Errors
    /// `UnknownIncident`, `StaleOwner` or `WrongState` for `by`, or the ledger's own.
    pub async fn hand_over(
        &self,
        approved: &str,
        by: &str,
        owner: &str,
        now: i64,
    ) -> Result<bool, LedgerError> {
        let mut work = self.write().await?;
        let next = owned(&mut work, by, owner).await?;
        require(&next, State::Open, "begun")?;
        let Some((mut incident, Some(_))) = find(&mut work, approved).await? else { return Ok(false) };
        if !incident.is_granted(now) || !incident.covers(&next) {
            return Ok(false);
        }
        incident.state = State::Closed;
        incident.outcome = Some(Outcome::HandedOver.id().to_owned());
        incident.handed_over_to = Some(by.to_owned());
        incident.closed_at = Some(now);
        incident.changed_at = now;
        let change = Change { at: now, kind: "approval-used", details: &[("by", by)] };
        store(&mut work, &incident, &change).await?;
        self.commit(work).await?;
        Ok(true)
    }

    async fn answer(
        &self,
        id: &str,
        (granted, seen): (bool, Option<i64>),
        actor: &str,
        reason: Option<&str>,
        now: i64,
    ) -> Result<(), LedgerError> {
        let (actor, reason) = (self.clean(actor), reason.map(|text| self.clean(text)));
        let mut work = self.write().await?;
        let mut incident = ours(&mut work, id).await?;
        let doing = if granted { "approved" } else { "denied" };
        if seen.is_some_and(|seen| seen != incident.changed_at) {
            return Err(LedgerError::WrongState { id: incident.id, state: incident.state.id(), doing });
        }
        // A run that waits in the middle of its plan takes the word itself.
        let waits = incident.state == State::Open
            && incident.question.as_ref().is_some_and(|question| question.answer.is_none());
        if waits {
            let word = Approval { granted, actor: actor.clone(), reason: reason.clone(), at: now };
            if let Some(question) = &mut incident.question {
                question.answer = Some(word);
            }
            incident.changed_at = now;
            let change = Change {
                at: now,
                kind: if granted { "question-approved" } else { "question-denied" },
                details: &[("actor", &actor), ("reason", reason.as_deref().unwrap_or(""))],
            };
            store(&mut work, &incident, &change).await?;
            return self.commit(work).await;
        }
        // A word can be given again, and taken back, until it is used.
        if incident.state != State::Approved {
            require(&incident, State::AwaitingApproval, doing)?;
        }
        if granted {
            incident.state = State::Approved;
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
