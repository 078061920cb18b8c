//! Whatever the case: acting needs a healable class, a confirmation, the threshold, and nothing that forbids it.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use proptest::prelude::*;
use regreen_decide::{Breaker, Case, History, Playbook, Policy, Setting, decide};
use regreen_domain::{
    CommandFacts, CommandKind, Confidence, Decision, Diagnosis, FailureClass, Finding, Fingerprint,
    HealableClass, Mode, Refusal, Risk, Standing, Tool,
};

fn npm() -> Tool {
    Tool::new("npm").unwrap()
}

fn playbook(id: &str, heals: HealableClass, risk: Risk) -> Playbook {
    Playbook {
        id: id.to_owned(),
        heals: vec![heals],
        tools: vec![],
        risk,
        attempts: 3,
        cooldown_ms: 60_000,
        writes_files: heals == HealableClass::LockfileCorruption,
        steps: vec![],
    }
}

fn playbooks() -> Vec<Playbook> {
    vec![
        playbook("a", HealableClass::LockfileCorruption, Risk::Medium),
        playbook("b", HealableClass::NetworkTimeout, Risk::Low),
        playbook("c", HealableClass::NetworkTimeout, Risk::High),
    ]
}

fn diagnosis(class: FailureClass, confidence: f64, confirmed: bool) -> Diagnosis {
    Diagnosis {
        failed: true,
        class,
        pattern: None,
        tool: Some(npm()),
        step: None,
        confidence: Confidence::from_stored(confidence).unwrap(),
        confirmed,
        evidence: vec![],
        alternatives: vec![],
        reason: String::new(),
        fingerprint: Fingerprint::default(),
        truncated: false,
    }
}

prop_compose! {
    fn any_case()(
        class in prop::sample::select(&FailureClass::ALL[..]),
        confidence in 0.0..=1.0f64,
        (confirmed, in_ci, fork, deploys, yes, always, paused, time_used_up) in any::<(bool, bool, bool, bool, bool, bool, bool, bool)>(),
        clean in any::<Option<bool>>(),
        attempts in 0u32..5,
        ago in prop::option::of(0i64..120_000),
        open in any::<bool>(),
        mode in prop::sample::select(vec![Mode::Observe, Mode::Suggest, Mode::Approve, Mode::Auto]),
        kind in prop::sample::select(vec![
            CommandKind::Install, CommandKind::Build, CommandKind::Test, CommandKind::Deploy, CommandKind::Opaque,
        ]),
        forbids in prop::option::of(prop::sample::select(vec!["checksum", "manifest"])),
        tried in prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 0..3),
    ) -> (Diagnosis, Vec<Finding>, CommandFacts, Policy, Setting, History) {
        let findings = forbids.map(|probe| Finding {
            probe,
            tool: npm(),
            class: HealableClass::LockfileCorruption.into(),
            standing: Standing::Forbids,
            subject: String::new(),
            says: String::new(),
        });
        (
            diagnosis(class, confidence, confirmed),
            findings.into_iter().collect(),
            CommandFacts { tool: Some(npm()), kind, fetches: true },
            Policy { mode, threshold: 0.85, max_attempts: 3, max_risk: Risk::Medium },
            Setting {
                in_ci, untrusted_fork: fork, deploys, yes, rerun_always: always, files_clean: clean, paths: vec![],
            },
            History {
                attempts,
                last_try: ago.map(|a| 1_000_000 - a),
                breaker: if open { Breaker::Open } else { Breaker::Closed },
                time_used_up,
                paused,
                tried: tried.into_iter().map(str::to_owned).collect(),
            },
        )
    }
}

