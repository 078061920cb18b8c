//! Telling people away from the CI host: a notice for each who is to have it is put on the list as work, so that whoever sends
//! it holds nothing up, and a node that dies loses none.

use regreen_domain::{Outcome, Refusal};
use regreen_forge::Repository;
use regreen_ledger::{Incident, Ledger, NewWork, Outage};
use regreen_notify::{Kind, Notice, Recipient, When};
use regreen_show::harmless::{harmless, short};
use serde::{Deserialize, Serialize};

use crate::{
    error::EngineError,
    fleet::{Fleet, Hand, escalate::of_a_fork, issue_text::failed_run},
};

/// Kind of the work of telling somebody.
pub const NOTICE: &str = "notice";

/// Most characters of a line that is quoted.
const QUOTED: usize = 300;

/// Somebody is to be told something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Letter {
    version: u32,
    /// The sink's name.
    pub sink: String,
    /// It waits for the end of a span, and goes with whatever else has waited for that.
    pub in_summary: bool,
    /// When it is to be sent, in milliseconds since 1970.
    pub due: i64,
    /// What.
    pub notice: Notice,
}

impl Letter {
    /// What was listed; `None` where this version can't read it.
    pub fn read(payload: &str) -> Option<Letter> {
        serde_json::from_str(payload).ok().filter(|letter: &Letter| letter.version == 1)
    }
}

impl Fleet {
    /// An incident has come to rest, or asks a person: who wants to know is told. Said again it is as once.
    ///
    /// # Errors
    /// The ledger's.
    pub(super) async fn notify(&self, hand: &Hand<'_>, incident: &str) -> Result<(), EngineError> {
        if self.config.routes.recipients.is_empty() {
            return Ok(());
        }
        let Some(incident) = hand.ledger.incident(incident).await? else { return Ok(()) };
        let Some(kind) = self.kind(hand.ledger, &incident).await? else { return Ok(()) };
        let Some(mut notice) = self.written(kind, &incident) else { return Ok(()) };
        let wanted = self.wanted(hand, &notice).await?;
        if wanted.is_empty() {
            return Ok(());
        }
        // One call for all of them, and only where somebody is told.
        let repository = incident.place.repository.as_deref().and_then(Repository::parse);
        if let Some(run) = repository.and_then(|repository| failed_run(&incident, &repository)) {
            notice.link = self.forge.run(&run).await.ok().map(|run| run.url);
        }
        self.list(hand, &notice, wanted).await
    }

    /// An outage is known, or over: who wants to know is told.
    ///
    /// # Errors
    /// The ledger's.
    pub(super) async fn notify_outage(
        &self,
        hand: &Hand<'_>,
        outage: &Outage,
        ended: bool,
        lines: Vec<String>,
    ) -> Result<(), EngineError> {
        if self.config.routes.recipients.is_empty() {
            return Ok(());
        }
        let (kind, says) = match ended {
            false => (Kind::OutageBegan, "is down"),
            true => (Kind::OutageEnded, "is back"),
        };
        let notice = Notice {
            id: format!("{}/{}", kind.id(), outage.id),
            kind,
            at: (hand.now)(),
            title: self.line(&format!("{} {says}", outage.service)),
            lines: lines.iter().map(|line| self.line(line)).collect(),
            evidence: None,
            repository: None,
            class: Some(outage.class.clone()),
            confidence: None,
            incident: None,
            subject: format!("service:{}", outage.service),
            link: None,
        };
        let wanted = self.wanted(hand, &notice).await?;
        self.list(hand, &notice, wanted).await
    }

    /// What people are told of an incident; `None`: nothing. Of what a fork's run met, nothing either: strangers can make any
    /// number of those.
    async fn kind(&self, ledger: &Ledger, incident: &Incident) -> Result<Option<Kind>, EngineError> {
        if of_a_fork(incident) {
            return Ok(None);
        }
        let because = incident.decision.as_ref().and_then(|decision| decision.because.as_deref());
        let because = because.and_then(Refusal::parse);
        // Who is told of an outage is told once.
        if because == Some(Refusal::ServiceDown)
            && let Some(wait) = ledger.wait_of(&incident.id).await?
            && ledger.outage(&wait.outage).await?.is_some_and(|outage| outage.known_at.is_some())
        {
            return Ok(None);
        }
        let Some(outcome) = incident.outcome() else { return Ok(None) };
        Ok(match outcome {
            Outcome::Healed => Some(Kind::Healed),
            Outcome::RolledBack => Some(Kind::RolledBack),
            Outcome::Stuck => Some(Kind::Stuck),
            Outcome::AwaitingApproval => Some(Kind::AwaitingApproval),
            Outcome::Suggested if because != Some(Refusal::Paused) => Some(Kind::NeedsPerson),
            Outcome::LeftAlone if matches!(because, Some(Refusal::AdviceOnly | Refusal::Tampering)) => {
                Some(Kind::NeedsPerson)
            }
            _ => None,
        })
    }

