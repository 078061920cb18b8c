//! Whatever the case: acting needs a healable class, a confirmation, the threshold, and nothing that forbids it.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use proptest::prelude::*;
use regreen_decide::{
    Breaker, Budget, Case, Denial, History, Playbook, Policy, Promotion, Record, Setting, Spent, decide,
    ranking,
};
use regreen_domain::{
    CommandFacts, CommandKind, Confidence, Decision, Diagnosis, FailureClass, Finding, Fingerprint,
    HealableClass, Mode, Outcome, Refusal, Risk, Standing, Tool,
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
        ci_only: false,
        writes_files: heals == HealableClass::LockfileCorruption,
        paths: match heals {
            HealableClass::LockfileCorruption => vec!["{lockfile}".to_owned()],
            _ => vec![],
        },
        prior: (0, 0),
        own: false,
        fallback: None,
        steps: vec![],
    }
}

fn policy(mode: Mode) -> Policy {
    Policy { mode, ..Policy::default() }
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
        pattern_source: None,
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
        (healed, failed, day_ms, hour) in (0u32..30, 0u32..5, 0u64..300_000, 0u32..5),
        last in prop::sample::select(vec![Outcome::Healed, Outcome::RolledBack, Outcome::Stuck]),
        seed in any::<Option<u64>>(),
        (promoted, whole_job, signed) in any::<(bool, bool, bool)>(),
        deny in prop::option::of(prop::sample::select(vec!["class:network-timeout", "playbook:a", "tool:npm"])),
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
            Diagnosis { pattern: signed.then(|| "p".to_owned()), ..diagnosis(class, confidence, confirmed) },
            findings.into_iter().collect(),
            CommandFacts { tool: Some(npm()), kind, fetches: true },
            Policy {
                promotion: promoted.then_some(Promotion { to: Mode::Auto, at: 0.8 }),
                budget: Budget { minutes_per_day: Some(4), per_hour: Some(3), ..Budget::default() },
                organisation: Budget { attempts_per_day: Some(7), ..Budget::default() },
                deny: deny.into_iter().filter_map(Denial::parse).collect(),
                ..policy(mode)
            },
            Setting {
                in_ci, untrusted_fork: fork, deploys, yes, rerun_always: always, files_clean: clean, paths: vec!["package-lock.json".to_owned()],
                unclean: vec![], whole_job,
            },
            History {
                attempts,
                records: ["a", "b", "c"].map(|id| Record {
                    playbook: id.to_owned(), healed, failed, pattern_healed: healed, pattern_failed: failed,
                    last: Some(last), last_try: ago.map(|a| 1_000_000 - a),
                }).to_vec(),
                spent: Spent { day_ms, day: hour, hour },
                organisation: Spent { day_ms, day: hour.saturating_mul(2), hour },
                seed,
                breaker: if open { Breaker::Open } else { Breaker::Closed },
                time_used_up,
                paused,
                service_down: false,
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
            prop_assert!(d.confirmed || (setting.whole_job && d.pattern.is_some()));
            prop_assert!(d.confidence.value() >= policy.threshold);
            prop_assert!(findings.is_empty());
            prop_assert!(!setting.untrusted_fork && !setting.deploys && command.kind != CommandKind::Deploy);
            prop_assert!(command.kind != CommandKind::Opaque || setting.rerun_always || setting.whole_job);
            prop_assert!(!history.time_used_up && !history.paused && history.breaker == Breaker::Closed && history.attempts < 3);
            let record = history.records.iter().find(|r| r.playbook == plan.playbook).unwrap();
            let earned = policy.promotion.is_some()
                && record.last == Some(Outcome::Healed)
                && f64::from(record.healed) / f64::from(record.healed + record.failed) >= 0.8;
            prop_assert!(policy.mode == Mode::Auto || earned || (setting.yes && policy.mode != Mode::Observe));
            prop_assert!(record.last != Some(Outcome::Stuck) || setting.yes, "acted by itself after it got stuck");
            prop_assert!(history.spent.day_ms < 240_000 && history.spent.hour < 3);
            prop_assert!(record.last_try.is_none_or(|at| 1_000_000 - at >= 60_000));
            let denied: Vec<String> = policy.deny.iter().map(ToString::to_string).collect();
            let names = [format!("class:{}", d.class.id()), format!("playbook:{}", plan.playbook), "tool:npm".to_owned()];
            prop_assert!(!denied.iter().any(|line| names.contains(line)), "{denied:?}");
            prop_assert!(plan.risk <= policy.max_risk);
            prop_assert!(!history.tried.contains(&plan.playbook));
            let writes = plan.class == HealableClass::LockfileCorruption;
            prop_assert_eq!(plan.paths.clone(), if writes { setting.paths.clone() } else { vec![] });
            prop_assert!(!writes || setting.in_ci || setting.yes || setting.files_clean == Some(true));
        }
        if d.class.healable().is_none() {
            prop_assert!(matches!(decide(&case), Decision::Nothing { .. }), "a plan for {}", d.class);
        }
    }
}

