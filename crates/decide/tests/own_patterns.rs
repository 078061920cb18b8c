//! A repository's own patterns loosen nothing (invariant 4), whatever they say and whatever the log holds: through the real
//! detector and the real decision.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::{fmt::Write, sync::LazyLock};

use proptest::prelude::*;
use regreen_catalog::{Catalog, PatternSource};
use regreen_decide::{Case, History, Playbook, Policy, Setting, decide};
use regreen_detect::{Circumstances, Detection, Detector, ExitFacts, admit};
use regreen_domain::{
    CommandFacts, CommandKind, Decision, FailureClass, Finding, HealableClass, Risk, Standing, Tool, Verdict,
};
use regreen_logs::{Dropped, ReadOptions, read};
use regreen_mask::Masker;

static BUILTIN: LazyLock<Catalog> = LazyLock::new(|| regreen_builtin::catalog().unwrap());
static ALONE: LazyLock<Detector<'static>> = LazyLock::new(|| Detector::new(&BUILTIN));
static LINES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let examples = BUILTIN.patterns().iter().flat_map(|p| p.examples.iter().map(|e| (e.line, &e.log)));
    let own = ["the job has failed", "widget: gone", "error: something", "all is well"].map(str::to_owned);
    let lines = examples.filter_map(|(line, log)| log.lines().nth(line - 1)).map(str::to_owned);
    lines.filter(|line| line.is_ascii() && line.len() > 5).chain(own).collect()
});

/// A pattern as somebody writes it who wants to be healed.
#[derive(Debug, Clone)]
struct Own {
    line: String,
    class: FailureClass,
    strength: &'static str,
    explains: Vec<String>,
}

impl Own {
    fn text(&self, id: &str) -> String {
        let code_final = self.strength == "code-final" && self.class.verdict() != Verdict::Code;
        let strength = if code_final { "cause" } else { self.strength };
        let mut text = format!(
            "id = {id:?}\nclass = {:?}\ntitle = 'x'\nsince = '1'\nstatus = 'stable'\nstrength = {strength:?}\nexplain = 'x'\n\
             fix = 'y'\nexplains = {:?}\n",
            self.class.id(),
            self.explains
        );
        let line = toml_string(&regex_escape(&self.line));
        write!(text, "[match]\nline = {line}\n[measured]\nhits = 400\nright = 400\nn = 400\n").unwrap();
        let example = toml_string(&self.line);
        write!(
            text,
            "[[example]]\nname = 'x'\norigin = 'recorded: a tool'\nlog = {example}\nexpect = {{ line = 1 }}\n"
        )
        .unwrap();
        text
    }
}

fn toml_string(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\t', "\\t"))
}

fn regex_escape(text: &str) -> String {
    text.chars()
        .flat_map(|c| (!c.is_alphanumeric() && c != ' ').then_some('\\').into_iter().chain([c]))
        .collect()
}

fn files(own: &[Own]) -> Vec<(String, String)> {
    let file =
        |(i, own): (usize, &Own)| (format!(".regreen/patterns/own-{i}.toml"), own.text(&format!("own-{i}")));
    own.iter().enumerate().map(file).collect()
}

fn with(source: PatternSource, own: &[Own]) -> Catalog {
    let files = files(own);
    // Not even the proofs stand in their way here.
    let (catalog, wrong) =
        BUILTIN.clone().with_custom(source, files.iter().map(|(f, t)| (f.as_str(), t.as_str())));
    assert!(wrong.is_empty(), "{wrong:?}");
    catalog
}

fn npm() -> CommandFacts {
    CommandFacts { tool: Tool::new("npm"), kind: CommandKind::Install, fetches: true }
}

fn detect(
    detector: &Detector<'_>,
    log: &str,
    findings: &[Finding],
    command: Option<&CommandFacts>,
) -> Detection {
    let log = read(log.as_bytes(), &ReadOptions::spool(Dropped::default()));
    let exit = command.map(|_| ExitFacts { code: Some(1), ..ExitFacts::default() });
    let scan = detector.scan(&log, &Circumstances { command, exit });
    detector.conclude(&scan, findings, &Masker::new::<[&str; 0], &str>([]))
}

