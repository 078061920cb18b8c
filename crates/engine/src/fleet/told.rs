//! Telling people where they work: one comment on the pull request of a run, and one check run beside its commit, each edited in
//! place. Each is one piece of work for an incident, which whoever changes the incident wakes; what is said is made from the
//! record when it is said, so that an older state never comes after a newer one.

use regreen_domain::{Outcome, Refusal, Verdict};
use regreen_forge::{Check, CheckState, Marker, Repository, Run, RunRef, hook::Sender};
use regreen_ledger::{Incident, Ledger, NewWork, State};
use regreen_show::told::{Earlier, Standing, Told};
use serde::{Deserialize, Serialize};

use crate::{
    error::EngineError,
    fleet::{
        Answer, Fleet, Hand, Put, act, approval::run_of, escalate::of_a_fork, incident_id, paused::is_paused,
    },
};

/// Kind of the work of telling people where they work.
pub const TOLD: &str = "told";
/// What could not be told for so long is given up, and a refused check run not tried again, in milliseconds.
const DAY: i64 = 24 * 3_600_000;
/// What waits is looked at again after this long where nobody wakes it, in milliseconds.
const RARELY: i64 = DAY / 4;
/// On so many of a run's pull requests it is told.
const PULLS: usize = 3;
/// So many earlier attempts are told of.
const EARLIER: usize = 5;
/// The name of the check run.
const CHECK: &str = "Regreen";

/// Whether and where people are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ToldConfig {
    /// By a comment on the pull request (merge request).
    pub pull_requests: bool,
    /// By a check run, where the host is GitHub.
    pub check_runs: bool,
}

/// Where it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spot {
    /// In a comment.
    Comment,
    /// Beside the commit.
    CheckRun,
    /// Nowhere: it stands for a refusal that was told.
    Refused,
}

/// Something that is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telling {
    /// At which host.
    pub sender: Sender,
    /// Of which incident.
    pub about: String,
    /// Where.
    pub spot: Spot,
}

/// As it is stored. Fields may be added, never changed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TellingV1 {
    version: u32,
    forge: String,
    about: String,
    spot: Spot,
}

impl Telling {
    /// Names the work.
    pub fn key(&self) -> String {
        let spot = match self.spot {
            Spot::Comment => "comment",
            Spot::CheckRun => "check-run",
            Spot::Refused => "refused",
        };
        format!("{}/{TOLD}/{}/{spot}", self.sender.id(), self.about)
    }

    /// Its document.
    pub fn payload(&self) -> String {
        let forge = self.sender.id().to_owned();
        let document = TellingV1 { version: 1, forge, about: self.about.clone(), spot: self.spot };
        serde_json::to_string(&document).unwrap_or_default()
    }

    /// What was listed; `None` where this version can't read it.
    pub fn read(payload: &str) -> Option<Telling> {
        let TellingV1 { version: 1, forge, about, spot } = serde_json::from_str(payload).ok()? else {
            return None;
        };
        Some(Telling { sender: Sender::parse(&forge)?, about, spot })
    }
}

/// What came of telling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// It is said, or need not be; in a word.
    Done(&'static str),
    /// It is said as it stands now; what comes is said when it comes, or looked for then.
    Open {
        /// In milliseconds since 1970.
        next: i64,
    },
    /// Not now.
    Later {
        /// In milliseconds since 1970.
        at: i64,
        /// Why.
        why: String,
    },
    /// It can't be said, for this reason.
    Never(String),
    /// The host lets no check run be written there.
    Refused {
        /// Why; `None` where that was told already.
        trouble: Option<String>,
    },
}

/// What is on record of a run: the incidents of its attempts, the latest first.
struct OfRun {
    incidents: Vec<(u32, Incident)>,
    /// What the latest one has under way is applied.
    applied: bool,
    /// Grows with every change of it, and is never newer than what is read of it.
    place: (i64, i64),
}

