//! The workspace beats the log: confirmed, refuted, forbidden, not to be told; and what confidence is made of.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use regreen_catalog::Catalog;
use regreen_detect::{Detection, ExitFacts, diagnose};
use regreen_domain::{CommandFacts, CommandKind, Confidence, Counts, FailureClass, Finding, Standing, Tool};
use regreen_logs::{Dropped, ReadOptions, read};
use regreen_mask::Masker;

const PATTERN: &str = r#"id = "npm-integrity"
class = "lockfile-corruption"
also = ["cache-corruption"]
title = "a package does not have the checksum that package-lock.json names"
since = "0.1.0"
status = "stable"
tools = ["npm"]
commands = ["install"]
strength = "cause"
explain = "x"
fix = "y"
[match]
line = '^npm error code EINTEGRITY$'
[measured]
hits = 50
right = 40
n = 200
[[example]]
name = "a"
origin = "recorded: npm 11.19.1, npm ci"
log = "npm error code EINTEGRITY"
expect = { line = 1 }
"#;

const PROBES: &str = "[npm-lockfile]\ntitle = \"x\"\nmeasured = { hits = 60, right = 60, n = 200 }\n\
                      [npm-cache]\ntitle = \"x\"\nmeasured = { hits = 30, right = 29, n = 200 }\n";

fn catalog() -> Catalog {
    Catalog::load([("patterns/lockfile-corruption/npm-integrity.toml", PATTERN), ("probes.toml", PROBES)])
        .unwrap()
}

fn class(id: &str) -> FailureClass {
    FailureClass::parse(id).unwrap()
}

fn finding(probe: &'static str, about: &str, standing: Standing) -> Finding {
    Finding {
        probe,
        tool: Tool::new("npm").unwrap(),
        class: class(about),
        standing,
        subject: "package-lock.json".to_owned(),
        says: "the entry of left-pad differs from the last commit".to_owned(),
    }
}

fn detect(log: &str, findings: &[Finding]) -> Detection {
    let command = CommandFacts { tool: Tool::new("npm"), kind: CommandKind::Install, fetches: true };
    let exit = ExitFacts { code: Some(1), ..ExitFacts::default() };
    let log = read(log.as_bytes(), &ReadOptions::spool(Dropped::default()));
    diagnose(&log, &catalog(), findings, Some(&command), &Masker::new(["value-of-a-secret"]), Some(exit))
}

const MISMATCH: &str = "npm error code EINTEGRITY\n";

fn wilson(right: u32, hits: u32) -> Confidence {
    Confidence::wilson(Counts { hits, right, n: 200 })
}

#[test]
fn the_log_alone_is_never_certain_and_confirms_nothing() {
    let found = detect(MISMATCH, &[]).diagnosis;
    assert_eq!((found.class, found.confirmed), (class("lockfile-corruption"), false));
    assert!(found.confidence > Confidence::NONE && found.confidence.value() < 1.0, "{}", found.confidence);
    let others: f64 = found.alternatives.iter().map(|a| a.confidence.value()).sum();
    assert!(others + found.confidence.value() <= 1.0 + 1e-9);
}

#[test]
fn the_probe_that_saw_the_damage_names_the_class() {
    let found =
        detect(MISMATCH, &[finding("npm-lockfile", "lockfile-corruption", Standing::Confirms)]).diagnosis;
    assert_eq!((found.class, found.confirmed), (class("lockfile-corruption"), true));
    assert!(found.confidence > detect(MISMATCH, &[]).diagnosis.confidence);
    assert!(found.confidence >= wilson(60, 60), "{}", found.confidence);
    assert!(found.reason.contains("confirmed: the entry of left-pad"), "{}", found.reason);

    let found = detect(
        MISMATCH,
        &[
            finding("npm-lockfile", "lockfile-corruption", Standing::Refutes),
            finding("npm-cache", "cache-corruption", Standing::Confirms),
        ],
    )
    .diagnosis;
    assert_eq!((found.class, found.confirmed), (class("cache-corruption"), true));
    assert!(found.confidence >= wilson(29, 30), "{}", found.confidence);
}

#[test]
fn an_unmeasured_probe_raises_nothing() {
    let found = detect(MISMATCH, &[finding("npm-new", "lockfile-corruption", Standing::Confirms)]).diagnosis;
    assert!(found.confirmed);
    // It tells which of the line's two meanings it is; that is all.
    let measured = detect(MISMATCH, &[finding("npm-lockfile", "lockfile-corruption", Standing::Confirms)]);
    assert_eq!(measured.diagnosis.confidence, found.confidence.and_witness(wilson(60, 60)));
}

#[test]
fn what_is_nowhere_to_be_seen_is_unknown() {
    let found = detect(
        MISMATCH,
        &[
            finding("npm-lockfile", "lockfile-corruption", Standing::Refutes),
            finding("npm-cache", "cache-corruption", Standing::Refutes),
        ],
    )
    .diagnosis;
    assert_eq!((found.class, found.confirmed), (FailureClass::Unknown, false));
    assert_eq!(found.confidence, Confidence::NONE);
    assert!(found.failed && found.reason.contains("not there"), "{}", found.reason);
}

#[test]
fn what_cannot_be_looked_at_is_neither_confirmed_nor_refuted() {
    let found =
        detect(MISMATCH, &[finding("npm-lockfile", "lockfile-corruption", Standing::CannotTell)]).diagnosis;
    assert_eq!((found.class, found.confirmed), (class("lockfile-corruption"), false));
}

#[test]
fn what_must_not_be_healed_is_never_confirmed_even_beside_a_confirmation() {
    let found = detect(
        MISMATCH,
        &[
            finding("npm-cache", "cache-corruption", Standing::Confirms),
            finding("npm-lockfile", "lockfile-corruption", Standing::Forbids),
        ],
    )
    .diagnosis;
    assert_eq!((found.class, found.confirmed), (class("lockfile-corruption"), false));
    assert!(found.reason.contains("must not be healed"), "{}", found.reason);
}

#[test]
fn another_tool_s_workspace_says_nothing() {
    let mut other = finding("npm-lockfile", "lockfile-corruption", Standing::Confirms);
    other.tool = Tool::new("cargo").unwrap();
    assert!(!detect(MISMATCH, &[other]).diagnosis.confirmed);
}

#[test]
fn the_workspace_names_a_cause_where_the_log_names_none() {
    let confirms = [finding("npm-lockfile", "lockfile-corruption", Standing::Confirms)];
    let found = detect("npm error Invalid or unexpected token\n", &confirms).diagnosis;
    assert_eq!((found.class, found.pattern, found.confirmed), (class("lockfile-corruption"), None, false));
    assert_eq!(found.confidence, wilson(60, 60));
}

#[test]
fn a_finding_is_masked_before_it_is_said() {
    let mut says = finding("npm-lockfile", "lockfile-corruption", Standing::Confirms);
    says.says = "the entry holds value-of-a-secret".to_owned();
    let found = detect(&format!("{MISMATCH}npm error left value-of-a-secret\n"), &[says]).diagnosis;
    assert!(found.reason.contains("the entry holds ***"), "{}", found.reason);
    assert!(found.evidence.iter().all(|e| !e.text.contains("value-of-a-secret")));
}