proptest! {
    #[test]
    fn a_control_group_takes_from_what_would_be_healed_and_changes_nothing_else(
        (d, findings, command, policy, setting, history) in any_case(), fraction in 0.0..=0.5f64,
    ) {
        let playbooks = playbooks();
        let decided = |control: f64, approved: bool, setting: &Setting| {
            let policy = Policy { control, approved, ..policy.clone() };
            decide(&Case {
                diagnosis: &d, findings: &findings, command: &command, playbooks: &playbooks, policy: &policy,
                setting, history: &history, now: 1_000_000,
            })
        };
        let left_alone = Decision::Nothing { because: Refusal::ControlGroup };
        for approved in [false, true] {
            let without = decided(0.0, approved, &setting);
            prop_assert_ne!(&without, &left_alone, "a fraction of 0 draws nobody");
            let with = decided(fraction, approved, &setting);
            prop_assert_eq!(&decided(fraction, approved, &setting), &with, "the same each time");
            let is_drawn = with == left_alone;
            if is_drawn {
                prop_assert!(matches!(without, Decision::Heal(_)));
                prop_assert!(setting.whole_job && !approved && !setting.yes && history.seed.is_some());
                prop_assert_eq!(decided(0.5, approved, &setting), left_alone.clone(), "whom less draws, more draws");
            } else {
                prop_assert_eq!(with, without);
            }
            // In a job nobody is drawn.
            let in_job = Setting { whole_job: false, ..setting.clone() };
            prop_assert_eq!(decided(fraction, approved, &in_job), decided(0.0, approved, &in_job));
        }
    }
}

