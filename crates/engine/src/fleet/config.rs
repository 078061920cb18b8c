//! What the operator wants beside the fleet.

use regreen_decide::{Denial, Policy};
use regreen_domain::{Diagnosis, FailureClass, Mode};
use regreen_forge::{Repository, hook::Sender};
use regreen_ledger::BreakerPolicy;
use regreen_notify::Routes;

use crate::fleet::{EscalationConfig, OutageConfig, ToldConfig};

/// The tunables.
#[derive(Debug, Clone, PartialEq)]
pub struct FleetConfig {
    /// How far Regreen may go; its mode is what holds where no rule does.
    pub policy: Policy,
    /// Modes of repositories, classes and playbooks: the last one that fits counts.
    pub rules: Vec<Rule>,
    /// When a circuit breaker opens, and for how long.
    pub breaker: BreakerPolicy,
    /// The repository, in lower case, and the workflow's file that Regreen itself runs in, e.g. `octo-org/shop` and
    /// `.github/workflows/heal.yml`: its runs are left alone.
    pub own_workflow: Option<(Repository, String)>,
    /// Whether every attempt of a run but its first counts as one of Regreen's, whoever sent it off: for where the ledger may be lost.
    pub attempts_of_host: bool,
    /// Most failed jobs of a run that are looked at. Of a run with more, nothing is known.
    pub most_jobs: usize,
    /// Time between two looks at an attempt that was not told to have ended, in milliseconds.
    pub look_ms: i64,
    /// Longest that an attempt may take, in milliseconds: GitHub ends a job after five days at the latest, and its hosted
    /// runners after six hours.
    pub wait_ms: i64,
    /// So long a request whose answer was lost is looked for; then it is taken for one that never arrived, in milliseconds.
    pub lost_ms: i64,
    /// Time between two looks for the answer to a question, in milliseconds: who answers by a comment or `regreen approve` wakes
    /// the work at once.
    pub ask_ms: i64,
    /// Whether commands in comments are obeyed and answered.
    pub comments: bool,
    /// Whether the logs of failed jobs are kept, masked, with their incident.
    pub keep_logs: bool,
    /// Time before a host that stumbled is asked again, in milliseconds.
    pub stumble_ms: i64,
    /// What may be asked of the host.
    pub calls: CallBudget,
    /// Work that the host has not let be done for so long is given up, in milliseconds.
    pub give_up_ms: i64,
    /// What is waited for when a service is down.
    pub outage: OutageConfig,
    /// Whether people are told by issues.
    pub escalation: EscalationConfig,
    /// Whether people are told where they work.
    pub told: ToldConfig,
    /// Who is told away from the host.
    pub routes: Routes,
}

/// How many requests may be sent to the host within an hour. `None`: no limit but the host's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CallBudget {
    /// On behalf of one repository.
    pub repository: Option<u32>,
    /// On behalf of all repositories of an organisation together.
    pub organisation: Option<u32>,
}

/// The mode of some repositories, classes and playbooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// At which host; `None`: at any.
    pub host: Option<Sender>,
    /// `owner/name`, or `owner/*` for all of an owner's; `None`: any.
    pub repository: Option<String>,
    /// The class; `None`: any.
    pub class: Option<FailureClass>,
    /// The playbook's id; `None`: any.
    pub playbook: Option<String>,
    /// What holds: no record makes more of it.
    pub mode: Mode,
}

impl Default for FleetConfig {
    /// Nothing is done: `observe`.
    fn default() -> FleetConfig {
        const MINUTE: i64 = 60_000;
        FleetConfig {
            policy: Policy { mode: Mode::Observe, ..Policy::default() },
            rules: Vec::new(),
            breaker: BreakerPolicy { threshold: 3, cooldown_ms: 30 * MINUTE, probe_ms: 24 * 60 * MINUTE },
            own_workflow: None,
            attempts_of_host: false,
            most_jobs: 32,
            look_ms: 5 * MINUTE,
            wait_ms: 24 * 60 * MINUTE,
            lost_ms: 15 * MINUTE,
            ask_ms: 5 * MINUTE,
            comments: false,
            keep_logs: true,
            stumble_ms: MINUTE,
            calls: CallBudget::default(),
            give_up_ms: 24 * 60 * MINUTE,
            outage: OutageConfig::default(),
            escalation: EscalationConfig::default(),
            told: ToldConfig::default(),
            routes: Routes::default(),
        }
    }
}

