//! The order of evidence: what was retried, what follows from what, what can't be ordered, who hung; and the
//! things that a log can't change: panics, fingerprints, secrets.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::sync::LazyLock;

use proptest::prelude::*;
use regreen_catalog::Catalog;
use regreen_detect::{Circumstances, Detection, Detector, ExitFacts};
use regreen_domain::{CommandFacts, CommandKind, FailureClass, Finding, Role, Standing, Tool, Verdict};
use regreen_logs::{Dropped, ReadOptions, read};
use regreen_mask::Masker;

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| regreen_builtin::catalog().unwrap());
static DETECTOR: LazyLock<Detector<'static>> = LazyLock::new(|| Detector::new(&CATALOG));

fn detect_with(log: &[u8], circumstances: &Circumstances<'_>) -> Detection {
    let log = read(log, &ReadOptions::spool(Dropped::default()));
    let masker = Masker::new(["planted-secret-value"]);
    DETECTOR.conclude(&DETECTOR.scan(&log, circumstances), &[], &masker)
}

fn class(log: &str) -> String {
    detect_with(log.as_bytes(), &Circumstances::default()).diagnosis.class.id().to_owned()
}

const RESET: &str = "npm error code ECONNRESET\nnpm error network read ECONNRESET\n";
const TYPE_ERROR: &str = "src/a.c:3:9: error: expected expression\n";

#[test]
fn a_retry_that_worked_is_no_cause() {
    let retried = "npm http fetch GET https://registry.npmjs.org/a attempt 1 failed with ECONNRESET\nadded 9 packages\nfound 0 vulnerabilities\n";
    assert_eq!(class(retried), "unknown");
    assert!(!detect_with(retried.as_bytes(), &Circumstances::default()).diagnosis.failed);
    let cargo = "warning: spurious network error (3 tries remaining): [7] Could not connect to server\n   Compiling app v0.1.0\n";
    // The words may be named for what they are; no signature decides, so nothing acts.
    let by_signature = |log: &str| detect_with(log.as_bytes(), &Circumstances::default()).diagnosis.pattern;
    assert_eq!(by_signature(cargo), None);
    let pip = "WARNING: Retrying (Retry(total=4, connect=None)) after connection broken by 'ReadTimeoutError(x)': /simple/a/\n\
               Successfully installed a-1\n";
    assert_eq!(by_signature(pip), None);
    assert_eq!(
        class(&format!("{cargo}error[E0308]: mismatched types\n --> src/a.rs:1:2\n")),
        "build-failure"
    );
}

#[test]
fn code_evidence_that_comes_later_decides_and_what_cannot_be_ordered_is_unknown() {
    assert_eq!(class(&format!("{RESET}{TYPE_ERROR}")), "build-failure");
    let mixed = detect_with(format!("{TYPE_ERROR}{RESET}").as_bytes(), &Circumstances::default()).diagnosis;
    assert_eq!((mixed.class.id(), mixed.failed), ("unknown", true));
    assert!(mixed.reason.contains("neither follows from the other"), "{}", mixed.reason);
    assert_eq!(mixed.evidence.len(), 2);
    assert_eq!(
        class(&format!(
            "{TYPE_ERROR}error: could not compile `a` (bin \"a\") due to 1 previous error\n{RESET}"
        )),
        "build-failure"
    );
}

#[test]
fn a_chain_of_causes_is_told_root_first() {
    let log = "   Compiling app v0.1.0\nerror: linker `cc` not found\n  |\n\nerror: could not compile `app` (bin \"app\") due to 1 previous error\n";
    let found = detect_with(log.as_bytes(), &Circumstances::default()).diagnosis;
    assert_eq!(found.class.id(), "toolchain-missing");
    let roles: Vec<_> = found.evidence.iter().map(|e| (e.line, e.role)).collect();
    assert_eq!(roles, [(2, Role::Root), (5, Role::Symptom)]);
    // A real error beside it is not explained by the missing linker.
    let both =
        log.replace("error: linker", "error[E0308]: mismatched types\n --> src/a.rs:1:2\nerror: linker");
    assert_eq!(class(&both), "build-failure");
}

#[test]
fn a_script_run_by_npm_cannot_speak_for_npm() {
    let script = "> app@1.0.0 postinstall\n> node x.js\n\n";
    let end = "npm error code 1\nnpm error path /home/runner/work/app/app\nnpm error command failed\n";
    let install = CommandFacts { tool: Tool::new("npm"), kind: CommandKind::Install, fetches: true };
    for log in [format!("{script}{RESET}{end}"), format!("{end}{RESET}"), format!("{script}{RESET}")] {
        for command in [None, Some(&install)] {
            let found = detect_with(log.as_bytes(), &Circumstances { command, exit: None }).diagnosis;
            assert_ne!(found.class.verdict(), Verdict::Infrastructure, "{log}");
        }
    }
}

