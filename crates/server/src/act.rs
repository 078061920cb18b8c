//! What a person does beside the fleet about what is on record: the same for the command line and for HTTP. It is durable
//! when it returns, with the person's name in the audit log, and whoever works on it is woken. The command line, the API
//! and the dashboard's pages all come through here; a comment at the host becomes work first, for who may command must be asked
//! there, and its worker (`crate::worker`) makes the very same calls of the ledger.

mod patterns;
mod switches;

use regreen_engine::{EndedRun, fleet_is_latest, fleet_run_of};
use regreen_ledger::{Incident, Ledger, LedgerError, State};

pub use patterns::{NotAccepted, accept, take_back};
pub use switches::{close, label, pause, reset, unpause};

use crate::{
    asked::{Asked, Wanted},
    task::Task,
};

/// What came of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// The incident as it is now.
    pub incident: Incident,
    /// Whether the fleet goes on with it by itself.
    pub woken: bool,
}

/// What came of asking for more work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// It is on the list of work.
    Listed,
    /// There is nothing to do: why.
    Pointless(&'static str),
}

/// Yes: an incident that waits may be healed.
///
/// # Errors
/// As [`Ledger::approve`].
pub async fn approve(ledger: &Ledger, id: &str, actor: &str, now: i64) -> Result<Answered, LedgerError> {
    ledger.approve(id, actor, now).await?;
    answered(ledger, id, now).await
}

/// Yes or no, to an incident as it was seen.
///
/// # Errors
/// As [`Ledger::answer_seen`].
pub async fn answer_seen(
    ledger: &Ledger,
    id: &str,
    word: (bool, i64),
    actor: &str,
    reason: Option<&str>,
    now: i64,
) -> Result<Answered, LedgerError> {
    ledger.answer_seen(id, word, actor, reason, now).await?;
    answered(ledger, id, now).await
}

/// No: it is left alone.
///
/// # Errors
/// As [`Ledger::deny`].
pub async fn deny(
    ledger: &Ledger,
    id: &str,
    actor: &str,
    reason: Option<&str>,
    now: i64,
) -> Result<Answered, LedgerError> {
    ledger.deny(id, actor, reason, now).await?;
    answered(ledger, id, now).await
}

/// Has the run of an incident looked at once more. What was decided about an attempt stays as it is.
///
/// # Errors
/// `UnknownIncident`, or the ledger's own.
pub async fn retry(ledger: &Ledger, id: &str, actor: &str, now: i64) -> Result<Listed, LedgerError> {
    let incident = known(ledger, id).await?;
    let Some((sender, run, _)) = fleet_run_of(&incident).filter(|_| !incident.imported) else {
        return Ok(Listed::Pointless("it is no run of a CI host's: only `regreen run` can try again there"));
    };
    // By hand it may be wanted again; what was done about an attempt is not done twice all the same.
    let listed =
        Task::Run { sender, ended: EndedRun { run, attempt: None } }.listed(now).once_more("by-hand");
    ledger.enqueue_by_hand(&listed.work(), actor, now).await?;
    Ok(Listed::Listed)
}

/// Opens an incident again in which nothing was done, and has its run looked at: everything is decided anew, by what holds now. It is no leave to heal.
/// Only the latest attempt of a run at a CI host: what an earlier one was is past. With `seen`, only as it was at that change.
///
/// # Errors
/// As [`Ledger::open_anew`].
pub async fn reopen(
    ledger: &Ledger,
    id: &str,
    seen: Option<i64>,
    actor: &str,
    reason: Option<&str>,
    now: i64,
) -> Result<Listed, LedgerError> {
    let incident = known(ledger, id).await?;
    let Some((sender, run, attempt)) = fleet_run_of(&incident).filter(|_| !incident.imported) else {
        return Ok(Listed::Pointless("it is no run of a CI host's: only `regreen run` can try again there"));
    };
    if !fleet_is_latest(ledger, &incident).await? {
        return Ok(Listed::Pointless("its run has a later attempt by now"));
    }
    // Opened, and whoever did so died before its work was listed: that is made good.
    if incident.state != State::Open || incident.decision.is_some() {
        ledger.open_anew(id, seen, actor, reason, now).await?;
    }
    let ended = EndedRun { run, attempt: Some(attempt) };
    let listed = Task::Run { sender, ended }.listed(now).once_more("by-hand");
    ledger.enqueue_by_hand(&listed.work(), actor, now).await?;
    Ok(Listed::Listed)
}

/// Has what an incident has under way at a CI host taken back.
///
/// # Errors
/// `UnknownIncident`, or the ledger's own.
pub async fn roll_back(ledger: &Ledger, id: &str, actor: &str, now: i64) -> Result<Listed, LedgerError> {
    let incident = known(ledger, id).await?;
    let Some((sender, run, _)) = fleet_run_of(&incident).filter(|_| !incident.imported) else {
        return Ok(Listed::Pointless(
            "it is no run of a CI host's: `regreen rollback` takes it back in its own workspace",
        ));
    };
    if incident.state != State::Open {
        return Ok(Listed::Pointless("nothing of it is under way; a run that has ended can't be taken back"));
    }
    let asked = Asked {
        repository: run.repository,
        incident: id.to_owned(),
        actor: actor.to_owned(),
        at: now,
        wanted: Wanted::Rollback,
    };
    let listed = Task::Asked { sender, asked }.listed(now);
    ledger.enqueue_by_hand(&listed.work(), actor, now).await?;
    Ok(Listed::Listed)
}

async fn known(ledger: &Ledger, id: &str) -> Result<Incident, LedgerError> {
    ledger.incident(id).await?.ok_or_else(|| LedgerError::UnknownIncident { id: id.to_owned() })
}

/// Makes whoever works beside the fleet go on at once.
async fn answered(ledger: &Ledger, id: &str, now: i64) -> Result<Answered, LedgerError> {
    let incident = known(ledger, id).await?;
    let Some((sender, run, attempt)) = fleet_run_of(&incident) else {
        return Ok(Answered { incident, woken: false });
    };
    let ended = EndedRun { run, attempt: Some(attempt) };
    ledger.wake_all(&Task::Run { sender, ended }.listed(now).of_run(), now).await?;
    Ok(Answered { incident, woken: true })
}