    fn written(&self, kind: Kind, incident: &Incident) -> Option<Notice> {
        let diagnosis = &incident.diagnosis;
        let repository = incident.place.repository.clone()?;
        let root = diagnosis.evidence.iter().find(|one| one.role == "root").or(diagnosis.evidence.first());
        let because = incident.decision.as_ref().and_then(|decision| decision.because.as_deref());
        let because = because.and_then(Refusal::parse).map(|because| because.explain().to_owned());
        let playbook = incident.plan().map(|plan| format!("Playbook: {}", plan.playbook));
        let jobs = (!incident.command.is_empty()).then(|| format!("Jobs: {}", incident.command.join(", ")));
        let approve = (kind == Kind::AwaitingApproval)
            .then(|| format!("To agree: regreen approve {0} (or deny {0})", incident.id));
        let lines = [Some(diagnosis.reason.clone()), because, playbook, jobs, approve];
        Some(Notice {
            id: format!("{}/{}", kind.id(), incident.id),
            kind,
            at: incident.closed_at.unwrap_or(incident.changed_at),
            title: self.line(&format!("{repository}: {}", diagnosis.class)),
            lines: lines.into_iter().flatten().map(|line| self.line(&line)).collect(),
            evidence: root.map(|one| self.line(&one.text)),
            repository: Some(repository.clone()),
            class: Some(diagnosis.class.clone()),
            confidence: Some(diagnosis.confidence),
            incident: Some(incident.id.clone()),
            // The same cause elsewhere is another matter.
            subject: format!("{repository}/{}", diagnosis.fingerprint),
            link: None,
        })
    }

    fn line(&self, text: &str) -> String {
        short(&harmless(&self.masker.mask(text)), QUOTED)
    }

    /// Who is to be told and was not yet, and when.
    async fn wanted(&self, hand: &Hand<'_>, notice: &Notice) -> Result<Vec<(&Recipient, When)>, EngineError> {
        const HOUR: i64 = 3_600_000;
        let (routes, now) = (&self.config.routes, (hand.now)());
        let hour = now - now.rem_euclid(HOUR);
        let mut wanted = Vec::new();
        for to in routes.told_of(notice) {
            if hand.ledger.is_listed(&key(to, notice)).await? {
                continue;
            }
            let sent = hand.ledger.notices_since(&format!("{NOTICE}/{}/", to.name), hour).await?;
            wanted.push((to, to.when(notice, now, sent)));
        }
        Ok(wanted)
    }

    async fn list(
        &self,
        hand: &Hand<'_>,
        notice: &Notice,
        wanted: Vec<(&Recipient, When)>,
    ) -> Result<(), EngineError> {
        let now = (hand.now)();
        let letters: Vec<(String, String, i64)> = wanted
            .into_iter()
            .map(|(to, when)| {
                let (in_summary, due) = match when {
                    When::Now => (false, now),
                    When::Summary(_, until) => (true, until.max(now)),
                };
                let sink = to.name.clone();
                let letter = Letter { version: 1, sink, in_summary, due, notice: notice.clone() };
                (key(to, notice), serde_json::to_string(&letter).unwrap_or_default(), due)
            })
            .collect();
        let work: Vec<NewWork<'_>> = letters
            .iter()
            .map(|(key, payload, due)| NewWork { kind: NOTICE, key, payload, created_at: now, due_at: *due })
            .collect();
        if !work.is_empty() {
            hand.ledger.enqueue(&work).await?;
        }
        Ok(())
    }
}

fn key(to: &Recipient, notice: &Notice) -> String {
    format!("{NOTICE}/{}", to.key(notice))
}