#[test]
fn a_script_that_a_tool_says_it_ran_cannot_speak_for_the_tool() {
    let lost = [
        (
            "yarn",
            "error An unexpected error occurred: \"https://registry.yarnpkg.com/left-pad: ETIMEDOUT\".\n",
            "error Command failed with exit code 1.\n",
        ),
        (
            "bun",
            "error: ConnectionRefused downloading tarball left-pad@1.3.0\n",
            "error: postinstall script from \"app\" exited with 1\n",
        ),
        (
            "pnpm",
            "\u{2009}ERR_PNPM_META_FETCH_FAIL\u{2009} GET https://registry.npmjs.org/left-pad: request to \
             https://registry.npmjs.org/left-pad failed, reason: connect ETIMEDOUT 104.16.0.1:443\n",
            "\u{2009}ELIFECYCLE\u{2009} Command failed with exit code 1.\n",
        ),
        (
            "composer",
            "curl error 28 while downloading https://repo.packagist.org/packages.json: Connection timed out after 10001 milliseconds\n",
            "Script php t.php handling the post-install-cmd event returned with error code 1\n",
        ),
        ("uv", "         Caused by: operation timed out\n", ""),
    ];
    for (tool, says, end) in lost {
        let begin = if tool == "uv" {
            "error: Failed to build `pkg`\n  cause: The build backend returned an error\n\n         [stderr]\n"
        } else {
            ""
        };
        let exit = Some(ExitFacts { code: Some(1), ..ExitFacts::default() });
        for (kind, fetches) in [(CommandKind::Install, true), (CommandKind::Build, false)] {
            let command = CommandFacts { tool: Tool::new(tool), kind, fetches };
            let circumstances = Circumstances { command: Some(&command), exit };
            let by = |log: &str| detect_with(log.as_bytes(), &circumstances).diagnosis;
            if fetches && tool != "uv" {
                let own = by(says).pattern;
                assert!(own.is_some_and(|id| id.starts_with(tool)), "{tool}: its own word");
            }
            let script = format!("{begin}{says}{end}");
            let found = by(&script);
            assert_ne!(found.class.verdict(), Verdict::Infrastructure, "{script}: {}", found.reason);
            // A script that nothing announces: `yarn --silent build`.
            if !fetches {
                assert_eq!(by(says).pattern, None, "{says}");
            }
        }
    }
}

#[test]
fn a_registry_that_answers_confirms_nothing_against_words_of_code() {
    let command = CommandFacts { tool: Tool::new("yarn"), kind: CommandKind::Install, fetches: true };
    let exit = Some(ExitFacts { code: Some(1), ..ExitFacts::default() });
    let lost = "error An unexpected error occurred: \"https://registry.yarnpkg.com/left-pad: ETIMEDOUT\".\n";
    let said = |log: &str, probe: &'static str| {
        let finding = Finding {
            probe,
            tool: Tool::new("yarn").unwrap(),
            class: FailureClass::parse("network-timeout").unwrap(),
            standing: Standing::Confirms,
            subject: "registry.yarnpkg.com".to_owned(),
            says: "registry.yarnpkg.com answers now (200)".to_owned(),
        };
        let log = read(log.as_bytes(), &ReadOptions::spool(Dropped::default()));
        let scan = DETECTOR.scan(&log, &Circumstances { command: Some(&command), exit });
        DETECTOR.conclude(&scan, &[finding], &Masker::new(["planted-secret-value"])).diagnosis
    };
    let code = format!(
        "building\nsyntax problem in src/pay.js line 3\nunexpected token\nbuild exited with code 1\n{lost}"
    );
    let held = said(&code, "remote");
    assert!(held.reason.contains("speak for the project's own code"), "{}", held.reason);
    assert!(held.confidence.value() <= 0.8, "{}", held.confidence);
    // What damage a probe has seen counts, and so does a registry where nothing speaks for code.
    assert!(said(&code, "checksum").confidence > held.confidence);
    assert!(said(lost, "remote").confidence.value() > 0.85);
}

#[test]
fn a_build_without_a_network_is_the_tools_own_word() {
    let command = CommandFacts { tool: Tool::new("cargo"), kind: CommandKind::Build, fetches: false };
    let exit = Some(ExitFacts { code: Some(101), ..ExitFacts::default() });
    let log = "error: failed to download `itoa v1.0.0`\n\nCaused by:\n  failed to unpack package `itoa v1.0.0 (registry `lab`)`\n\n\
               Caused by:\n  failed to iterate over archive\n\nCaused by:\n  invalid gzip header\n";
    let offline = detect_with(log.as_bytes(), &Circumstances { command: Some(&command), exit }).diagnosis;
    let online = CommandFacts { fetches: true, ..command };
    let fetched = detect_with(log.as_bytes(), &Circumstances { command: Some(&online), exit }).diagnosis;
    assert!(fetched.pattern.is_some(), "{}", fetched.reason);
    assert_eq!(offline.pattern, fetched.pattern);
}