/// As an operator who lets everything happen.
fn decided(detection: &Detection, findings: &[Finding]) -> Decision {
    let healable = FailureClass::ALL.iter().filter_map(|class| class.healable());
    let playbooks: Vec<Playbook> = healable.map(playbook).collect();
    decide(&Case {
        diagnosis: &detection.diagnosis,
        findings,
        command: &npm(),
        playbooks: &playbooks,
        policy: &Policy { threshold: 0.5, max_risk: Risk::High, ..Policy::default() },
        setting: &Setting { in_ci: true, yes: true, rerun_always: true, ..Setting::default() },
        history: &History::default(),
        now: 0,
    })
}

fn playbook(heals: HealableClass) -> Playbook {
    Playbook {
        id: heals.id().to_owned(),
        heals: vec![heals],
        tools: vec![],
        risk: Risk::Low,
        attempts: 3,
        cooldown_ms: 0,
        ci_only: false,
        writes_files: false,
        paths: vec![],
        prior: (0, 0),
        own: false,
        fallback: None,
        steps: vec![],
    }
}

fn confirms(class: FailureClass) -> Finding {
    Finding {
        probe: "lockfile",
        tool: Tool::new("npm").unwrap(),
        class,
        standing: Standing::Confirms,
        subject: "x".to_owned(),
        says: "it was seen".to_owned(),
    }
}

fn any_own() -> impl Strategy<Value = Own> {
    let ids: Vec<String> = BUILTIN.patterns().iter().map(|p| p.id.clone()).collect();
    (
        proptest::sample::select(LINES.clone()),
        proptest::sample::select(&FailureClass::ALL[..FailureClass::ALL.len() - 1]),
        proptest::sample::select(vec!["cause", "symptom", "code-final"]),
        proptest::collection::vec(proptest::sample::select(ids), 0..4),
    )
        .prop_map(|(line, class, strength, explains)| Own { line, class, strength, explains })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn patterns_that_only_name_never_heal_never_raise_and_never_hide(
        source in proptest::sample::select(&[PatternSource::Repository, PatternSource::Accepted][..]),
        own in proptest::collection::vec(any_own(), 1..5),
        lines in proptest::collection::vec(proptest::sample::select(LINES.clone()), 0..5),
        place in 0usize..6,
        seen in proptest::option::of(proptest::sample::select(&FailureClass::ALL[..7])),
        in_a_job in any::<bool>(),
    ) {
        let catalog = with(source, &own);
        let mut lines = lines;
        for own in &own {
            lines.insert(place.min(lines.len()), own.line.clone());
        }
        let log = lines.join("\n");
        let findings: Vec<Finding> = seen.map(confirms).into_iter().collect();
        let npm = npm();
        let command = in_a_job.then_some(&npm);
        let without = detect(&ALONE, &log, &findings, command);
        let found = detect(&Detector::new(&catalog), &log, &findings, command);
        if let Decision::Heal(plan) = decided(&found, &findings) {
            prop_assert_eq!(decided(&without, &findings), Decision::Heal(plan), "{}", log);
        }
        let (was, is) = (&without.diagnosis, &found.diagnosis);
        let by_own = is.pattern.as_deref().is_some_and(|id| id.starts_with("own-"));
        if was.pattern.is_some() && was.class.verdict() == Verdict::Code {
            prop_assert_eq!(is.class.verdict(), Verdict::Code, "{}: {}", log, is.reason);
        }
        if by_own {
            prop_assert!(!is.confirmed && found.host().is_none() && found.package().is_none());
            prop_assert!(is.class.verdict() == Verdict::Code || is.confidence.value() == 0.0);
        } else if was.pattern == is.pattern {
            prop_assert!(is.confidence <= was.confidence);
            prop_assert_eq!(&found.captures, &without.captures);
        }
        prop_assert!(found.signatures.iter().all(|s| !s.pattern.starts_with("own-")));
    }
}

const WIDGET: &str = "widget: the registry did not answer within 30 s";

fn widget(class: &str, strength: &'static str) -> Own {
    let class = FailureClass::parse(class).unwrap();
    Own { line: WIDGET.to_owned(), class, strength, explains: Vec::new() }
}

