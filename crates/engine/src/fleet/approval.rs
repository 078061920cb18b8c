//! A question beside the fleet: it is asked by the record, answered by a person, and the work goes on with the answer.

use regreen_domain::{Decision, Outcome, Plan, Refusal};
use regreen_forge::{Marker, Repository, RunRef, hook::Sender};
use regreen_ledger::{Incident, Ledger, LedgerError, State};

use crate::{
    error::EngineError,
    fleet::{EndedRun, Fleet, Hand, Next, examine::Found, incident_id, run_prefix, settled},
};

/// Until an answer is looked for again that came just now, in milliseconds.
const SOON_MS: i64 = 1_000;

/// A person said yes to this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Agreed {
    fingerprint: String,
    playbook: Option<String>,
}

impl Agreed {
    /// What was agreed to, where it was and nothing has come of it yet.
    pub(super) fn of(incident: &Incident) -> Option<Agreed> {
        let granted = incident.approval.as_ref().is_some_and(|approval| approval.granted);
        let suggests = incident.decision.as_ref().is_some_and(|decision| decision.action == "suggest");
        (incident.state == State::Open && granted && suggests).then(|| Agreed {
            fingerprint: incident.diagnosis.fingerprint.clone(),
            playbook: incident.plan().map(|plan| plan.playbook),
        })
    }

    /// The decision, unless it is another one than the person agreed to.
    pub(super) fn holds_for(&self, decision: Decision, fingerprint: &str) -> Decision {
        match decision {
            Decision::Heal(plan)
                if self.fingerprint != fingerprint || self.playbook.as_deref() != Some(&plan.playbook) =>
            {
                Decision::Suggest { plan, because: Refusal::ModeSuggest }
            }
            other => other,
        }
    }
}

impl Fleet {
    /// An incident of this hand's that waits for a person's word: it goes on with a yes, ends with its time, and is looked at again until then.
    pub(super) async fn with_a_word(
        &self,
        hand: &Hand<'_>,
        ended: &EndedRun,
        attempt: u32,
        incident: &Incident,
    ) -> Result<Next, EngineError> {
        let (id, now) = (incident.id.as_str(), (hand.now)());
        if let Some(next) = self.still_asks(incident, now) {
            return Ok(next);
        }
        if incident.state == State::Approved && hand.ledger.take_up(id, hand.owner, now).await? {
            return self.begin(hand, ended, attempt, id, true).await;
        }
        if !hand.ledger.expire(id, hand.owner, now).await? {
            // Somebody has agreed since it was read.
            return Ok(self.asks_until(now.saturating_add(SOON_MS), now));
        }
        Ok(settled(Some(id), Some(Outcome::Suggested), "nobody answered in time".to_owned()))
    }

    /// What comes next for an incident whose question is open.
    pub(super) fn still_asks(&self, incident: &Incident, now: i64) -> Option<Next> {
        let until = incident.waits_until().filter(|until| now < *until)?;
        (incident.state == State::AwaitingApproval).then(|| self.asks_until(until, now))
    }

    /// Says on the run's pull request what waits for a word, where comments are obeyed. The record asks anyway.
    pub(super) async fn tell_the_question(&self, found: &Found, id: &str, plan: &Plan) {
        let [number] = found.run.pull_requests.as_slice() else { return };
        let Some(marker) = Marker::parse(&format!("question/{id}"))
            // Where people are told of each run, that says it too.
            .filter(|_| {
                self.config.comments && self.forge.takes_commands() && !self.config.told.pull_requests
            })
        else {
            return;
        };
        let jobs = found.job_names().join(", ").replace(['`', '\n', '\r'], " ");
        let text = format!(
            "**Regreen** takes the failure of `{jobs}` for the infrastructure's ({}), and would act by `{}`. Somebody who may \
             change this repository can say, within 24 hours and in a comment that begins with it:\n\n    /regreen approve {id}\n\n\
             or the same with `deny`.",
            found.decisive().diagnosis.class,
            plan.playbook
        );
        let text = self.masker.mask(&text).into_owned();
        let _asked_anyway =
            self.forge.comment_on_change(&found.run.reference.repository, *number, &marker, &text).await;
    }

    /// It is looked at again soon, or when somebody has answered: who answers wakes the work.
    pub(super) fn asks_until(&self, until: i64, now: i64) -> Next {
        let at = now.saturating_add(self.config.ask_ms).min(until);
        Next::Later { at, why: "it waits for a person's word".to_owned() }
    }
}

/// The host, run and attempt that an incident beside the fleet is about; `None` for any other incident.
pub fn run_of(incident: &Incident) -> Option<(Sender, RunRef, u32)> {
    let repository = Repository::parse(incident.place.repository.as_deref()?)?;
    let (run, rest) = incident.id.split_once('-')?;
    let (attempt, _) = rest.split_once('-')?;
    let run = RunRef { repository, run_id: u64::from_str_radix(run, 16).ok()? };
    let attempt = attempt.parse().ok()?;
    let sender = Sender::ALL.into_iter().find(|sender| incident_id(*sender, &run, attempt) == incident.id)?;
    Some((sender, run, attempt))
}

/// Whether no later attempt of its run is on record; `false` for an incident that is not of a CI host's run. What the host knows of is
/// seen when it is looked at.
///
/// # Errors
/// Where the ledger can't be read.
pub async fn is_latest(ledger: &Ledger, incident: &Incident) -> Result<bool, LedgerError> {
    let Some((sender, run, attempt)) = run_of(incident) else { return Ok(false) };
    let of_run = ledger.incidents_of(&run_prefix(&run)).await?;
    let is_later =
        |(of, other, later): (Sender, RunRef, u32)| of == sender && other == run && later > attempt;
    Ok(!of_run.iter().filter_map(run_of).any(is_later))
}