#[test]
fn a_command_that_hung_on_a_warning_hung_for_its_reason() {
    let pip = CommandFacts { tool: Tool::new("pip"), kind: CommandKind::Install, fetches: true };
    let log = "WARNING: Retrying (Retry(total=3, connect=None, read=None, redirect=None, status=None)) after connection \
               broken by 'ReadTimeoutError(x)': /simple/a/\n";
    let hung = Some(ExitFacts { idle: true, signal: Some(15), ..ExitFacts::default() });
    let found = detect_with(log.as_bytes(), &Circumstances { command: Some(&pip), exit: hung }).diagnosis;
    assert_eq!(found.class.id(), "network-timeout");
    let ended = Some(ExitFacts { code: Some(1), ..ExitFacts::default() });
    let found = detect_with(log.as_bytes(), &Circumstances { command: Some(&pip), exit: ended }).diagnosis;
    assert_eq!(found.class.id(), "unknown");
    assert!(found.reason.contains("only warns"), "{}", found.reason);
    let silent = detect_with(b"", &Circumstances { command: Some(&pip), exit: hung }).diagnosis;
    assert!(silent.failed && silent.reason.contains("said nothing more"), "{}", silent.reason);
}

#[test]
fn a_signal_alone_proves_nothing() {
    let exit = Some(ExitFacts { signal: Some(9), ..ExitFacts::default() });
    let found = detect_with(b"working\n", &Circumstances { command: None, exit }).diagnosis;
    assert_eq!((found.class.id(), found.failed), ("unknown", true));
    assert!(found.reason.contains("signal 9"), "{}", found.reason);
}

#[test]
fn a_text_in_which_nothing_complains_is_not_given_a_cause() {
    let text: String = (0..200)
        .map(|n| {
            format!(
                "2026-11-29 00:13:{:02} status installed man-db:amd64 2.11.{n}\ntrigproc libc-bin\n",
                n % 60
            )
        })
        .collect();
    let found = detect_with(text.as_bytes(), &Circumstances::default()).diagnosis;
    assert_eq!((found.class.id(), found.evidence.len()), ("unknown", 0), "{}", found.reason);
    assert!(found.reason.contains("no line reads like an error"), "{}", found.reason);
}

#[test]
fn a_command_that_succeeded_did_not_fail_whatever_it_printed() {
    let exit = Some(ExitFacts { code: Some(0), ..ExitFacts::default() });
    let found = detect_with(RESET.as_bytes(), &Circumstances { command: None, exit }).diagnosis;
    assert!(!found.failed && found.class.id() == "unknown");
}

#[test]
fn the_same_failure_elsewhere_has_the_same_fingerprint() {
    let lost = |host: &str, package: &str| {
        let log = format!(
            "npm warn tarball tarball data for {package}@https://{host}/{package}/-/x-1.tgz (sha512-AAA) seems to be corrupted. Trying again.\n\
             npm error notarget No matching version found for {package}@^3.0.0.\n"
        );
        detect_with(log.as_bytes(), &Circumstances::default()).diagnosis.fingerprint
    };
    assert_eq!(lost("a.example", "left-pad"), lost("b.example:4873", "left-pad"));
    assert_ne!(lost("a.example", "left-pad"), lost("a.example", "right-pad"));
    let unknown = |path: &str, ms: u32| {
        let log = format!("error: step 3 in {path} gave up after {ms} ms\n");
        detect_with(log.as_bytes(), &Circumstances::default()).diagnosis.fingerprint
    };
    assert_eq!(unknown("/home/a/x", 31), unknown("/srv/b/y", 4500));
}

#[test]
fn typed_holes_are_the_only_way_out_of_a_log() {
    let log = "npm error code ENOTFOUND\nnpm error network request to https://registry.example:8443/a failed, reason: x\n";
    let found = detect_with(log.as_bytes(), &Circumstances::default());
    assert_eq!(found.host().unwrap().as_str(), "registry.example:8443");
    let hostile = log.replace("registry.example:8443", "$(reboot).example");
    assert_eq!(detect_with(hostile.as_bytes(), &Circumstances::default()).host(), None);
}

#[test]
fn colour_hides_neither_cause_nor_secret() {
    let log = "\u{1b}[1mnpm\u{1b}[22m \u{1b}[31merror\u{1b}[39m \u{1b}[94mnetwork\u{1b}[39m timeout at: https://registry.example/pla\u{1b}[0mnted-secret-value\n";
    let found = detect_with(log.as_bytes(), &Circumstances::default()).diagnosis;
    assert_eq!(found.class.id(), "network-timeout");
    assert_eq!(found.evidence[0].text, "npm error network timeout at: https://registry.example/***");
}