proptest! {
    #[test]
    fn acting_needs_everything_in_its_favour((d, findings, command, policy, setting, history) in any_case()) {
        let playbooks = playbooks();
        let case = Case {
            diagnosis: &d, findings: &findings, command: &command, playbooks: &playbooks, policy: &policy,
            setting: &setting, history: &history, now: 1_000_000,
        };
        if let Decision::Heal(plan) = decide(&case) {
            prop_assert_eq!(Some(plan.class), d.class.healable());
            prop_assert!(d.confirmed && d.confidence.value() >= policy.threshold);
            prop_assert!(findings.is_empty());
            prop_assert!(!setting.untrusted_fork && !setting.deploys && command.kind != CommandKind::Deploy);
            prop_assert!(command.kind != CommandKind::Opaque || setting.rerun_always);
            prop_assert!(!history.time_used_up && !history.paused && history.breaker == Breaker::Closed && history.attempts < 3);
            prop_assert!(policy.mode == Mode::Auto || (setting.yes && policy.mode != Mode::Observe));
            prop_assert!(plan.risk <= policy.max_risk);
            prop_assert!(!history.tried.contains(&plan.playbook));
            let writes = plan.class == HealableClass::LockfileCorruption;
            prop_assert!(!writes || setting.in_ci || setting.yes || setting.files_clean == Some(true));
        }
        if d.class.healable().is_none() {
            prop_assert!(matches!(decide(&case), Decision::Nothing { .. }), "a plan for {}", d.class);
        }
    }
}

#[test]
fn each_obstacle_alone_is_the_reason_that_is_shown() {
    let good = (
        diagnosis(HealableClass::LockfileCorruption.into(), 0.9, true),
        CommandFacts { tool: Some(npm()), kind: CommandKind::Install, fetches: true },
        Policy { mode: Mode::Auto, threshold: 0.85, max_attempts: 3, max_risk: Risk::Medium },
        Setting { in_ci: true, ..Setting::default() },
        History::default(),
    );
    type Parts = (Diagnosis, CommandFacts, Policy, Setting, History);
    type Spoil = fn(&mut Parts);
    let spoils: [(Option<Refusal>, Spoil); 15] = [
        (None, |_| {}),
        (Some(Refusal::CodeFailure), |p| p.0.class = FailureClass::parse("test-failure").unwrap()),
        (Some(Refusal::UnknownCause), |p| p.0.class = FailureClass::Unknown),
        (Some(Refusal::AdviceOnly), |p| p.0.class = FailureClass::parse("trust-failure").unwrap()),
        (Some(Refusal::NoPlaybook), |p| p.0.class = HealableClass::RunnerFailure.into()),
        (Some(Refusal::DeployJob), |p| p.3.deploys = true),
        (Some(Refusal::UntrustedFork), |p| p.3.untrusted_fork = true),
        (Some(Refusal::NotRepeatable), |p| p.1 = CommandFacts::OPAQUE),
        (Some(Refusal::NotConfirmed), |p| p.0.confirmed = false),
        (Some(Refusal::BelowThreshold), |p| p.0.confidence = Confidence::from_stored(0.84).unwrap()),
        (Some(Refusal::Paused), |p| p.4.paused = true),
        (Some(Refusal::BreakerOpen), |p| p.4.breaker = Breaker::Open),
        (Some(Refusal::AttemptsUsedUp), |p| p.4.attempts = 3),
        (Some(Refusal::TimeUsedUp), |p| p.4.time_used_up = true),
        (Some(Refusal::UncommittedChanges), |p| p.3.in_ci = false),
    ];
    let playbooks = playbooks();
    for (want, spoil) in spoils {
        let mut parts = good.clone();
        spoil(&mut parts);
        let (diagnosis, command, policy, setting, history) = &parts;
        let case = Case {
            diagnosis,
            findings: &[],
            command,
            playbooks: &playbooks,
            policy,
            setting,
            history,
            now: 0,
        };
        let got = match decide(&case) {
            Decision::Heal(_) => None,
            Decision::Suggest { because, .. } | Decision::Nothing { because } => Some(because),
        };
        assert_eq!(got, want);
    }
}