#[test]
fn each_obstacle_alone_is_the_reason_that_is_shown() {
    let good = (
        diagnosis(HealableClass::LockfileCorruption.into(), 0.9, true),
        CommandFacts { tool: Some(npm()), kind: CommandKind::Install, fetches: true },
        policy(Mode::Auto),
        Setting { in_ci: true, paths: vec!["package-lock.json".to_owned()], ..Setting::default() },
        History::default(),
    );
    type Parts = (Diagnosis, CommandFacts, Policy, Setting, History);
    type Spoil = fn(&mut Parts);
    let spoils: [(Option<Refusal>, Spoil); 28] = [
        (None, |_| {}),
        (Some(Refusal::CodeFailure), |p| p.0.class = FailureClass::parse("test-failure").unwrap()),
        (Some(Refusal::UnknownCause), |p| p.0.class = FailureClass::Unknown),
        (Some(Refusal::AdviceOnly), |p| p.0.class = FailureClass::parse("trust-failure").unwrap()),
        (Some(Refusal::NotInJob), |p| p.0.class = HealableClass::RunnerFailure.into()),
        (Some(Refusal::NoPlaybook), |p| p.0.class = HealableClass::RateLimited.into()),
        (Some(Refusal::DeployJob), |p| p.3.deploys = true),
        (Some(Refusal::UntrustedFork), |p| p.3.untrusted_fork = true),
        (Some(Refusal::NotRepeatable), |p| p.1 = CommandFacts::OPAQUE),
        (Some(Refusal::NotConfirmed), |p| p.0.confirmed = false),
        (Some(Refusal::BelowThreshold), |p| p.0.confidence = Confidence::from_stored(0.84).unwrap()),
        (Some(Refusal::Paused), |p| p.4.paused = true),
        (Some(Refusal::ServiceDown), |p| p.4.service_down = true),
        (Some(Refusal::BreakerOpen), |p| p.4.breaker = Breaker::Open),
        (Some(Refusal::AttemptsUsedUp), |p| p.4.attempts = 3),
        (Some(Refusal::TimeUsedUp), |p| p.4.time_used_up = true),
        (Some(Refusal::UncommittedChanges), |p| p.3.in_ci = false),
        (Some(Refusal::Denied), |p| p.2.deny = vec![Denial::parse("playbook:a").unwrap()]),
        (Some(Refusal::BudgetUsedUp), |p| {
            p.2.budget.minutes_per_day = Some(2);
            p.4.spent.day_ms = 120_000;
        }),
        (Some(Refusal::BudgetUsedUp), |p| {
            p.2.budget = Budget { money_per_day: Some(0.5), cost_per_minute: 0.25, ..Budget::default() };
            p.4.spent.day_ms = 120_000;
        }),
        (Some(Refusal::RetryBudgetUsedUp), |p| {
            p.2.budget.per_hour = Some(9);
            p.4.spent.hour = 9;
        }),
        (Some(Refusal::DailyAttemptsUsedUp), |p| {
            p.2.budget.attempts_per_day = Some(20);
            p.4.spent.day = 20;
        }),
        (Some(Refusal::OrganisationBudgetUsedUp), |p| {
            p.2.organisation.attempts_per_day = Some(20);
            p.4.organisation.day = 20;
        }),
        (Some(Refusal::OrganisationBudgetUsedUp), |p| {
            p.2.organisation =
                Budget { money_per_day: Some(0.5), cost_per_minute: 0.25, ..Budget::default() };
            p.4.organisation.day_ms = 120_000;
        }),
        (Some(Refusal::OrganisationBudgetUsedUp), |p| {
            p.2.organisation.per_hour = Some(9);
            p.4.organisation.hour = 9;
        }),
        // What the others of an organisation cost is no matter where only this repository has a limit.
        (None, |p| {
            p.2.budget = Budget { attempts_per_day: Some(20), minutes_per_day: Some(2), ..Budget::default() };
            p.4.organisation = Spent { day_ms: 120_000, day: 20, hour: 20 };
        }),
        (Some(Refusal::Cooldown), |p| {
            let last_try = Some(-59_999);
            p.4.records = vec![Record { playbook: "a".to_owned(), last_try, ..Record::default() }];
        }),
        (Some(Refusal::Demoted), |p| {
            let last = Some(Outcome::Stuck);
            p.4.records = vec![Record { playbook: "a".to_owned(), last, ..Record::default() }];
        }),
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

#[test]
fn a_clock_that_is_behind_another_nodes_makes_no_cooldown_where_there_is_none() {
    let diagnosis = diagnosis(HealableClass::NetworkTimeout.into(), 0.9, true);
    let command = CommandFacts { tool: Some(npm()), kind: CommandKind::Install, fetches: true };
    let (setting, policy) = (Setting { in_ci: true, ..Setting::default() }, policy(Mode::Auto));
    let tried = Record { playbook: "a".to_owned(), last_try: Some(640), ..Record::default() };
    let history = History { records: vec![tried], ..History::default() };
    for (cooldown_ms, heals) in [(0, true), (1, false)] {
        let one = playbook("a", HealableClass::NetworkTimeout, Risk::Low);
        let playbooks = [Playbook { cooldown_ms, ..one }];
        let case = Case {
            diagnosis: &diagnosis,
            findings: &[],
            command: &command,
            playbooks: &playbooks,
            policy: &policy,
            setting: &setting,
            history: &history,
            now: 0,
        };
        assert_eq!(matches!(decide(&case), Decision::Heal(_)), heals, "{cooldown_ms}");
    }
}

/// Three playbooks for the same cause: how often each is tried first in 400 incidents.
fn firsts(records: &[Record], priors: [(u32, u32); 3]) -> [u32; 3] {
    let mut playbooks =
        ["a", "b", "c"].map(|id| playbook(id, HealableClass::NetworkTimeout, Risk::Low)).to_vec();
    for (playbook, prior) in playbooks.iter_mut().zip(priors) {
        playbook.prior = prior;
    }
    let diagnosis = diagnosis(HealableClass::NetworkTimeout.into(), 0.9, true);
    let command = CommandFacts { tool: Some(npm()), kind: CommandKind::Install, fetches: true };
    let setting = Setting { in_ci: true, ..Setting::default() };
    let policy = policy(Mode::Auto);
    let mut firsts = [0; 3];
    for seed in 0..400 {
        let history = History { records: records.to_vec(), seed: Some(seed), ..History::default() };
        let case = Case {
            diagnosis: &diagnosis,
            findings: &[],
            command: &command,
            playbooks: &playbooks,
            policy: &policy,
            setting: &setting,
            history: &history,
            now: 0,
        };
        let Decision::Heal(plan) = decide(&case) else { panic!("nothing stands in the way") };
        let ranked = ranking(&case);
        assert_eq!(ranked.first().map(|r| &r.playbook), Some(&plan.playbook), "the ranking is the order");
        assert_eq!(decide(&case), Decision::Heal(plan.clone()), "the same seed decides the same");
        firsts[["a", "b", "c"].iter().position(|id| *id == plan.playbook).unwrap()] += 1;
    }
    firsts
}

#[test]
fn what_heals_is_tried_first_and_what_is_unknown_now_and_then() {
    let record = |id: &str, healed, failed| Record {
        playbook: id.to_owned(),
        pattern_healed: healed,
        pattern_failed: failed,
        ..Record::default()
    };
    let [a, b, c] = firsts(&[], [(0, 0); 3]);
    assert!(a > 90 && b > 90 && c > 90, "nothing is known of any: {a} {b} {c}");
    let [a, b, c] = firsts(&[record("a", 2, 18), record("b", 18, 2)], [(0, 0); 3]);
    assert!(a == 0 && b > 250 && c > 20, "{a} {b} {c}");
    // The catalogue's word counts while there is none from here, and gives way to what happens here.
    let [a, ..] = firsts(&[], [(96, 100), (70, 100), (0, 0)]);
    assert!(a > 330, "{a}");
    let [a, b, _] = firsts(&[record("a", 0, 60), record("b", 60, 0)], [(96, 100), (70, 100), (70, 100)]);
    assert!(a == 0 && b > 380, "{a} {b}");
}

#[test]
fn where_a_playbook_names_nothing_after_it_that_is_the_reason() {
    let diagnosis = diagnosis(HealableClass::NetworkTimeout.into(), 0.9, true);
    let command = CommandFacts { tool: Some(npm()), kind: CommandKind::Install, fetches: true };
    let (setting, policy) = (Setting { in_ci: true, ..Setting::default() }, policy(Mode::Auto));
    let decided = |fallback: Option<&[&str]>, tried: &[&str]| {
        let mut playbooks = playbooks();
        playbooks[1].fallback = fallback.map(|ids| ids.iter().map(ToString::to_string).collect());
        let tried = tried.iter().map(ToString::to_string).collect();
        let history = History { tried, ..History::default() };
        let case = Case {
            diagnosis: &diagnosis,
            findings: &[],
            command: &command,
            playbooks: &playbooks,
            policy: &policy,
            setting: &setting,
            history: &history,
            now: 0,
        };
        match decide(&case) {
            Decision::Nothing { because } => because.id().to_owned(),
            Decision::Suggest { plan, .. } | Decision::Heal(plan) => plan.playbook,
        }
    };
    assert_eq!(decided(Some(&[]), &["b"]), "no-fallback");
    assert_eq!(decided(Some(&["c"]), &["b"]), "c");
    assert_eq!(decided(Some(&["c"]), &["b", "c"]), "no-fallback");
    assert_eq!(decided(None, &["b"]), "c");
    assert_eq!(decided(None, &["b", "c"]), "blocked");
}

#[test]
fn a_plan_may_write_what_its_playbook_declares_and_outside_ci_only_what_equals_head() {
    let diagnosis = diagnosis(HealableClass::NetworkTimeout.into(), 0.9, true);
    let command = CommandFacts { tool: Some(npm()), kind: CommandKind::Install, fetches: true };
    let (policy, history) = (policy(Mode::Auto), History::default());
    let decided = |paths: &[&str], lockfiles: &[&str], lockfile_clean, unclean: &[&str]| {
        let all = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        let mut playbooks = vec![playbook("b", HealableClass::NetworkTimeout, Risk::Low)];
        (playbooks[0].paths, playbooks[0].writes_files) = (all(paths), !paths.is_empty());
        let setting = Setting {
            files_clean: Some(lockfile_clean),
            paths: all(lockfiles),
            unclean: all(unclean),
            ..Setting::default()
        };
        let case = Case {
            diagnosis: &diagnosis,
            findings: &[],
            command: &command,
            playbooks: &playbooks,
            policy: &policy,
            setting: &setting,
            history: &history,
            now: 0,
        };
        match decide(&case) {
            Decision::Heal(plan) => (plan.paths.join(" "), None),
            Decision::Suggest { plan, because } => (plan.paths.join(" "), Some(because)),
            Decision::Nothing { because } => (String::new(), Some(because)),
        }
    };
    let lock = &["package-lock.json"][..];
    assert_eq!(decided(&[], lock, false, &[]), (String::new(), None));
    assert_eq!(decided(&["{lockfile}"], lock, true, &[]), ("package-lock.json".to_owned(), None));
    let unclean = Some(Refusal::UncommittedChanges);
    assert_eq!(decided(&["{lockfile}"], lock, false, &[]), ("package-lock.json".to_owned(), unclean));
    assert_eq!(decided(&["{lockfile}"], &[], false, &[]), (String::new(), None));
    // What another playbook declares is not asked of this one.
    let both = "a/npm.txt package-lock.json".to_owned();
    assert_eq!(decided(&["a/{tool}.txt", "{lockfile}"], lock, true, &["z"]), (both.clone(), None));
    assert_eq!(decided(&["a/{tool}.txt", "{lockfile}"], lock, true, &["a/npm.txt"]), (both, unclean));
}