#[test]
fn the_line_that_describes_a_failure_comes_before_the_one_that_sums_it_up() {
    let run = "AppTest > adds FAILED\n    java.lang.AssertionError at AppTest.java:3\n";
    let sum = "3 tests completed, 1 failed\n";
    let lines = |log: &str| -> Vec<(u64, Role)> {
        let found = detect_with(log.as_bytes(), &Circumstances::default()).diagnosis;
        found.evidence.iter().map(|e| (e.line, e.role)).take(2).collect()
    };
    let want = [(1, Role::Root), (3, Role::Symptom)];
    assert_eq!(lines(&format!("{run}{sum}")), want);
    // What an earlier command said is another matter.
    let other = format!("{run}The command \"gradle test\" exited with 1.\n{sum}");
    assert!(lines(&other).iter().all(|(line, _)| *line != 1), "{:?}", lines(&other));
}

#[test]
fn infrastructure_after_which_the_job_went_on_is_not_acted_on() {
    let stamp = "2024-05-01T12:00:00.0000000Z";
    let failed = format!(
        "{stamp} ##[group]Run npm ci\n{stamp} npm error code ECONNRESET\n{stamp} npm error network read ECONNRESET\n\
         {stamp} ##[error]Process completed with exit code 1.\n"
    );
    let step = format!("{stamp} ##[group]Run ./work\n{stamp} worked\n");
    let end = format!("{stamp} Post job cleanup.\n{stamp} Cleaning up orphan processes\n");
    let found = |steps: usize| {
        // The log of a job, not what a command printed.
        let text = format!("{failed}{}{end}", step.repeat(steps));
        let log = read(text.as_bytes(), &ReadOptions::default());
        let masker = Masker::new::<[&str; 0], &str>([]);
        DETECTOR.conclude(&DETECTOR.scan(&log, &Circumstances::default()), &[], &masker).diagnosis
    };
    for always in [0, 1] {
        assert!(found(always).confidence.value() > 0.85, "{always}: {}", found(always).confidence);
    }
    let went_on = found(2);
    assert!(went_on.confidence.value() <= 0.8 && went_on.reason.contains("went on"), "{}", went_on.reason);
    assert_eq!(went_on.class.id(), "network-timeout");
}

#[test]
fn a_megabyte_of_nothing_but_signatures_is_survived() {
    let log = RESET.repeat(1024 * 1024 / RESET.len());
    assert_eq!(class(&log), "network-timeout");
}

/// Lines of real signatures, banners and noise, in any order.
fn pieces() -> impl Strategy<Value = Vec<String>> {
    let lines: Vec<String> = CATALOG
        .patterns()
        .iter()
        .flat_map(|p| p.examples.iter().filter_map(|e| e.log.lines().nth(e.line - 1)).map(str::to_owned))
        .chain(
            CATALOG
                .banners()
                .iter()
                .flat_map(|b| b.examples.iter().flat_map(|(_, log, _)| log.lines().map(str::to_owned))),
        )
        .collect();
    proptest::collection::vec(prop_oneof![proptest::sample::select(lines), "\\PC{0,20}"], 0..14)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..500)) {
        detect_with(&bytes, &Circumstances::default());
    }

    #[test]
    fn the_same_window_gives_the_same_verdict(lines in pieces()) {
        let log = lines.join("\n");
        let once = detect_with(log.as_bytes(), &Circumstances::default()).diagnosis;
        let again = detect_with(log.as_bytes(), &Circumstances::default()).diagnosis;
        prop_assert_eq!(&once, &again);
        let crlf = detect_with(lines.join("\r\n").as_bytes(), &Circumstances::default()).diagnosis;
        prop_assert_eq!((once.class, once.pattern), (crlf.class, crlf.pattern));
    }

    #[test]
    fn a_final_word_about_code_is_never_infrastructure(lines in pieces(), at in 0usize..14) {
        let mut lines = lines;
        lines.insert(at.min(lines.len()), "error: test failed, to rerun pass `--lib`".to_owned());
        let found = detect_with(lines.join("\n").as_bytes(), &Circumstances::default()).diagnosis;
        prop_assert_ne!(found.class.verdict(), Verdict::Infrastructure);
    }

    #[test]
    fn a_known_test_command_is_never_healable(lines in pieces()) {
        let command = CommandFacts { tool: Tool::new("npm"), kind: CommandKind::Test, fetches: false };
        let circumstances = Circumstances { command: Some(&command), exit: None };
        let found = detect_with(lines.join("\n").as_bytes(), &circumstances).diagnosis;
        let healable = found.class.healable().map(|c| c.id());
        prop_assert!(matches!(healable, None | Some("resource-exhausted")), "{:?}", healable);
    }
}
