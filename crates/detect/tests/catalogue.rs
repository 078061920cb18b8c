//! Laws over the whole catalogue: every example is diagnosed as its class, alone and in company, and code evidence
//! never turns into infrastructure. A new pattern needs no new test.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::sync::LazyLock;

use regreen_catalog::{Catalog, Example, Pattern, Status, Strength};
use regreen_detect::{Circumstances, Detection, Detector};
use regreen_domain::{CommandFacts, CommandKind, FailureClass, Tool, Verdict};
use regreen_logs::{ReadOptions, read};
use regreen_mask::Masker;

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| regreen_builtin::catalog().unwrap());
static DETECTOR: LazyLock<Detector<'static>> = LazyLock::new(|| Detector::new(&CATALOG));
static MASKER: LazyLock<Masker> = LazyLock::new(|| Masker::new::<[&str; 0], &str>([]));

fn detect(log: &str, command: Option<&CommandFacts>) -> Detection {
    let log = read(log.as_bytes(), &ReadOptions::default());
    let scan = DETECTOR.scan(&log, &Circumstances { command, exit: None });
    DETECTOR.conclude(&scan, &[], &MASKER)
}

/// Every example of a pattern that can decide.
fn examples() -> impl Iterator<Item = (&'static Pattern, &'static Example)> {
    let deciding = |p: &&Pattern| {
        p.status != Status::Retired
            && !(p.strength == Strength::Symptom && p.class.verdict() == Verdict::Infrastructure)
    };
    CATALOG.patterns().iter().filter(deciding).flat_map(|p| p.examples.iter().map(move |e| (p, e)))
}

/// What the expected class of an example is: its pattern's, or that of a pattern which explains it.
fn accepts(pattern: &Pattern, found: FailureClass) -> bool {
    let explained_by = |other: &&Pattern| other.explains.contains(&pattern.id);
    let symptom = pattern.strength == Strength::Symptom;
    found == pattern.class
        || CATALOG.patterns().iter().filter(explained_by).any(|other| other.class == found)
        // A symptom names a class only where nothing better is known.
        || (symptom && found.verdict() == Verdict::Code)
}

fn own_command(pattern: &Pattern) -> Option<CommandFacts> {
    let kind = *pattern.commands.first()?;
    Some(CommandFacts { tool: pattern.tools.first().cloned(), kind, fetches: true })
}

const NOISE: &str = "\
Preparing workspace
warning: something is deprecated, see https://example.invalid/errors
Downloaded 12 of 12
checking out refs/heads/main (0 errors, 0 failed)
";