impl Fleet {
    /// An incident has changed: who works there is to be told. Said again it is as once.
    ///
    /// # Errors
    /// The ledger's.
    pub(super) async fn tell_there(&self, hand: &Hand<'_>, incident: &str) -> Result<(), EngineError> {
        let ToldConfig { pull_requests, check_runs } = self.config.told;
        let check_runs = check_runs && self.sender == Sender::GitHub;
        if !pull_requests && !check_runs {
            return Ok(());
        }
        let (ledger, now) = (hand.ledger, (hand.now)());
        let Some(incident) = ledger.incident(incident).await? else { return Ok(()) };
        let Some((_, run, attempt)) = self.own(&incident) else { return Ok(()) };
        // Of a first failure of the code, or an unknown one, there is nothing to say; of a later one there may be.
        let says_something = attempt > 1 || incident.class().verdict() == Verdict::Infrastructure;
        if !says_something || !self.may_be_told(&run.repository, &incident) {
            return Ok(());
        }
        // What waits is met again and again: only what has changed since the last time is news.
        let is_news = incident.state == State::Closed || {
            let last = ledger.facts(&incident.id).await?.last().map(|entry| entry.at);
            let changed = last.unwrap_or_default().max(incident.changed_at);
            now.saturating_sub(changed) < self.config.look_ms
        };
        for (spot, wanted) in [(Spot::Comment, pull_requests), (Spot::CheckRun, check_runs)] {
            if !wanted {
                continue;
            }
            let telling = Telling { sender: self.sender, about: incident.id.clone(), spot };
            let (key, payload) = (telling.key(), telling.payload());
            let work = NewWork { kind: TOLD, key: &key, payload: &payload, created_at: now, due_at: now };
            if ledger.enqueue(&[work]).await? != [true] && is_news {
                ledger.wake(&key, now).await?;
            }
        }
        Ok(())
    }

    /// Says it where it belongs, as it is on record now. Done by one node at a time.
    ///
    /// # Errors
    /// [`EngineError`]: worth trying again.
    pub async fn say(&self, hand: &Hand<'_>, telling: &Telling) -> Result<Said, EngineError> {
        let (ledger, now) = (hand.ledger, (hand.now)());
        let ToldConfig { pull_requests, check_runs } = self.config.told;
        let wanted = match telling.spot {
            Spot::Comment => pull_requests,
            Spot::CheckRun => check_runs && self.sender == Sender::GitHub,
            Spot::Refused => false,
        };
        let incident = if wanted { ledger.incident(&telling.about).await? } else { None };
        let Some(incident) = incident else { return Ok(Said::Done("not-told")) };
        let Some((_, run, attempt)) = self.own(&incident) else { return Ok(Said::Done("not-told")) };
        // The mode may be another by now.
        if !self.may_be_told(&run.repository, &incident) {
            return Ok(Said::Done("not-told"));
        }
        let later = |at: i64, why: String| match now.saturating_sub(incident.changed_at) >= DAY {
            true => Said::Never(why),
            false => Said::Later { at, why },
        };
        let paused = async || -> Result<bool, EngineError> {
            Ok(is_paused(ledger, self.sender, run.repository.as_str()).await?)
        };
        let waits = || later(now.saturating_add(self.config.look_ms), "healing is paused".to_owned());
        if paused().await? {
            return Ok(waits());
        }
        if let Some(used_up) = self.calls_used_up(ledger, &run.repository, now).await? {
            let why = format!("{} of {}", Refusal::CallsUsedUp.id(), used_up.whose);
            return Ok(later(used_up.at, why));
        }
        if telling.spot == Spot::CheckRun && self.is_refused(ledger, &run.repository, now).await? {
            return Ok(Said::Refused { trouble: None });
        }
        let seen = match self.forge.run(&run).await {
            Ok(seen) => seen,
            Err(e) => match self.not_put(&e, now) {
                Put::Later { at, why } => return Ok(later(at, why)),
                Put::Never(why) => return Ok(Said::Never(why)),
                Put::Done => return Ok(Said::Done("not-told")),
            },
        };
        // What strangers' jobs print is repeated nowhere.
        if seen.from_fork {
            return Ok(Said::Done("not-told"));
        }
        let record = self.of_run(ledger, &run, attempt.max(seen.attempt)).await?;
        let any = record.incidents.iter().any(|(_, one)| one.class().verdict() == Verdict::Infrastructure);
        let (Some((_, latest)), true) = (record.incidents.first(), any) else {
            return Ok(Said::Done("nothing-to-tell"));
        };
        let open = latest.state != State::Closed;
        let Some((marker, title, text)) = self.told_text(&record, &run) else {
            return Ok(Said::Done("not-told"));
        };
        let text = Marker::in_order(&text, record.place);
        // The kill switch once more, right before anything is written, and whether another node has it by now.
        if paused().await? {
            return Ok(waits());
        }
        ledger.is_held().await?;
        let put = match telling.spot {
            Spot::Comment => self.put_comments(&seen, &marker, &text, now).await,
            _ => {
                let check = beside(&seen, marker, title, text);
                match self.forge.check_run(&run.repository, &check).await {
                    Ok(_) => Put::Done,
                    Err(e) if e.is_passing() || !e.had_no_effect() => self.not_put(&e, now),
                    Err(e) => {
                        let why = self.masker.mask(&e.to_string()).into_owned();
                        return self.refused(ledger, &run.repository, &why, now).await;
                    }
                }
            }
        };
        match put {
            Put::Later { at, why } => return Ok(later(at, why)),
            Put::Never(why) => return Ok(Said::Never(why)),
            Put::Done => {}
        }
        // What has changed while it was said, by whomever, is said too: who writes last has read last.
        let after = self.of_run(ledger, &run, attempt.max(seen.attempt)).await?;
        if self.told_text(&after, &run) != self.told_text(&record, &run) {
            return Ok(Said::Open { next: now });
        }
        Ok(if open { Said::Open { next: now.saturating_add(RARELY) } } else { Said::Done("told") })
    }