impl FleetConfig {
    /// The mode for a playbook against a class in a repository at a host, before its record speaks.
    pub fn mode(&self, host: Sender, repository: &Repository, class: FailureClass, playbook: &str) -> Mode {
        self.rule(host, repository, class, playbook).map_or(self.policy.mode, |rule| rule.mode)
    }

    /// What holds for that playbook there: one that a rule names earns nothing beyond that rule's mode.
    pub(super) fn policy(
        &self,
        host: Sender,
        repository: &Repository,
        class: FailureClass,
        playbook: &str,
    ) -> Policy {
        let own = self.policy.clone();
        match self.rule(host, repository, class, playbook) {
            None => own,
            Some(rule) => Policy { mode: rule.mode, promotion: None, ..own },
        }
    }

    fn rule(
        &self,
        host: Sender,
        repository: &Repository,
        class: FailureClass,
        playbook: &str,
    ) -> Option<&Rule> {
        let fits = |rule: &&Rule| {
            rule.host.is_none_or(|of| of == host)
                && rule.repository.as_deref().is_none_or(|pattern| names(pattern, repository.as_str()))
                && rule.class.is_none_or(|of| of == class)
                && rule.playbook.as_deref().is_none_or(|of| of == playbook)
        };
        self.rules.iter().rev().find(fits)
    }

    /// Whether the deny list names any part of a recovery that was decided.
    pub(super) fn denies(&self, diagnosis: &Diagnosis, playbook: &str) -> bool {
        self.policy.deny.iter().any(|denial| match denial {
            Denial::Class(class) => *class == diagnosis.class,
            Denial::Pattern(id) => diagnosis.pattern.as_ref() == Some(id),
            Denial::Playbook(id) => playbook == id,
            Denial::Tool(tool) => diagnosis.tool.as_ref() == Some(tool),
        })
    }
}

/// Names of repositories have no case at either host.
pub(super) fn names(pattern: &str, repository: &str) -> bool {
    match pattern.strip_suffix("/*") {
        Some(owner) => {
            let head = repository.get(..owner.len()).is_some_and(|head| head.eq_ignore_ascii_case(owner));
            head && repository.as_bytes().get(owner.len()) == Some(&b'/')
        }
        None => pattern.eq_ignore_ascii_case(repository),
    }
}

#[cfg(test)]
mod tests {
    use regreen_domain::HealableClass;

    use super::*;

    #[test]
    fn the_last_rule_that_fits_counts() {
        let rule = |repository: Option<&str>, class, playbook: Option<&str>, mode| Rule {
            host: None,
            repository: repository.map(str::to_owned),
            class,
            playbook: playbook.map(str::to_owned),
            mode,
        };
        let network = FailureClass::from(HealableClass::NetworkTimeout);
        let config = FleetConfig {
            rules: vec![
                rule(Some("octo/*"), None, None, Mode::Auto),
                rule(Some("octo/bank"), None, None, Mode::Suggest),
                rule(Some("octo/bank"), Some(network), Some("p"), Mode::Approve),
            ],
            ..FleetConfig::default()
        };
        let mut at_gitlab = config.clone();
        at_gitlab
            .rules
            .push(Rule { host: Some(Sender::GitLab), ..rule(Some("octo/shop"), None, None, Mode::Suggest) });
        let shop = Repository::parse("octo/shop").unwrap();
        let at = |host| at_gitlab.mode(host, &shop, network, "p");
        assert_eq!((at(Sender::GitHub), at(Sender::GitLab)), (Mode::Auto, Mode::Suggest));
        for (repository, class, playbook, want) in [
            ("octo/shop", network, "p", Mode::Auto),
            ("Octo/Shop", network, "p", Mode::Auto),
            ("octopus/shop", network, "p", Mode::Observe),
            ("octo/bank", FailureClass::Unknown, "p", Mode::Suggest),
            ("octo/bank", network, "q", Mode::Suggest),
            ("octo/bank", network, "p", Mode::Approve),
            ("other/bank", network, "p", Mode::Observe),
        ] {
            let of = Repository::parse(repository).unwrap();
            assert_eq!(
                config.mode(Sender::GitHub, &of, class, playbook),
                want,
                "{repository} {class} {playbook}"
            );
        }
    }
}