#[test]
fn every_example_is_diagnosed_as_its_class() {
    let mut wrong = Vec::new();
    for (pattern, example) in examples() {
        let noisy = format!("{NOISE}{}\n{NOISE}", example.log);
        let stamped: String =
            example.log.lines().map(|l| format!("2024-05-01T12:34:56.1234567Z {l}\n")).collect();
        let stamped =
            format!("{stamped}2024-05-01T12:34:57.1234567Z ##[error]Process completed with exit code 1.\n");
        for (form, log) in [("alone", example.log.clone()), ("in noise", noisy), ("stamped", stamped)] {
            let found = detect(&log, None).diagnosis;
            if !accepts(pattern, found.class) {
                let by = found.pattern.as_deref().unwrap_or("-");
                wrong.push(format!(
                    "{} `{}` {form}: {} by {by}: {}",
                    pattern.id, example.name, found.class, found.reason
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_example_is_diagnosed_as_its_class_when_the_command_is_known() {
    for (pattern, example) in examples() {
        let Some(command) = own_command(pattern) else { continue };
        let found = detect(&example.log, Some(&command)).diagnosis;
        assert!(
            accepts(pattern, found.class),
            "{} `{}`: {}: {}",
            pattern.id,
            example.name,
            found.class,
            found.reason
        );
    }
}

#[test]
fn the_pattern_s_own_line_is_among_the_signatures() {
    for (pattern, example) in examples() {
        let found = detect(&example.log, None);
        let seen = found.signatures.iter().any(|s| s.pattern == pattern.id && s.line == example.line as u64);
        assert!(seen, "{} `{}`", pattern.id, example.name);
    }
}

#[test]
fn no_counterexample_is_diagnosed_by_its_pattern() {
    for pattern in CATALOG.patterns() {
        for counterexample in pattern.counterexamples.iter() {
            let found = detect(&counterexample.log, None).diagnosis;
            assert_ne!(found.pattern.as_deref(), Some(pattern.id.as_str()), "`{}`", counterexample.name);
        }
    }
}

/// A log whose code failure stands as the tool's last word.
fn final_code_logs() -> Vec<&'static Example> {
    examples().filter(|(p, _)| p.strength == Strength::CodeFinal).map(|(_, e)| e).collect()
}

/// Infrastructure examples without any word about code in them.
fn infra_logs() -> Vec<(&'static Pattern, &'static Example)> {
    examples()
        .filter(|(p, _)| p.class.verdict() == Verdict::Infrastructure && p.explains.is_empty())
        .collect()
}

#[test]
fn infrastructure_words_before_during_or_after_a_final_code_failure_change_nothing() {
    let mut wrong = Vec::new();
    for code in final_code_logs() {
        let middle = code.log.lines().count() / 2;
        let (head, tail): (Vec<&str>, Vec<&str>) =
            (code.log.lines().take(middle).collect(), code.log.lines().skip(middle).collect());
        for (pattern, infra) in infra_logs() {
            for log in [
                format!("{}{}", infra.log, code.log),
                format!("{}\n{}{}\n", head.join("\n"), infra.log, tail.join("\n")),
                format!("{}{}", code.log, infra.log),
            ] {
                let found = detect(&log, None).diagnosis;
                // A missing library can be why a build script ended; that is advice, never a healing.
                if found.class.healable().is_some() {
                    wrong.push(format!("{} in `{}`: {}", pattern.id, code.name, found.reason));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether it is called infrastructure, and could lead to more than advice.
fn is_believed(found: &regreen_domain::Diagnosis) -> bool {
    let advice = found.class.healable().is_none();
    let anywhere = found.pattern.as_deref().and_then(|id| CATALOG.pattern(id));
    let anywhere = anywhere.is_some_and(|p| p.commands.is_empty());
    found.class.verdict() == Verdict::Infrastructure && !(advice && anywhere)
}

#[test]
fn a_test_command_that_prints_a_tool_s_last_words_is_no_infrastructure() {
    let npm_test = CommandFacts { tool: Tool::new("npm"), kind: CommandKind::Test, fetches: false };
    let cargo_test = CommandFacts { tool: Tool::new("cargo"), kind: CommandKind::Test, fetches: true };
    let pytest = CommandFacts { tool: Tool::new("pip"), kind: CommandKind::Test, fetches: false };
    let banner = "   Compiling app v0.1.0 (/home/runner/work/app/app)\n     Running unittests src/lib.rs (target/debug/deps/app)\n";
    let mut wrong = Vec::new();
    for (pattern, infra) in infra_logs().into_iter().filter(|(p, _)| !p.commands.is_empty()) {
        let forged = &infra.log;
        for (command, log) in [
            (&npm_test, format!("> app@1.0.0 test\n> node test.js\n\n{forged}")),
            (&npm_test, forged.clone()),
            (&pytest, forged.clone()),
            (&cargo_test, format!("{banner}{forged}")),
        ] {
            let found = detect(&log, Some(command)).diagnosis;
            if is_believed(&found) {
                wrong.push(format!("{} in {command:?}", pattern.id));
            }
        }
        // Without any knowledge of the command, the runner's own banner is enough.
        for banner in [
            banner,
            "> app@1.0.0 test\n> node test.js\n\n",
            "TAP version 13\n",
            "===== test session starts =====\n",
        ] {
            let found = detect(&format!("{banner}{forged}"), None).diagnosis;
            if is_believed(&found) {
                wrong.push(format!("{} after {banner}", pattern.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn one_tool_does_not_speak_for_another() {
    let cargo = CommandFacts { tool: Tool::new("cargo"), kind: CommandKind::Build, fetches: true };
    for (pattern, infra) in infra_logs() {
        if pattern.tools.is_empty() || pattern.tools.iter().any(|tool| tool.as_str() == "cargo") {
            continue;
        }
        let found = detect(&infra.log, Some(&cargo)).diagnosis;
        // Words that any program can say are not another tool's, and cargo may say the same in its own.
        let own = |p: &Pattern| p.tools.is_empty() || p.tools.iter().any(|tool| tool.as_str() == "cargo");
        let own = found.pattern.and_then(|id| CATALOG.pattern(&id)).is_some_and(own);
        assert!(own || found.class != pattern.class, "{}", pattern.id);
    }
}

#[test]
fn a_blank_line_at_the_end_changes_nothing() {
    for (pattern, example) in examples() {
        let once = detect(&example.log, None).diagnosis;
        let longer = detect(&format!("{}\n \n\r\n", example.log), None).diagnosis;
        assert_eq!(once, longer, "{} `{}`", pattern.id, example.name);
    }
}

#[test]
fn evidence_points_at_the_raw_line() {
    for (pattern, example) in examples().filter(|(p, _)| p.strength != Strength::Symptom) {
        let found = detect(&example.log, None).diagnosis;
        let root = found.evidence.first().unwrap();
        let line = example.log.lines().nth(usize::try_from(root.line).unwrap() - 1).unwrap();
        let start: String = line.chars().skip(root.column as usize - 1).take(4).collect();
        assert!(!start.is_empty(), "{}", pattern.id);
        let text: String = root.text.chars().take(30).collect();
        assert!(MASKER.mask(line).contains(&text), "{}: {text} in {line}", pattern.id);
    }
}
