//! The life of an incident: opened, decided, waiting, closed; and who may write to it.

use regreen_domain::{Decision, Diagnosis, Outcome, Verification};
use sqlx::AnyConnection;

use crate::{
    Ledger, LedgerError,
    audit::Change,
    row::Row,
    rows,
    shape::{DecisionV1, DiagnosisV1, FactorV1, Incident, InputsV1, Patch, Place, State, Timings, VERSION},
};

/// A failure that was diagnosed.
#[derive(Debug, Clone)]
pub struct NewIncident<'a> {
    /// The id; no other incident has it.
    pub id: &'a str,
    /// Token of the process that works on it: whoever shows another one can't write to it.
    pub owner: &'a str,
    /// Now.
    pub opened_at: i64,
    /// When the wrapped command first ended.
    pub command_ended_at: Option<i64>,
    /// Where it happened.
    pub place: Place,
    /// The argv.
    pub command: Vec<String>,
    /// The command's exit code.
    pub exit_code: Option<i32>,
    /// Why it failed.
    pub diagnosis: &'a Diagnosis,
    /// By which the run's own processes and files are known again.
    pub run_marker: Option<String>,
    /// 1 for the first incident of this commit and job.
    pub attempt: u32,
    /// How long the diagnosis took.
    pub detect_ms: Option<u64>,
}

/// How an incident ended.
#[derive(Debug, Clone)]
pub struct Closing {
    /// How.
    pub outcome: Outcome,
    /// What was checked.
    pub verification: Option<Verification>,
    /// What was changed in tracked files.
    pub patch: Option<Patch>,
    /// The exit code that the run ends with.
    pub exit_code: Option<i32>,
    /// How long the steps took.
    pub act_ms: Option<u64>,
    /// How long the verification took.
    pub verify_ms: Option<u64>,
    /// How long the wrapped command ran; beside the fleet the jobs that ran again, together.
    pub command_ms: Option<u64>,
    /// What Regreen added to that: from the command's end to the decision.
    pub overhead_ms: Option<u64>,
}

impl Closing {
    /// This outcome, and nothing else to say.
    pub const fn new(outcome: Outcome) -> Closing {
        Closing {
            outcome,
            verification: None,
            patch: None,
            exit_code: None,
            act_ms: None,
            verify_ms: None,
            command_ms: None,
            overhead_ms: None,
        }
    }
}

impl Ledger {
    /// Puts a new incident on record, owned by `new.owner`.
    ///
    /// # Errors
    /// `BadId`; `WrongState` where the id is taken; or the ledger's own.
    pub async fn open_incident(&self, new: &NewIncident<'_>) -> Result<(), LedgerError> {
        check_id(new.id)?;
        check_id(new.owner)?;
        let mut incident = Incident {
            version: VERSION,
            id: new.id.to_owned(),
            opened_at: new.opened_at,
            changed_at: new.opened_at,
            command_ended_at: new.command_ended_at,
            closed_at: None,
            place: new.place.clone(),
            command: new.command.clone(),
            exit_code: new.exit_code,
            final_exit_code: None,
            state: State::Open,
            outcome: None,
            run_marker: new.run_marker.clone(),
            attempt: new.attempt,
            diagnosis: DiagnosisV1::from(new.diagnosis),
            decision: None,
            inputs: None,
            approval: None,
            question: None,
            handed_over_to: None,
            verification: None,
            patch: None,
            timings: Timings { detect: new.detect_ms, ..Timings::default() },
            followed: None,
            imported: false,
        };
        incident.scrub(self.scrubber());
        let mut work = self.write().await?;
        if let Some((taken, _)) = find(&mut work, new.id).await? {
            return Err(LedgerError::WrongState {
                id: taken.id,
                state: taken.state.id(),
                doing: "opened again",
            });
        }
        let change = Change {
            at: new.opened_at,
            kind: "incident-opened",
            details: &[("class", &incident.diagnosis.class), ("owner", new.owner)],
        };
        store(&mut work, &incident, &change).await?;
        set_owner(&mut work, new.id, new.owner).await?;
        self.commit(work).await
    }