    /// The run of an incident of this host.
    fn own(&self, incident: &Incident) -> Option<(Sender, RunRef, u32)> {
        run_of(incident).filter(|(sender, ..)| *sender == self.sender && !incident.imported)
    }

    /// Nothing is written of what a fork's run met, or where Regreen only observes.
    fn may_be_told(&self, repository: &Repository, incident: &Incident) -> bool {
        !of_a_fork(incident) && !self.observed(repository, incident)
    }

    async fn of_run(&self, ledger: &Ledger, run: &RunRef, latest: u32) -> Result<OfRun, EngineError> {
        let folded = RunRef { repository: run.repository.folded(), run_id: run.run_id };
        let mut incidents = Vec::new();
        let from = latest.saturating_sub(u32::try_from(EARLIER).unwrap_or_default()).max(1);
        // A later attempt may be known by now.
        let of = (from..=latest.saturating_add(1)).rev();
        let of: Vec<_> = of.map(|attempt| (attempt, incident_id(self.sender, &folded, attempt))).collect();
        // Before anything is read: what changes in between has a later place than what is said here.
        let mut place = (0, 0);
        for (_, id) in &of {
            place = place.max(ledger.latest_change(id).await?);
        }
        for (attempt, id) in of {
            let one = ledger.incident(&id).await?;
            incidents.extend(one.filter(|one| !of_a_fork(one)).map(|one| (attempt, one)));
        }
        let facts = match incidents.first() {
            Some((_, latest)) => ledger.facts(&latest.id).await?,
            None => Vec::new(),
        };
        Ok(OfRun { incidents, applied: act::is_applied(&facts), place })
    }

