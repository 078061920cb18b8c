//! Outage mode: while a service is down, no run whose jobs failed there is sent off again. Waiting costs nothing: no attempt,
//! no budget, no breaker.
//!
//! Whether a run has to wait is asked right before its first effect, and after every wait: so one that failed before anybody
//! knew of the outage waits too. One piece of work, for all nodes together, looks after each outage to its end.

use std::time::{SystemTime, UNIX_EPOCH};

use regreen_decide::outage::{self, concerns, drain, is_back};
use regreen_detect::Detection;
use regreen_domain::{FailureClass, Outcome, Refusal};
use regreen_forge::Repository;
use regreen_ledger::{Closing, NewOutage, Outage, Sighting};
use serde::{Deserialize, Serialize};

use crate::{
    attempt::seed_of,
    error::EngineError,
    fleet::{
        Fleet, Hand, Next,
        examine::Found,
        service::{KnownService, Seen, look},
        settled,
    },
};

/// Kind of the work of looking after an outage.
pub const OUTAGE: &str = "outage";
/// So long a service that was just seen is not asked again for another run, in milliseconds.
const FRESH: i64 = 10_000;
/// Longest time between two questions to a service that is down, in milliseconds.
const RAREST: i64 = 120_000;
/// Longest that a service's own word is obeyed, in milliseconds.
const OBEYED: i64 = 600_000;

/// The document of that work.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TendV1 {
    version: u32,
    outage: String,
}

/// Which outage that work is about; `None` where this version can't read it.
pub fn outage_of(payload: &str) -> Option<String> {
    let TendV1 { version, outage } = serde_json::from_str(payload).ok()?;
    (version == 1).then_some(outage)
}

fn tend(id: &str) -> (String, String) {
    let document = TendV1 { version: 1, outage: id.to_owned() };
    (format!("outage/{id}"), serde_json::to_string(&document).unwrap_or_default())
}

/// An outage, as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutageTold {
    /// The service.
    pub service: String,
    /// Id of the class as which it was noticed.
    pub class: String,
    /// Repositories that met it so far.
    pub repositories: usize,
    /// Runs that wait, or that were let go.
    pub runs: u64,
    /// For how long it has been, in milliseconds.
    pub lasts_ms: i64,
}

/// What came of looking after an outage once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tended {
    /// When to look again; `None` when it is over.
    pub next: Option<i64>,
    /// Whether several repositories are known to have met it.
    pub known: bool,
    /// It is to be told that it began.
    pub began: Option<OutageTold>,
    /// It is over, and this is to be told.
    pub ended: Option<OutageTold>,
}

/// Whether a run may go.
enum Gate {
    Open,
    Shut { at: i64, why: String },
    TooLong { why: String },
}

impl Fleet {
    /// Puts on record at which services the jobs failed. What a fork prints counts for nothing, and neither does a cause that
    /// no signature named.
    pub(super) async fn sight(
        &self,
        hand: &Hand<'_>,
        found: &Found,
        incident: &str,
    ) -> Result<(), EngineError> {
        if found.run.from_fork {
            return Ok(());
        }
        let jobs = found.failed.iter().map(|(job, detection)| (job.completed_at, detection)).collect();
        self.sight_jobs(hand, &found.run.reference.repository, jobs, incident).await.map(drop)
    }

    /// As [`Fleet::sight`], of jobs that are no fork's, each with when it ended; at which services.
    pub(super) async fn sight_jobs(
        &self,
        hand: &Hand<'_>,
        repository: &Repository,
        jobs: Vec<(Option<SystemTime>, &Detection)>,
        incident: &str,
    ) -> Result<Vec<String>, EngineError> {
        let (now, known) = ((hand.now)(), self.catalog.known());
        // What only names is no witness of an outage: that would hold back what others could be healed of.
        let is_witness = |id: &String| known.catalog.pattern(id).is_some_and(|one| !one.source.only_names());
        let mut seen: Vec<Sighting> = Vec::new();
        for (ended, detection) in jobs {
            let diagnosis = &detection.diagnosis;
            let concerns = diagnosis.class.healable().is_some_and(concerns)
                && diagnosis.pattern.as_ref().is_some_and(is_witness);
            let Some(service) = self.config.outage.service_of(detection).filter(|_| concerns) else {
                continue;
            };
            let ended = ended.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
            let ended = ended.and_then(|at| i64::try_from(at.as_millis()).ok());
            seen.push(Sighting {
                service: service.host.clone(),
                class: diagnosis.class.id().to_owned(),
                repository: repository.folded().as_str().to_owned(),
                at: ended.unwrap_or(now).min(now),
            });
        }
        if seen.is_empty() {
            return Ok(Vec::new());
        }
        hand.ledger.sighted(incident, &seen).await?;
        // Also where nothing will be done about this run: others may wait.
        for one in &seen {
            self.notice(hand, one).await?;
        }
        Ok(seen.into_iter().map(|one| one.service).collect())
    }

