//! What jobs tell of themselves: an incident of another machine's ledger, one at a time.
//!
//! Like what [`Ledger::import`] takes in it can be read and counted, and nobody here acts by it. It has no journal, so that it
//! counts neither as an attempt of this ledger's nor as experience with a playbook: nobody earns trust by telling of deeds.

use regreen_domain::Outcome;

use crate::{
    BreakerKey, Ledger, LedgerError,
    audit::Change,
    breaker,
    circuit::Event,
    incident::{check_id, find, store},
    limits::believable,
    row::content_id,
    shape::{Incident, Place, State},
};

/// How far ahead the other machine's clock may be, in milliseconds.
const CLOCK_SKEW_MS: i64 = 24 * 60 * 60 * 1000;

/// What came of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// The incident's id in this ledger: the other one's with a part that tells machines apart.
    pub id: String,
    /// Whether it was not on record yet.
    pub fresh: bool,
}

impl Incident {
    /// Reads the record of an incident of another machine.
    ///
    /// # Errors
    /// `Newer` for a shape of a later version, `Shape` for anything that is no record.
    pub fn from_report(record: &str) -> Result<Incident, LedgerError> {
        Incident::parse(record)
    }

    /// The record, for another machine's [`Incident::from_report`].
    ///
    /// # Errors
    /// `Shape`, which does not happen to a record that was read from a ledger.
    pub fn to_report(&self) -> Result<String, LedgerError> {
        self.to_record()
    }
}

impl Ledger {
    /// Takes a report in; the same one twice is the same as once. Where a playbook did not help, the breaker of its class, tool
    /// and repository is told. What is said to have helped closes none: whoever tells makes nobody bolder.
    ///
    /// # Errors
    /// `BadReport` for one that is not over, names no repository, comes from the future or says what can't be counted; `BadId`; or the ledger's own.
    pub async fn take_report(&self, told: &Incident, now: i64) -> Result<Reported, LedgerError> {
        check_id(&told.id)?;
        let bad = |why: &str| Err(LedgerError::BadReport { why: why.to_owned() });
        let Some(repository) = told.place.repository.as_deref().filter(|name| !name.is_empty()) else {
            return bad("it names no repository");
        };
        if !matches!(told.state, State::Closed | State::AwaitingApproval) {
            return bad("the incident is not over");
        }
        let latest = [Some(told.opened_at), Some(told.changed_at), told.command_ended_at, told.closed_at];
        if latest.into_iter().flatten().any(|at| at > now.saturating_add(CLOCK_SKEW_MS)) {
            return bad("it comes from the future");
        }
        believable(told, now).map_err(|why| LedgerError::BadReport { why })?;
        let marker = told.run_marker.as_deref().unwrap_or_default();
        let part = content_id(&[repository, marker, &told.id, &told.opened_at.to_string()]);
        let name: String = told.id.chars().take(48).collect();
        let id = format!("{name}.{}", &part[..12]);
        let mut incident = Incident { id: id.clone(), ..told.clone() };
        // A person's word was given to the other ledger.
        incident.approval = None;
        incident.scrub(self.scrubber());
        let mut work = self.write().await?;
        if find(&mut work, &id).await?.is_some() {
            return Ok(Reported { id, fresh: false });
        }
        let outcome = incident.outcome.clone().unwrap_or_default();
        let change = Change { at: now, kind: "incident-reported", details: &[("outcome", &outcome)] };
        store(&mut work, &incident, &change).await?;
        if incident.plan_ran() && matches!(incident.outcome(), Some(Outcome::RolledBack | Outcome::Stuck)) {
            let key = BreakerKey {
                class: incident.diagnosis.class.clone(),
                service: incident.diagnosis.tool.clone().unwrap_or_else(|| "none".to_owned()),
                // Hosts tell no names apart by case.
                repository: self.scrubber().scrub(&repository.to_ascii_lowercase()),
            };
            breaker::record(&mut work, &key, &id, Event::Failure, "", now).await?;
        }
        self.commit(work).await?;
        Ok(Reported { id, fresh: true })
    }

    /// How many reported incidents of this repository, commit and job acted.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn reported_attempts(&self, place: &Place) -> Result<u32, LedgerError> {
        let mut place = place.clone();
        place.scrub(self.scrubber());
        let count: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM incidents
             WHERE owner IS NULL AND repository = $1 AND commit_id = $2 AND job = $3
               AND playbook IS NOT NULL AND outcome IN ('healed', 'rolled-back', 'stuck')",
        )
        .bind(&place.repository)
        .bind(&place.commit)
        .bind(&place.job)
        .fetch_one(&mut *self.read().await?)
        .await?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }
}

impl Incident {
    fn plan_ran(&self) -> bool {
        self.decision.as_ref().is_some_and(|decision| decision.action == "heal")
    }
}