    /// Records what was decided, and from what. A plan is kept byte for byte.
    ///
    /// # Errors
    /// `StaleOwner`, `WrongState`; `Unmasked` where the plan holds what looks like a secret; or the ledger's own.
    pub async fn decided(
        &self,
        id: &str,
        owner: &str,
        decision: &Decision,
        inputs: Option<&InputsV1>,
        decide_ms: Option<u64>,
        now: i64,
    ) -> Result<(), LedgerError> {
        let decision = DecisionV1::from(decision);
        let mut work = self.write().await?;
        let mut incident = owned(&mut work, id, owner).await?;
        require(&incident, State::Open, "decided")?;
        incident.decision = Some(decision.clone());
        incident.timings.decide = decide_ms;
        incident.changed_at = now;
        // The rest of the record is scrubbed already, so only the plan and the inputs can differ.
        incident.inputs = inputs.cloned();
        let mut scrubbed = incident.clone();
        scrubbed.scrub(self.scrubber());
        if scrubbed.decision != incident.decision {
            return Err(LedgerError::Unmasked { what: format!("the plan of incident `{id}`") });
        }
        let because = decision.because.as_deref().unwrap_or("");
        let change = Change {
            at: now,
            kind: "incident-decided",
            details: &[("action", &decision.action), ("because", because)],
        };
        store(&mut work, &scrubbed, &change).await?;
        self.commit(work).await
    }

    /// The incident waits for a person's word from now on.
    ///
    /// # Errors
    /// `StaleOwner`, `WrongState`, or the ledger's own.
    pub async fn await_approval(&self, id: &str, owner: &str, now: i64) -> Result<(), LedgerError> {
        let mut work = self.write().await?;
        let mut incident = owned(&mut work, id, owner).await?;
        require(&incident, State::Open, "made to wait")?;
        incident.state = State::AwaitingApproval;
        incident.outcome = Some(Outcome::AwaitingApproval.id().to_owned());
        incident.changed_at = now;
        store(&mut work, &incident, &Change { at: now, kind: "approval-awaited", details: &[] }).await?;
        self.commit(work).await
    }

    /// The incident is over.
    ///
    /// # Errors
    /// `StaleOwner`, `WrongState` where it is not open, or the ledger's own.
    pub async fn close(&self, id: &str, owner: &str, closing: &Closing, now: i64) -> Result<(), LedgerError> {
        let mut work = self.write().await?;
        let mut incident = owned(&mut work, id, owner).await?;
        require(&incident, State::Open, "closed")?;
        incident.state = State::Closed;
        incident.outcome = Some(closing.outcome.id().to_owned());
        incident.closed_at = Some(now);
        incident.changed_at = now;
        incident.final_exit_code = closing.exit_code;
        incident.verification = closing.verification.as_ref().map(FactorV1::of);
        incident.patch.clone_from(&closing.patch);
        incident.timings.act = closing.act_ms;
        incident.timings.verify = closing.verify_ms;
        incident.timings.command = closing.command_ms;
        incident.timings.overhead = closing.overhead_ms;
        incident.scrub(self.scrubber());
        let change =
            Change { at: now, kind: "incident-closed", details: &[("outcome", closing.outcome.id())] };
        store(&mut work, &incident, &change).await?;
        self.commit(work).await
    }

    /// Makes `owner` the only one who may write to the incident: what the one before still tries fails.
    ///
    /// # Errors
    /// `UnknownIncident`, `Imported`, `BadId`, or the ledger's own.
    pub async fn take_over(&self, id: &str, owner: &str, now: i64) -> Result<(), LedgerError> {
        check_id(owner)?;
        let mut work = self.write().await?;
        let incident = ours(&mut work, id).await?;
        let change = Change { at: now, kind: "incident-taken-over", details: &[("owner", owner)] };
        store(&mut work, &incident, &change).await?;
        set_owner(&mut work, id, owner).await?;
        self.commit(work).await
    }