#[test]
fn a_repository_s_pattern_names_a_cause_where_nothing_else_does() {
    let own = [widget("network-timeout", "cause")];
    let admitted = admit(BUILTIN.clone(), PatternSource::Repository, &files(&own));
    assert!(admitted.refused.is_empty(), "{:?}", admitted.refused);
    let detector = Detector::new(&admitted.catalog);
    let found = detect(&detector, &format!("widget 1.2\n{WIDGET}\n"), &[], None).diagnosis;
    assert_eq!(
        (found.class.id(), found.pattern.as_deref(), found.failed),
        ("network-timeout", Some("own-0"), true)
    );
    // Beside a signature of the program's own it is silent.
    let code = format!("src/a.c:3:9: error: expected expression\n{WIDGET}\n");
    assert_eq!(detect(&detector, &code, &[], None).diagnosis.class.id(), "build-failure");
    // Not even what a probe sees lets it act; the probe's own word is another matter.
    let npm = npm();
    let findings = [confirms(FailureClass::parse("network-timeout").unwrap())];
    let found = detect(&detector, WIDGET, &findings, Some(&npm));
    assert_eq!(found.diagnosis.pattern.as_deref(), Some("own-0"));
    assert!(matches!(decided(&found, &findings), Decision::Suggest { .. }));
}

#[test]
fn a_repository_s_pattern_vetoes_a_healing() {
    let reset = "npm error code ECONNRESET\nnpm error network read ECONNRESET\n";
    let npm = npm();
    let findings = [confirms(FailureClass::parse("network-timeout").unwrap())];
    let own = [widget("config-failure", "cause")];
    let catalog = with(PatternSource::Repository, &own);
    for log in [format!("{WIDGET}\n{reset}"), format!("{reset}{WIDGET}\n")] {
        assert!(matches!(
            decided(&detect(&ALONE, &log, &findings, Some(&npm)), &findings),
            Decision::Heal(_)
        ));
        let found = detect(&Detector::new(&catalog), &log, &findings, Some(&npm));
        assert!(matches!(decided(&found, &findings), Decision::Nothing { .. }), "{}", found.diagnosis.reason);
    }
}

#[test]
fn an_operator_s_pattern_acts_only_as_far_as_it_was_measured() {
    let npm = npm();
    let findings = [confirms(FailureClass::parse("network-timeout").unwrap())];
    let own = [widget("network-timeout", "cause")];
    let confidence = |measured: &str| {
        let file = own[0].text("own-0").replace("hits = 400\nright = 400\nn = 400\n", measured);
        let admitted = admit(BUILTIN.clone(), PatternSource::Operator, &[("own-0.toml".to_owned(), file)]);
        assert!(admitted.refused.is_empty(), "{:?}", admitted.refused);
        let detector = Detector::new(&admitted.catalog);
        let alone = detect(&detector, WIDGET, &[], Some(&npm)).diagnosis.confidence;
        let found = detect(&detector, WIDGET, &findings, Some(&npm));
        (alone.value(), matches!(decided(&found, &findings), Decision::Heal(_)))
    };
    assert_eq!(confidence("hits = 0\nright = 0\nn = 90\n"), (0.0, false));
    let (once, _) = confidence("hits = 1\nright = 1\nn = 90\n");
    assert!(once > 0.0 && once < 0.21, "{once}");
    let (often, heals) = confidence("hits = 90\nright = 90\nn = 90\n");
    assert!(often > once && heals, "{often}");
}

#[test]
fn what_does_not_prove_itself_is_left_out_and_named() {
    let wrong = widget("network-timeout", "cause").text("own-1").replace("line = 1", "line = 2");
    let greedy = Own { line: "could not compile".to_owned(), ..widget("network-timeout", "cause") };
    let mut files = files(&[widget("network-timeout", "cause")]);
    files.push(("own-1.toml".to_owned(), wrong));
    files.push(("own-2.toml".to_owned(), greedy.text("own-2")));
    let admitted = admit(BUILTIN.clone(), PatternSource::Operator, &files);
    let refused: Vec<&str> = admitted.refused.iter().map(|e| e.file.as_str()).collect();
    assert_eq!(refused, ["own-1.toml", "own-2.toml"]);
    assert!(admitted.refused[0].line > 10 && admitted.refused[0].what.contains("found in [1]"));
    assert!(admitted.refused[1].what.contains("is diagnosed as"), "{}", admitted.refused[1].what);
    assert_eq!(admitted.catalog.patterns().len(), BUILTIN.patterns().len() + 1);
}
