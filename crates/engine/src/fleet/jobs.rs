//! The fleet's word to a job that asks, and what the job tells of its end.

use regreen_decide::{Breaker, outage::concerns};
use regreen_domain::{Mode, Outcome};
use regreen_forge::{Repository, hook::Sender};
use regreen_ledger::{BreakerKey, BreakerPolicy, Incident, Ledger, LedgerError, Place, Reported, Sighting};

use super::{
    config::{FleetConfig, Rule, names},
    escalate::of_a_fork,
    paused::is_paused,
};
use crate::{
    counsel::{COUNSEL_VERSION, Counsel, Question},
    experience::seen,
};

/// The step kind by which the fleet runs jobs again, and the playbook.
const RERUN_JOBS: &str = "rerun-jobs";
pub(super) const RERUN: &str = "rerun-failed-jobs";

/// How far jobs that ask may go.
#[derive(Debug, Clone, PartialEq)]
pub struct JobPolicy {
    /// Where no rule says more.
    pub mode: Mode,
    /// Modes of repositories, classes and playbooks: the last one that fits counts.
    pub rules: Vec<Rule>,
    /// When a circuit breaker opens, and for how long.
    pub breaker: BreakerPolicy,
    /// What the fleet itself does for runs at the CI host; `None` where it can't ask any.
    pub fleet: Option<FleetConfig>,
}

/// Why a report is not taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotTold {
    /// It names a playbook of the fleet's own.
    NotAJobs,
}

impl JobPolicy {
    /// The word about a failure; looks only.
    ///
    /// # Errors
    /// Where the ledger can't be read: then the job's own rules hold.
    pub async fn counsel(&self, ledger: &Ledger, asked: &Question, now: i64) -> Result<Counsel, LedgerError> {
        let repository = asked.repository.as_str();
        // One that is none of a CI host's has no rules but those for any.
        let known = Repository::parse(repository);
        let folded = repository.to_ascii_lowercase();
        let class = asked.class();
        let fits = |rule: &&Rule| {
            rule.repository.as_deref().is_none_or(|pattern| names(pattern, repository))
                && rule.class.is_none_or(|of| Some(of) == class)
        };
        // In order, so that one for any playbook overrules those before it.
        let (mut mode, mut playbooks) = (self.mode, Vec::new());
        for rule in self.rules.iter().filter(fits) {
            match &rule.playbook {
                Some(playbook) => playbooks.push((playbook.clone(), rule.mode.id().to_owned())),
                None => {
                    mode = rule.mode;
                    playbooks.clear();
                }
            }
        }
        // A job does not say at which host it runs: what is paused at any holds for it.
        let mut paused = false;
        for host in Sender::ALL {
            paused |= is_paused(ledger, host, &folded).await?;
        }
        let key = BreakerKey {
            class: asked.class.clone(),
            service: asked.tool.clone().unwrap_or_else(|| "none".to_owned()),
            repository: folded,
        };
        let breaker = seen(&ledger.breaker(&key, self.breaker, now).await?);
        let place = Place {
            repository: Some(repository.to_owned()),
            commit: asked.commit.clone(),
            job: asked.job.clone(),
            ..Place::default()
        };
        Ok(Counsel {
            version: COUNSEL_VERSION,
            mode: mode.id().to_owned(),
            playbooks,
            paused,
            breaker_open: breaker == Breaker::Open,
            attempts: ledger.reported_attempts(&place).await?,
            down: self.down(ledger, asked, known.as_ref()).await?,
        })
    }

    /// The service that is down for several repositories, where the fleet by itself runs such a job again once it is back.
    async fn down(
        &self,
        ledger: &Ledger,
        asked: &Question,
        repository: Option<&Repository>,
    ) -> Result<Option<String>, LedgerError> {
        let (Some(fleet), Some(repository), Some(class)) = (&self.fleet, repository, asked.class()) else {
            return Ok(None);
        };
        let service = fleet.outage.service_by(asked.host.as_deref(), asked.tool.as_deref());
        let Some(service) = service.filter(|_| class.healable().is_some_and(concerns)) else {
            return Ok(None);
        };
        if Sender::ALL.iter().any(|host| fleet.mode(*host, repository, class, RERUN) != Mode::Auto) {
            return Ok(None);
        }
        let outage = ledger.outage_at(&service.host).await?.filter(|outage| outage.known_at.is_some());
        Ok(outage.map(|outage| outage.service))
    }
}