    /// Its marker, a heading and the text, masked.
    fn told_text(&self, record: &OfRun, run: &RunRef) -> Option<(Marker, String, String)> {
        let ((attempt, latest), earlier) = record.incidents.split_first()?;
        let earlier: Vec<Earlier> = earlier
            .iter()
            .take(EARLIER)
            .map(|(attempt, one)| Earlier {
                attempt: *attempt,
                class: one.diagnosis.class.clone(),
                standing: standing(one, false),
            })
            .collect();
        let of = &latest.diagnosis;
        let root = of.evidence.iter().find(|one| one.role == "root").or(of.evidence.first());
        let because = latest.decision.as_ref().and_then(|decision| decision.because.as_deref());
        let playbook = latest.plan().map(|plan| plan.playbook);
        let checked = latest.verification.as_ref().and_then(|factors| factors.first());
        let told = Told {
            attempt: *attempt,
            jobs: &latest.command,
            verdict: &of.verdict,
            class: &of.class,
            pattern: of.pattern.as_deref(),
            confidence: of.confidence,
            reason: &of.reason,
            evidence: root.map(|one| one.text.as_str()),
            standing: standing(latest, record.applied),
            playbook: playbook.as_deref(),
            because: because.and_then(Refusal::parse).map(Refusal::explain),
            word: latest.approval.as_ref().map(|word| (word.actor.as_str(), word.granted)),
            checked: checked.map(|factor| factor.says.as_str()),
            earlier: &earlier,
            incident: &latest.id,
            commands: self.config.comments && self.forge.takes_commands(),
        };
        let masked = |text: &str| self.masker.mask(text).into_owned();
        let marker = Marker::parse(&format!("{TOLD}/{:x}", run.run_id))?;
        Some((marker, masked(&told.title()), masked(&told.body())))
    }

    async fn put_comments(&self, run: &Run, marker: &Marker, text: &str, now: i64) -> Put {
        for number in run.pull_requests.iter().take(PULLS) {
            let answer = Answer {
                repository: run.reference.repository.clone(),
                about: *number,
                on_change: true,
                text: text.to_owned(),
            };
            match self.put(&answer, marker, now).await {
                Put::Done => {}
                other => return other,
            }
        }
        Put::Done
    }

    /// Whether no check run could be written there within the last day.
    async fn is_refused(
        &self,
        ledger: &Ledger,
        repository: &Repository,
        now: i64,
    ) -> Result<bool, EngineError> {
        let today = now.div_euclid(DAY);
        for day in [today, today.saturating_sub(1)] {
            let key = self.refusal(repository, day).key();
            // It stands there until a day is over.
            if ledger.is_listed(&key).await? && ledger.outcome(&key).await?.is_none() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn refusal(&self, repository: &Repository, day: i64) -> Telling {
        let about = format!("{}/{day}", repository.folded());
        Telling { sender: self.sender, about, spot: Spot::Refused }
    }

    /// That is put on record, by work that does nothing, and told by whoever does so first.
    async fn refused(
        &self,
        ledger: &Ledger,
        repository: &Repository,
        why: &str,
        now: i64,
    ) -> Result<Said, EngineError> {
        let telling = self.refusal(repository, now.div_euclid(DAY));
        let (key, payload) = (telling.key(), telling.payload());
        let work = NewWork { kind: TOLD, key: &key, payload: &payload, created_at: now, due_at: now + DAY };
        let fresh = ledger.enqueue(&[work]).await? == [true];
        let trouble = fresh.then(|| {
            format!("no check run can be written in {repository}, and none is tried for a day: {why}")
        });
        Ok(Said::Refused { trouble })
    }
}

/// What stands beside the commit. Always *neutral*: a check that failed would turn a run red that is none of it, one that
/// succeeded would look like a test that passed, and one that has not ended would be waited for.
fn beside(run: &Run, marker: Marker, title: String, summary: String) -> Check {
    Check {
        name: CHECK.to_owned(),
        head_sha: run.head_sha.clone(),
        marker,
        state: CheckState::Neutral,
        title,
        summary,
        details_url: Some(run.url.clone()).filter(|url| url.starts_with("https://")),
        started_at: None,
    }
}

fn standing(incident: &Incident, applied: bool) -> Standing {
    match incident.state {
        State::AwaitingApproval => Standing::Asks,
        State::Approved => Standing::Waits,
        State::Open if applied => Standing::UnderWay,
        State::Open => Standing::Waits,
        State::Closed => match incident.outcome() {
            Some(Outcome::Healed) => Standing::Healed,
            Some(Outcome::RolledBack) => Standing::RolledBack,
            Some(Outcome::Stuck) => Standing::Stuck,
            Some(Outcome::Suggested) => Standing::Suggested,
            _ => Standing::LeftAlone,
        },
    }
}
