//! What a fleet knows that one job can't: asked before a decision, and told of its end.
//!
//! The fleet's word can only make a decision stricter: no answer of its gets a job further than the job's own rules let it. So
//! a server that is silent, wrong or not ours costs attempts, and nothing else.

use regreen_decide::{Breaker, History, Policy};
use regreen_domain::{Diagnosis, FailureClass, Mode};
use regreen_ledger::{Incident, Place};
use regreen_saga::BoxFuture;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{attempt::Run, event::Event, look::Look};

/// The version of both shapes. A later one is not understood, and then the job's own rules hold.
pub const COUNSEL_VERSION: u32 = 1;

/// What a job asks before it decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = JobQuestion)]
pub struct Question {
    /// Version of this shape.
    #[schema(minimum = 1, maximum = 1)]
    pub version: u32,
    /// The repository, as the checkout or the CI system names it.
    pub repository: String,
    /// The commit, where there is one.
    pub commit: Option<String>,
    /// The job, where it has a name.
    pub job: Option<String>,
    /// Id of the class of the failure.
    pub class: String,
    /// The tool that failed, where it is known.
    pub tool: Option<String>,
    /// The host that the deciding line names, where it is one.
    #[serde(default)]
    pub host: Option<String>,
}

/// What the fleet says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Counsel {
    /// Version of this shape.
    #[schema(minimum = 1, maximum = 1)]
    pub version: u32,
    /// Id of the furthest mode for this class in this repository.
    pub mode: String,
    /// The same for some playbooks: id of the playbook, id of the mode; the last one counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Vec<String>>)]
    pub playbooks: Vec<(String, String)>,
    /// Healing is paused, in the fleet or in this repository.
    pub paused: bool,
    /// The circuit breaker of this class, tool and repository is open.
    pub breaker_open: bool,
    /// Attempts for this commit and job that other machines told of.
    pub attempts: u32,
    /// The service at which this failed, where it is down and the fleet runs the job again once it is back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub down: Option<String>,
}

impl Question {
    /// The question of a job with this diagnosis.
    pub fn of(diagnosis: &Diagnosis, host: Option<String>, place: &Place) -> Question {
        Question {
            version: COUNSEL_VERSION,
            repository: place.repository.clone().unwrap_or_default(),
            commit: place.commit.clone(),
            job: place.job.clone(),
            class: diagnosis.class.id().to_owned(),
            tool: diagnosis.tool.as_ref().map(ToString::to_string),
            host,
        }
    }

    /// The class; `None` where this version doesn't know the word.
    pub fn class(&self) -> Option<FailureClass> {
        FailureClass::parse(&self.class)
    }
}

impl Counsel {
    /// The furthest mode for a playbook. A word that this version doesn't know is the least.
    pub fn mode_for(&self, playbook: Option<&str>) -> Mode {
        let special = self.playbooks.iter().rev().find(|(of, _)| Some(of.as_str()) == playbook);
        let word = special.map_or(&self.mode, |(_, mode)| mode);
        Mode::parse(word).unwrap_or(Mode::Observe)
    }

    /// The policy with no mode beyond the fleet's for this playbook, earned or not.
    pub(crate) fn tighten(&self, policy: &Policy, playbook: Option<&str>) -> Policy {
        let most = self.mode_for(playbook);
        let promotion = policy.promotion.filter(|promotion| promotion.to <= most);
        Policy { mode: policy.mode.min(most), promotion, ..policy.clone() }
    }

    /// What the fleet knows of before, beside what this machine does.
    pub(crate) fn add_to(&self, history: &mut History) {
        history.paused |= self.paused;
        history.service_down |= self.down.is_some();
        history.attempts = history.attempts.max(self.attempts);
        if self.breaker_open {
            history.breaker = Breaker::Open;
        }
    }
}

impl Run<'_> {
    /// The fleet's word, where there is a fleet and anything might be done.
    pub(crate) async fn counsel(&self, seen: &Look) -> Option<Counsel> {
        let (fleet, diagnosis) = (self.engine.counsellor.as_ref()?, &seen.detection.diagnosis);
        diagnosis.class.healable()?;
        let host = seen.detection.host().map(|host| host.as_str().to_owned());
        let counsel = fleet.ask(&Question::of(diagnosis, host, self.place)).await;
        if let Some(service) = counsel.as_ref().and_then(|counsel| counsel.down.as_deref()) {
            let said = format!(
                "{service} is down for several repositories; the fleet runs this again once it answers"
            );
            self.engine.voice.tell(Event::Progress(&said));
        }
        counsel
    }
}

/// The fleet, as a job sees it.
pub trait Counsellor: Send + Sync {
    /// Asks; `None` where there is no answer in time, or none that is understood. Whoever answers says so by itself.
    fn ask<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Option<Counsel>>;

    /// Tells how an incident ended, and what it changed in tracked files. That it could not be told is said and changes nothing.
    fn tell<'a>(&'a self, incident: &'a Incident, diff: Option<&'a str>) -> BoxFuture<'a, ()>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_about_a_playbook_counts_and_an_unknown_one_is_the_least() {
        let counsel = Counsel {
            version: COUNSEL_VERSION,
            mode: "auto".to_owned(),
            playbooks: [("a", "auto"), ("b", "approve"), ("a", "suggest"), ("c", "everything")]
                .map(|(of, mode)| (of.to_owned(), mode.to_owned()))
                .to_vec(),
            paused: false,
            breaker_open: false,
            attempts: 0,
            down: None,
        };
        let modes = [None, Some("a"), Some("b"), Some("c"), Some("d")].map(|of| counsel.mode_for(of));
        assert_eq!(modes, [Mode::Auto, Mode::Suggest, Mode::Approve, Mode::Observe, Mode::Auto]);
    }
}