    /// Opens a closed incident again, so that what it did can be taken back, and takes it over.
    ///
    /// # Errors
    /// `UnknownIncident`, `Imported`, `WrongState` where it is not closed, or the ledger's own.
    pub async fn reopen(
        &self,
        id: &str,
        owner: &str,
        actor: &str,
        reason: &str,
        now: i64,
    ) -> Result<(), LedgerError> {
        check_id(owner)?;
        let (actor, reason) = (self.clean(actor), self.clean(reason));
        let mut work = self.write().await?;
        let mut incident = ours(&mut work, id).await?;
        require(&incident, State::Closed, "opened again")?;
        incident.state = State::Open;
        incident.outcome = None;
        incident.closed_at = None;
        incident.changed_at = now;
        let change = Change {
            at: now,
            kind: "incident-reopened",
            details: &[("actor", &actor), ("owner", owner), ("reason", &reason)],
        };
        store(&mut work, &incident, &change).await?;
        set_owner(&mut work, id, owner).await?;
        self.commit(work).await
    }
}

/// The incident and who owns it.
pub(crate) async fn find(
    db: &mut AnyConnection,
    id: &str,
) -> Result<Option<(Incident, Option<String>)>, LedgerError> {
    let found: Option<(String, Option<String>)> =
        sqlx::query_as("SELECT record, owner FROM incidents WHERE id = $1")
            .bind(id)
            .fetch_optional(db)
            .await?;
    found
        .map(|(record, owner)| {
            Ok((Incident { imported: owner.is_none(), ..Incident::parse(&record)? }, owner))
        })
        .transpose()
}

/// The incident, where it is one of this ledger's own.
pub(crate) async fn ours(db: &mut AnyConnection, id: &str) -> Result<Incident, LedgerError> {
    match find(db, id).await? {
        None => Err(LedgerError::UnknownIncident { id: id.to_owned() }),
        Some((_, None)) => Err(LedgerError::Imported { id: id.to_owned() }),
        Some((incident, Some(_))) => Ok(incident),
    }
}

/// The incident, where `owner` still owns it.
pub(crate) async fn owned(db: &mut AnyConnection, id: &str, owner: &str) -> Result<Incident, LedgerError> {
    match find(db, id).await? {
        Some((_, Some(holder))) if holder != owner => {
            Err(LedgerError::StaleOwner { incident: id.to_owned(), owner: owner.to_owned() })
        }
        Some((incident, Some(_))) => Ok(incident),
        Some((_, None)) => Err(LedgerError::Imported { id: id.to_owned() }),
        None => Err(LedgerError::UnknownIncident { id: id.to_owned() }),
    }
}

/// The incident must be in this state.
pub(crate) fn require(incident: &Incident, state: State, doing: &'static str) -> Result<(), LedgerError> {
    if incident.state == state {
        return Ok(());
    }
    Err(LedgerError::WrongState { id: incident.id.clone(), state: incident.state.id(), doing })
}

pub(crate) async fn store(
    db: &mut AnyConnection,
    incident: &Incident,
    change: &Change<'_>,
) -> Result<(), LedgerError> {
    // An older record that changes is written in the present shape.
    let record = Incident { version: VERSION, ..incident.clone() }.to_record()?;
    let row = Row::Incident { id: incident.id.clone(), record };
    rows::put(db, &row, change).await
}

pub(crate) async fn set_owner(db: &mut AnyConnection, id: &str, owner: &str) -> Result<(), LedgerError> {
    sqlx::query("UPDATE incidents SET owner = $1 WHERE id = $2").bind(owner).bind(id).execute(db).await?;
    Ok(())
}

/// Ids and tokens go into names and hashes as they are, so they are kept to a small alphabet.
pub(crate) fn check_id(id: &str) -> Result<(), LedgerError> {
    let fits = (1..=64).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    fits.then_some(()).ok_or_else(|| LedgerError::BadId { id: id.chars().take(64).collect() })
}