impl JobPolicy {
    /// Takes in what a job tells of its end. Where it is `proven` of which repository it is, what it met counts as seen there:
    /// a repository counts once for an outage, however much is told of it.
    ///
    /// # Errors
    /// [`NotTold`] inside, or the ledger's own.
    pub async fn job_told(
        &self,
        ledger: &Ledger,
        told: &Incident,
        proven: bool,
        now: i64,
    ) -> Result<Result<Reported, NotTold>, LedgerError> {
        // What a whole run is repeated by is the fleet's own, and earns its trust from what the fleet saw.
        let plan = told.decision.as_ref().and_then(|decision| decision.plan.as_ref());
        if plan.is_some_and(|plan| plan.steps.iter().any(|step| step.kind == RERUN_JOBS)) {
            return Ok(Err(NotTold::NotAJobs));
        }
        let reported = ledger.take_report(told, now).await?;
        // Told again too: who took it in first may have died right after.
        if let Some(seen) = self.met(told, now).filter(|_| proven) {
            ledger.sighted(&reported.id, &[seen]).await?;
        }
        Ok(Ok(reported))
    }

    /// The service that a job could not use, as an outage counts it: by the rules for a run at the CI host, and only where the
    /// job did not get by without it.
    fn met(&self, told: &Incident, now: i64) -> Option<Sighting> {
        let (outage, diagnosis) = (&self.fleet.as_ref()?.outage, &told.diagnosis);
        let class = told.class();
        let concerns = class.healable().is_some_and(concerns) && diagnosis.pattern.is_some();
        if !concerns || told.outcome() == Some(Outcome::Healed) || of_a_fork(told) {
            return None;
        }
        let lines = diagnosis.evidence.iter().map(|line| line.text.as_str());
        let service = outage.service_in(lines, diagnosis.tool.as_deref())?;
        Some(Sighting {
            service: service.host.clone(),
            class: class.id().to_owned(),
            repository: told.place.repository.as_deref()?.to_ascii_lowercase(),
            at: told.command_ended_at.unwrap_or(told.opened_at).min(now),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use regreen_ledger::{AsIs, NewOutage};

    use super::*;
    use crate::fleet::OutageConfig;

    #[tokio::test]
    async fn a_job_is_told_of_an_outage_only_where_the_fleet_goes_on_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join("ledger.db"), Arc::new(AsIs)).await.unwrap();
        let mut fleet = FleetConfig::default();
        fleet.outage.services = OutageConfig::public();
        let with = |fleet: Option<FleetConfig>| JobPolicy {
            mode: Mode::Auto,
            rules: Vec::new(),
            breaker: FleetConfig::default().breaker,
            fleet,
        };
        let asked = Question {
            version: COUNSEL_VERSION,
            repository: "octo/shop".to_owned(),
            commit: None,
            job: None,
            class: "service-unavailable".to_owned(),
            tool: Some("npm".to_owned()),
            host: None,
        };
        let elsewhere = Question { host: Some("registry.example".to_owned()), ..asked.clone() };
        let code = Question { class: "test-failure".to_owned(), ..asked.clone() };
        let auto = FleetConfig {
            policy: regreen_decide::Policy { mode: Mode::Auto, ..fleet.policy.clone() },
            ..fleet.clone()
        };
        let new = NewOutage {
            service: "registry.npmjs.org",
            class: "service-unavailable",
            began_at: 1,
            known: true,
        };
        let tend = |id: &str| (format!("outage/{id}"), "{}".to_owned());
        let down = async |fleet: Option<&FleetConfig>, asked: &Question| {
            with(fleet.cloned()).counsel(&ledger, asked, 5).await.unwrap().down
        };
        assert_eq!(down(Some(&auto), &asked).await, None, "nothing is down");
        ledger.begin_outage(&new, tend, "outage", 2).await.unwrap();
        assert_eq!(down(Some(&auto), &asked).await.as_deref(), Some("registry.npmjs.org"));
        for (fleet, asked) in
            [(Some(&auto), &elsewhere), (Some(&auto), &code), (Some(&fleet), &asked), (None, &asked)]
        {
            assert_eq!(down(fleet, asked).await, None, "{asked:?}");
        }
    }
}
