//! The decision about a run: `decide`'s, for every job that failed.

use regreen_decide::{Budget, Case, History, Policy, Setting, Spent, decide, earned};
use regreen_domain::{CommandFacts, Decision, Diagnosis, Mode, Plan, Refusal};
use regreen_forge::Repository;
use regreen_ledger::{BreakerKey, Incident, InputsV1, Place, Whose};
use regreen_tools::adapter::speaks_of_deploying;

use crate::{
    attempt::seed_of,
    error::EngineError,
    experience::{experience, ran, seen},
    fleet::{Fleet, Hand, examine::Found, paused::is_paused},
    inputs::stored,
    playbooks::join_remote,
};

/// Which breaker stands before a recovery.
pub(super) fn breaker_key(diagnosis: &Diagnosis, repository: &str) -> BreakerKey {
    BreakerKey {
        class: diagnosis.class.id().to_owned(),
        service: diagnosis.tool.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string),
        repository: repository.to_owned(),
    }
}

impl Fleet {
    /// How far a plan that is on record may go by now: by the rules, and by how its playbook did meanwhile.
    pub(super) async fn mode_by_now(
        &self,
        hand: &Hand<'_>,
        repository: &Repository,
        incident: &Incident,
        playbook: &str,
    ) -> Result<Mode, EngineError> {
        let policy = self.config.policy(self.sender, repository, incident.class(), playbook);
        let Some(diagnosis) = incident.diagnosis.to_domain() else { return Ok(policy.mode) };
        let (name, now) = (Some(repository.as_str()), (hand.now)());
        let (records, _) = experience(hand.ledger, name, &diagnosis, &incident.id, now).await?;
        Ok(earned(&policy, records.iter().find(|record| record.playbook == playbook)))
    }

    /// Decides about every job that failed; only if each of them may be healed by the same playbook is the run. What is stored
    /// is the decision about the one that decides.
    pub(super) async fn decide(
        &self,
        hand: &Hand<'_>,
        found: &Found,
        place: &Place,
        incident: &str,
        agreed: bool,
    ) -> Result<(Decision, InputsV1), EngineError> {
        let decisive = &found.decisive().diagnosis;
        let (decision, inputs) =
            self.decide_one(hand, found, place, (incident, agreed), decisive, 0.0).await?;
        let Decision::Heal(plan) = &decision else { return Ok((decision, inputs)) };
        for (_, detection) in &found.failed {
            let (other, inputs) =
                self.decide_one(hand, found, place, (incident, agreed), &detection.diagnosis, 0.0).await?;
            match other {
                Decision::Heal(other) if other.playbook == plan.playbook => {}
                Decision::Heal(other) => {
                    return Ok((Decision::Suggest { plan: other, because: Refusal::Blocked }, inputs));
                }
                other => return Ok((other, inputs)),
            }
        }
        // Only what would be healed as a whole is drawn from.
        let control = self.config.policy.control;
        if control > 0.0 && !agreed {
            return self.decide_one(hand, found, place, (incident, agreed), decisive, control).await;
        }
        Ok((decision, inputs))
    }

    async fn decide_one(
        &self,
        hand: &Hand<'_>,
        found: &Found,
        place: &Place,
        (incident, agreed): (&str, bool),
        diagnosis: &Diagnosis,
        control: f64,
    ) -> Result<(Decision, InputsV1), EngineError> {
        let (ledger, now) = (hand.ledger, (hand.now)());
        let repository = &found.run.reference.repository;
        let key = breaker_key(diagnosis, repository.as_str());
        let (records, _) = experience(ledger, Some(repository.as_str()), diagnosis, incident, now).await?;
        let spent = ran(ledger, Whose::Repository(repository.as_str()), incident, now).await?;
        // Asked only where it matters: it is a look at many incidents.
        let organisation = match self.config.policy.organisation == Budget::default() {
            true => Spent::default(),
            false => ran(ledger, Whose::Organisation(repository.organisation()), incident, now).await?,
        };
        let paused = is_paused(ledger, self.sender, repository.as_str()).await?;
        let known = ledger.attempts(place).await?;
        let attempts = match self.config.attempts_of_host {
            true => known.max(found.run.attempt.saturating_sub(1)),
            false => known,
        };
        let history = History {
            attempts,
            records,
            spent,
            organisation,
            seed: Some(seed_of(incident)),
            breaker: seen(&ledger.breaker(&key, self.config.breaker, now).await?),
            time_used_up: false,
            paused,
            // A run waits for its service as a whole; see `held_back`.
            service_down: false,
            tried: Vec::new(),
        };
        let setting = Setting {
            in_ci: true,
            untrusted_fork: found.run.from_fork,
            deploys: found.names_of_what_may_run_again().any(speaks_of_deploying),
            whole_job: true,
            ..Setting::default()
        };
        let playbooks = join_remote(&self.catalog.known().catalog, diagnosis.pattern.as_deref())?;
        let mut policy = Policy { mode: Mode::Auto, control: 0.0, ..self.config.policy.clone() };
        let case = Case {
            diagnosis,
            findings: &[],
            command: &CommandFacts::OPAQUE,
            playbooks: &playbooks,
            policy: &policy,
            setting: &setting,
            history: &history,
            now,
        };
        // Which playbook would do it says which mode holds.
        policy = match decide(&case) {
            Decision::Heal(Plan { playbook, .. }) | Decision::Suggest { plan: Plan { playbook, .. }, .. } => {
                self.config.policy(self.sender, repository, diagnosis.class, &playbook)
            }
            Decision::Nothing { .. } => self.config.policy.clone(),
        };
        policy.control = control;
        // A person's word is asked for by `approve`, and counts under nothing less.
        if agreed && matches!(policy.mode, Mode::Approve | Mode::Auto) {
            (policy.mode, policy.approved) = (Mode::Auto, true);
        }
        let case = Case {
            diagnosis,
            findings: &[],
            command: &CommandFacts::OPAQUE,
            playbooks: &playbooks,
            policy: &policy,
            setting: &setting,
            history: &history,
            now,
        };
        Ok((decide(&case), stored(&case, None)))
    }
}