    /// What comes next for a run that has to wait for a service, or has waited too long; `None` where it may go.
    pub(super) async fn held_back(
        &self,
        hand: &Hand<'_>,
        incident: &str,
    ) -> Result<Option<Next>, EngineError> {
        match self.gate(hand, incident).await? {
            Gate::Open => Ok(None),
            Gate::Shut { at, why } => Ok(Some(Next::Later { at, why })),
            Gate::TooLong { why } => {
                let now = (hand.now)();
                let on_record = hand.ledger.incident(incident).await?;
                if on_record.is_none_or(|incident| incident.decision.is_none()) {
                    let nothing = regreen_domain::Decision::Nothing { because: Refusal::ServiceDown };
                    hand.ledger.decided(incident, hand.owner, &nothing, None, None, now).await?;
                }
                hand.ledger.close(incident, hand.owner, &Closing::new(Outcome::Suggested), now).await?;
                hand.ledger.wait_over(incident, now).await?;
                Ok(Some(settled(Some(incident), Some(Outcome::Suggested), why)))
            }
        }
    }

    async fn gate(&self, hand: &Hand<'_>, incident: &str) -> Result<Gate, EngineError> {
        let (ledger, now) = (hand.ledger, (hand.now)());
        let seen = ledger.sightings_of(incident).await?;
        let waits = ledger.wait_of(incident).await?;
        if let Some(at) = waits.as_ref().and_then(|wait| wait.go_at).filter(|at| *at > now) {
            return Ok(Gate::Shut { at, why: "its turn comes".to_owned() });
        }
        for one in &seen {
            let Some(service) = self.config.outage.service(&one.service) else { continue };
            let down = match self.notice(hand, one).await? {
                Some(outage) => Some(outage),
                None => self.ask_first(hand, service, one).await?,
            };
            let Some(outage) = down else { continue };
            let wait = ledger.wait_for(incident, &outage.id, now).await?;
            let last = wait.since.saturating_add(self.config.outage.wait_ms);
            let why = format!("{} is down", outage.service);
            if now >= last {
                return Ok(Gate::TooLong { why });
            }
            // It is woken when the service is back; looked at now and then all the same, not all at one time.
            let look = self.config.look_ms;
            let spread = i64::try_from(seed_of(incident) % 1_000).unwrap_or(0).saturating_mul(look / 1_000);
            return Ok(Gate::Shut { at: now.saturating_add(look).saturating_add(spread).min(last), why });
        }
        Ok(Gate::Open)
    }

    /// The outage that stands in this failure's way. Where enough repositories have met the same, it is one from now on.
    async fn notice(&self, hand: &Hand<'_>, seen: &Sighting) -> Result<Option<Outage>, EngineError> {
        let (ledger, now, policy) = (hand.ledger, (hand.now)(), &self.config.outage.policy);
        let open = ledger.outage_at(&seen.service).await?;
        if open.as_ref().is_some_and(|outage| outage.known_at.is_some()) {
            return Ok(open);
        }
        // Twice as far back as counts, so that the beginning of what is going on is found.
        let all =
            ledger.sightings(&seen.service, now.saturating_sub(policy.within_ms.saturating_mul(2))).await?;
        let all: Vec<outage::Sighting<'_>> = all.iter().filter_map(thought_of).collect();
        let Some(found) = outage::outages(&all, policy, now).into_iter().min_by_key(|outage| outage.began)
        else {
            return Ok(open);
        };
        Ok(Some(match open {
            Some(outage) => {
                ledger.know_outage(&outage.id, found.began, now).await?;
                outage
            }
            None => {
                let class = FailureClass::from(found.class);
                let new = NewOutage {
                    service: &found.service,
                    class: class.id(),
                    began_at: found.began,
                    known: true,
                };
                ledger.begin_outage(&new, tend, OUTAGE, now).await?
            }
        }))
    }

    /// Asks the service before anything runs again; where it does not serve, it is down from now on.
    async fn ask_first(
        &self,
        hand: &Hand<'_>,
        service: &KnownService,
        seen: &Sighting,
    ) -> Result<Option<Outage>, EngineError> {
        // What was seen before this job failed says nothing about it.
        let since = (hand.now)().saturating_sub(FRESH).max(seen.at);
        match self.look(service, hand, since).await {
            Seen::Serves | Seen::CannotTell => Ok(None),
            Seen::Down(_) => {
                let new =
                    NewOutage { service: &service.host, class: &seen.class, began_at: seen.at, known: false };
                Ok(Some(hand.ledger.begin_outage(&new, tend, OUTAGE, (hand.now)()).await?))
            }
        }
    }

