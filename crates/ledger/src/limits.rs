//! What a record of another machine's may say, so that whatever counts it can: both engines refuse the same.

use regreen_domain::{FailureClass, Outcome};

use crate::shape::{Incident, State};

const YEAR_MS: u64 = 366 * 24 * 3_600_000;
/// Longest name, in characters: an index holds the names of a place together.
const NAME: usize = 200;

/// Whether the figures of a record can be stored and added up.
///
/// # Errors
/// What is wrong.
pub(crate) fn countable(incident: &Incident) -> Result<(), String> {
    let timings = &incident.timings;
    let fits = |took: &u64| i64::try_from(*took).is_ok();
    let recovery = timings.act.unwrap_or(0).checked_add(timings.verify.unwrap_or(0));
    let all = [timings.detect, timings.decide, timings.command, timings.overhead, recovery];
    let whole = recovery.is_some() && all.iter().flatten().all(fits);
    whole.then_some(()).ok_or_else(|| "a stage is said to have taken longer than can be counted".to_owned())
}

/// Whether an incident that a job tells of may be counted among those of this ledger: its words are known, its names are names,
/// and its times are of these days.
///
/// # Errors
/// What is wrong.
pub(crate) fn believable(told: &Incident, now: i64) -> Result<(), String> {
    countable(told)?;
    if FailureClass::parse(&told.diagnosis.class).is_none() {
        return Err("its class is not known here".to_owned());
    }
    let ended = told.outcome.as_deref().map(|word| Outcome::parse(word).is_some());
    if ended == Some(false) || (ended.is_none() && told.state == State::Closed) {
        return Err("its outcome is not known here".to_owned());
    }
    let (place, diagnosis) = (&told.place, &told.diagnosis);
    let plan = told.decision.as_ref().and_then(|decision| decision.plan.as_ref());
    let names = [
        ("repository", place.repository.as_ref()),
        ("commit", place.commit.as_ref()),
        ("job", place.job.as_ref()),
        ("run marker", told.run_marker.as_ref()),
        ("pattern", diagnosis.pattern.as_ref()),
        ("tool", diagnosis.tool.as_ref()),
        ("fingerprint", Some(&diagnosis.fingerprint)),
        ("verdict", Some(&diagnosis.verdict)),
        ("playbook", plan.map(|plan| &plan.playbook)),
        ("action", told.decision.as_ref().map(|decision| &decision.action)),
    ];
    for (what, name) in names {
        if name.is_some_and(|name| name.chars().count() > NAME) {
            return Err(format!("its {what} is longer than {NAME} characters"));
        }
    }
    let timings = &told.timings;
    let stages =
        [timings.detect, timings.decide, timings.act, timings.verify, timings.command, timings.overhead];
    if stages.into_iter().flatten().any(|took| took > YEAR_MS) {
        return Err("a stage is said to have taken longer than a year".to_owned());
    }
    let oldest = now.saturating_sub_unsigned(10 * YEAR_MS);
    let times = [Some(told.opened_at), Some(told.changed_at), told.command_ended_at, told.closed_at];
    if times.into_iter().flatten().any(|at| at < oldest) {
        return Err("it is said to be more than ten years old".to_owned());
    }
    Ok(())
}