    async fn look(&self, service: &KnownService, hand: &Hand<'_>, since: i64) -> Seen {
        let now = (hand.now)();
        let looked = look(&*self.remotes, &self.config.outage, &self.lately, service, since, now).await;
        if let Some(took) = looked.asked {
            let took = took.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
            // For people to look at: what can't be kept of it holds nobody up.
            drop(hand.ledger.asked(&service.host, took, now).await);
        }
        looked.seen
    }

    /// Looks after an outage: asks the service, and when it is back lets go what waits for it. Done by one node at a time.
    ///
    /// # Errors
    /// [`EngineError`]: worth trying again.
    pub async fn tend(&self, hand: &Hand<'_>, id: &str) -> Result<Tended, EngineError> {
        let (ledger, config) = (hand.ledger, &self.config.outage);
        let nothing = Tended { next: None, known: false, began: None, ended: None };
        let Some(outage) = ledger.outage(id).await? else { return Ok(nothing) };
        if outage.ended_at.is_some() {
            // Whoever ended it may have died before anybody was told.
            if outage.known_at.is_some() {
                self.notify_outage(hand, &outage, true, Vec::new()).await?;
            }
            return Ok(nothing);
        }
        let seen = match config.service(&outage.service) {
            Some(service) => self.look(service, hand, (hand.now)()).await,
            // Known to another node, or taken out of the configuration.
            None => Seen::CannotTell,
        };
        let now = (hand.now)();
        let lasts = now.saturating_sub(outage.began_at);
        let lately = ledger.sightings(&outage.service, now.saturating_sub(config.policy.within_ms)).await?;
        let repositories = {
            let all = ledger.sightings(&outage.service, outage.began_at).await?;
            all.iter().map(|one| one.repository.as_str()).collect::<std::collections::BTreeSet<_>>().len()
        };
        let told = |repositories, runs| OutageTold {
            service: outage.service.clone(),
            class: outage.class.clone(),
            repositories,
            runs,
            lasts_ms: lasts,
        };
        let began = match ledger.tell_outage(id, now).await? {
            true => Some(told(repositories, ledger.waiting_for(id).await?)),
            false => None,
        };
        let answers = ledger.probed(id, seen == Seen::Serves, now).await?;
        let back = is_back(&vec![true; usize::try_from(answers).unwrap_or(0)], &config.policy);
        // Where it can't be asked, it is over when nobody meets it any more; and nobody waits for ever.
        let quiet = seen == Seen::CannotTell && lately.is_empty();
        let given_up = lately.is_empty() && lasts > config.wait_ms && ledger.waiting_for(id).await? == 0;
        if back || quiet || given_up {
            let policy = config.policy;
            let seed = seed_of(id);
            let drain = move |names: &[&str]| drain(names, now, &policy, seed);
            let released = ledger.end_outage(id, drain, now).await?;
            let runs = u64::try_from(released.incidents).unwrap_or(u64::MAX);
            let ended =
                (outage.known_at.is_some() || began.is_some()).then(|| told(released.repositories, runs));
            if ended.is_some() {
                let lines = vec![format!("{runs} runs go again, one by one.")];
                self.notify_outage(hand, &outage, true, lines).await?;
            }
            return Ok(Tended { next: None, known: false, began, ended });
        }
        let wait = match seen {
            // It seems to be back: is it so for good?
            Seen::Serves => config.probe_ms / 3,
            Seen::Down(asked) => {
                let usual = (lasts / 20).clamp(config.probe_ms, config.probe_ms.max(RAREST));
                usual.max(asked.min(OBEYED))
            }
            Seen::CannotTell => config.probe_ms.saturating_mul(4),
        };
        let known = outage.known_at.is_some();
        if known || began.is_some() {
            let lines =
                vec![format!("Met by {repositories} repositories; their runs wait until it is back.")];
            self.notify_outage(hand, &outage, false, lines).await?;
        }
        Ok(Tended { next: Some(now.saturating_add(wait.max(1))), known, began, ended: None })
    }
}

/// As `decide` takes it.
fn thought_of(seen: &Sighting) -> Option<outage::Sighting<'_>> {
    let class = FailureClass::parse(&seen.class)?.healable()?;
    Some(outage::Sighting { class, service: &seen.service, repository: &seen.repository, at: seen.at })
}
