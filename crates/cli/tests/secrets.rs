//! Secrets that a job prints, is called with, or keeps in its files are nowhere in what Regreen stores, sends or says:
//! not in the ledger and its log files, not in patches, not in reports, not in a diagnosis; and after `kill -9` what
//! was only printed is nowhere on the disk.
//!
//! The tokens are made of pieces here, so that no scanner takes this file for a leak.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]
#![allow(clippy::print_stderr, reason = "the seed is for the person who runs it")]

mod support;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use regreen_lab::{Fault, PackageManager, PathGlob, Script, Until, damage::LockfileDamage};
use support::{
    aftermath,
    dice::{Dice, number},
    stage::{Break, REGREEN, Said, Stage, said, start_into},
    tree,
};

const SEED: u64 = 20_251_124;
/// The value of `MY_SECRET_TOKEN`: without any provider's shape, so that only its name gives it away.
const OF_THE_ENVIRONMENT: &str = "tangerine5walrus7umbrella";
/// The same in base64, as `echo -n … | base64` prints it.
const IN_BASE64: &str = "dGFuZ2VyaW5lNXdhbHJ1czd1bWJyZWxsYQ==";

/// The value of `MY_PASSWORD`: with characters that are written differently in a URL and in JSON.
const WITH_SIGNS: &str = "rhubarb/9+\"wombat\\7";

/// What was planted: the text around it as a job prints it, and the part that must not be seen again.
struct Planted {
    line: String,
    secret: String,
}

fn planted() -> Vec<Planted> {
    let plant = |before: &str, secret: String, after: &str| Planted {
        line: format!("{before}{secret}{after}"),
        secret,
    };
    let word = |head: &str, tail: &str| [head, tail].concat();
    vec![
        plant("token: ", word("ghp", "_k3J9sQ2mVx7Lp0RtY6uWb1ZcN4eHf8AgDi5o"), ""),
        plant(
            "github says ",
            word("github_pat", "_11ABCDEFG0aB3dE6gH9jK2_mN5pQ8sT1vW4yZ7bC0eF3hI6kL9nO2qR5tU8wX1zA4cD7fG0iJ3"),
            " is yours",
        ),
        plant("npm error auth ", word("npm", "_Zq3XwE8rT1yU6iO9pA2sD5fG7hJ0kL4mNbVc"), " was refused"),
        plant("aws_access_key_id = ", word("AKIA", "QX7MN2PLK9RT4WVB"), ""),
        plant("slack: ", word("xoxb", "-2847561930-5738291046-pQ8sT1vW4yZ7bC0eF3hI6kLm"), ""),
        plant("gitlab: ", word("glpat", "-x7Kp2mQ9sT4vW8yZ1bCd"), ""),
        plant("google: ", word("AIza", "SyB4kQ9mT7wXz2LpRj6VnCfGh8DsYeU1aZo"), ""),
        plant("stripe: ", word("sk", "_live_9Qw3Er5Ty7Ui1Op2As4Df6Gh8"), ""),
        plant("pypi: ", word("pypi", "-AgEIcHlwaS5vcmcCJDk4N2Y2ZTVkLWM0YjMtYTIxMA"), ""),
        plant(
            "session ",
            word("eyJhbGciOiJIUzI1NiJ9.", "eyJzdWIiOiI4MTcyNiJ9.c2lnbmF0dXJlLW9mLWl0"),
            " expired",
        ),
        plant(
            &word("-----BEGIN RSA ", "PRIVATE KEY-----\n"),
            "MIIEowIBAAKCAQEAx7Kp2mQ9sT4vW8yZ1bCd".to_owned(),
            &word("\n-----END RSA ", "PRIVATE KEY-----"),
        ),
        plant("fetching https://deploy:", "hunter2-of-the-mirror".to_owned(), "@mirror.example.com/simple/"),
        plant("logging in with ", OF_THE_ENVIRONMENT.to_owned(), " as bot"),
        plant("logging in with ", IN_BASE64.to_owned(), " as bot"),
        plant("> token bot:", OF_THE_ENVIRONMENT.to_owned(), "@"),
        plant("in a URL ?p=", "rhubarb%2F9%2B%22wombat%5C7".to_owned(), "&x=1"),
        plant("in another ?p=", "rhubarb%2f9%2b%22wombat%5c7".to_owned(), "&x=1"),
        plant("{\"p\": \"", "rhubarb/9+\\\"wombat\\\\7".to_owned(), "\"}"),
        plant("as it is: ", WITH_SIGNS.to_owned(), "."),
        // Last, because the whole rest of their line is masked.
        plant("> Authorization: Bearer ", "c2Vzc2lvbi1vZi10aGUtYnVpbGQ4NDc1".to_owned(), ""),
        plant("> Authorization: Basic ", "Ym90OnBsZWFzZS1kb250LXRlbGw=".to_owned(), ""),
    ]
}

fn as_printed(planted: &[Planted]) -> String {
    planted.iter().map(|p| p.line.as_str()).collect::<Vec<_>>().join("\n")
}

fn secrets(planted: &[Planted]) -> Vec<&str> {
    planted.iter().map(|p| p.secret.as_str()).collect()
}

/// None of the secrets is below the folder.
#[track_caller]
fn clean_below(folder: &Path, secrets: &[&str]) {
    let leaks = tree::holding(folder, secrets);
    assert!(leaks.is_empty(), "leaked to {leaks:?}");
}

/// None of the secrets is in the text.
#[track_caller]
fn clean(text: &str, secrets: &[&str]) {
    let leaked: Vec<&&str> = secrets.iter().filter(|s| text.contains(**s)).collect();
    assert!(leaked.is_empty(), "{leaked:?} leaked in: {text}");
}

/// Everything of Regreen's that outlives the run, and everything that it said.
#[track_caller]
fn nothing_leaked(stage: &Stage, run: &Said, secrets: &[&str]) {
    assert!(stage.state().ledger().exists(), "there is no ledger to search: {}", run.err);
    clean_below(&stage.state_home(), secrets);
    clean_below(&stage.tmp(), secrets);
    clean(&run.own_lines(), secrets);
    clean(&fs::read_to_string(report(stage)).unwrap(), secrets);
}

fn report(stage: &Stage) -> std::path::PathBuf {
    stage.base().join("report.json")
}

/// `regreen run` with a report, and what the job prints.
fn run_saying(stage: &Stage, cmd: &[&str], says: &str) -> Command {
    let report = report(stage).display().to_string();
    let mut command = stage.regreen(&["run", "--report", &report, "--"]);
    with_secrets(command.args(cmd).env("TEST_SAYS", says));
    command
}

/// The environment that the masker takes its known values from.
fn with_secrets(command: &mut Command) -> &mut Command {
    command.env("MY_SECRET_TOKEN", OF_THE_ENVIRONMENT).env("MY_PASSWORD", WITH_SIGNS)
}

#[test]
fn a_healing_keeps_nothing_that_the_job_printed_or_was_called_with() {
    let stage = Stage::broken(PackageManager::Cargo, Break::Lockfile(LockfileDamage::Truncated));
    let planted = planted();
    // A literal string of TOML: nothing in it is escaped.
    let in_argv = format!("env.PLANTED='{}'", as_printed(&planted).replace('\n', " "));
    let cmd = ["cargo", "fetch", "--locked", "--config", &in_argv];
    let run = said(&mut run_saying(&stage, &cmd, &as_printed(&planted)));
    assert_eq!(run.code, 0, "{}", run.err);
    let printed = String::from_utf8_lossy(&run.out);
    assert_eq!(
        printed.matches(&as_printed(&planted)).count(),
        2,
        "the job's own output passes unchanged: {printed}"
    );
    nothing_leaked(&stage, &run, &secrets(&planted));
}

#[test]
fn evidence_that_holds_a_secret_is_masked() {
    let stage = Stage::new(PackageManager::Npm);
    stage.lab.set_script(Script::fault(PathGlob::NPM_TARBALLS, Fault::Reset, Until::Times(1)));
    let planted = planted();
    // Looks like the failure itself, so that the secrets stand in what is chosen as evidence.
    let says = as_evidence(&as_printed(&planted).replace('\n', " "));
    let run = said(&mut run_saying(&stage, &["npm", "ci"], &says));
    nothing_leaked(&stage, &run, &secrets(&planted));
    // Else nothing was stored that could have leaked, and this test would prove nothing.
    let report = fs::read_to_string(report(&stage)).unwrap();
    assert!(report.contains("***") && run.own_lines().contains("***"), "{report}\n{}", run.err);
}

/// Two lines that are recognised, the second of them with this in it.
fn as_evidence(text: &str) -> String {
    format!(
        "npm error code ECONNRESET\n\
         npm error network request to https://registry.example.com/{text} failed, reason: read ECONNRESET\n"
    )
}

#[test]
fn a_failure_that_is_left_alone_keeps_nothing_either() {
    let planted = planted();
    for (cmd, says) in [
        (&["sh", "-c", "printf '%s\\n' \"$TEST_SAYS\"; exit 3"][..], as_printed(&planted)),
        (
            &["sh", "-c", "printf '%s\\n' \"$TEST_SAYS\" >&2; exit 1"],
            planted
                .iter()
                .map(|p| format!("error[E0308]: mismatched types: {}\n --> src/lib.rs:3:5\n", p.line))
                .collect(),
        ),
        (
            &["sh", "-c", "printf '%s\\n' \"$TEST_SAYS\"; exit 128"],
            planted.iter().map(|p| format!("fatal: Authentication failed for 'x' {}\n", p.line)).collect(),
        ),
    ] {
        let stage = Stage::new(PackageManager::Cargo);
        let run = said(&mut run_saying(&stage, cmd, &says));
        nothing_leaked(&stage, &run, &secrets(&planted));
    }
}

#[test]
fn a_lockfile_and_an_npmrc_with_secrets_are_healed_without_telling_them() {
    let mut stage = Stage::new(PackageManager::Npm);
    let planted = planted();
    let secrets = secrets(&planted);
    let (in_npmrc, in_lockfile) = (secrets[2], secrets[6]);
    let npmrc = stage.project.root().join(".npmrc");
    let text = fs::read_to_string(&npmrc).unwrap();
    fs::write(&npmrc, format!("{text}//{}/npm/:_authToken={in_npmrc}\n", stage.lab.address())).unwrap();
    let lockfile = stage.project.lockfile();
    let text = fs::read_to_string(&lockfile).unwrap();
    let with_user = text
        .replace("https://registry.npmjs.org/", &format!("https://bot:{in_lockfile}@registry.npmjs.org/"));
    fs::write(&lockfile, with_user).unwrap();
    stage.project.commit("with secrets").unwrap();
    stage.good = fs::read(&lockfile).unwrap();
    for damage in [LockfileDamage::Truncated, LockfileDamage::WrongChecksum, LockfileDamage::Garbage] {
        fs::write(&lockfile, &stage.good).unwrap();
        damage.apply(&stage.project).unwrap();
        stage.keep();
        stage.reset();
        let run = said(&mut run_saying(&stage, &["npm", "ci"], ""));
        assert_eq!(run.code, 0, "{damage:?}: {}", run.err);
        assert!(fs::read(&lockfile).unwrap() == stage.good, "{damage:?}: {}", run.err);
        nothing_leaked(&stage, &run, &secrets);
        aftermath::nothing_left(&stage).unwrap();
    }
}

#[test]
fn a_diagnosis_shows_no_secret() {
    let planted = planted();
    let folder = tempfile::tempdir().unwrap();
    let shapeless = planted.iter().position(|p| p.secret == OF_THE_ENVIRONMENT).unwrap();
    let mut logs = Vec::new();
    for (n, p) in planted.iter().enumerate() {
        let line = p.line.replace('\n', " ");
        logs.push((format!("{n}-evidence"), as_evidence(&line)));
        logs.push((
            format!("{n}-code"),
            format!("error[E0308]: mismatched types {line}\n --> src/lib.rs:3:5\n"),
        ));
        logs.push((format!("{n}-unknown"), format!("ERROR it failed: {line}\n")));
        // However a long line is cut, for reading or for display, no half of a secret may be left at the cut: neither
        // behind words nor behind another secret, which shrinks.
        for cut in [400, 2048, 8192] {
            // The secrets whose halves have no shape of their own, cut at every seventh place.
            for back in (0..77).step_by(7).filter(|_| p.secret.starts_with("hunter") || n == shapeless) {
                let room = cut - 40 - back;
                let words = format!("{} {line}", "x".repeat(room));
                let half = room / 2;
                let secret = format!("eyJ{}.{} {line}", "b".repeat(half), "c".repeat(half));
                for (how, text) in [("words", words), ("secret", secret)] {
                    logs.push((format!("{n}-{cut}-{back}-{how}"), as_evidence(&text)));
                    logs.push((
                        format!("{n}-{cut}-{back}-{how}-unknown"),
                        format!("ERROR it failed: {text}\n"),
                    ));
                }
            }
        }
    }
    for (name, text) in &logs {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let halves = halves(&planted);
    for format in ["plain", "json", "github", "markdown", "sarif"] {
        let mut command = Command::new(REGREEN);
        command.args(["diagnose", "--format", format]).args(logs.iter().map(|(name, _)| name));
        let diagnosed = said(with_secrets(command.current_dir(folder.path())));
        let text = String::from_utf8_lossy(&diagnosed.out);
        assert!(text.matches("***").count() >= 3 * planted.len(), "nothing that was planted came up: {text}");
        let leaked = text.lines().find(|line| halves.iter().any(|half| line.contains(half)));
        assert_eq!(leaked, None);
        clean(&diagnosed.err, &halves);
    }
}

/// The longer half of each secret: a cut must not leave that much of it.
fn halves(planted: &[Planted]) -> Vec<&str> {
    planted.iter().map(|p| &p.secret[..p.secret.len() * 2 / 3]).collect()
}

#[test]
fn an_error_message_shows_no_secret() {
    let stage = Stage::new(PackageManager::Cargo);
    let planted = planted();
    for p in &planted {
        let mut command = stage.regreen(&["run", "--", &format!("no-such-program {}", p.line)]);
        let run = said(with_secrets(&mut command));
        assert_eq!(run.code, 127, "{}", run.err);
        clean(&run.err, &[&p.secret]);
    }
}

#[test]
fn after_a_kill_nothing_that_was_printed_is_on_the_disk() {
    let seed = number("REGREEN_CRASH_SEED", SEED);
    let count = number("REGREEN_CRASH_COUNT", 20).div_ceil(4);
    eprintln!("{count} healings killed with REGREEN_CRASH_SEED={seed}");
    let mut dice = Dice::new(seed);
    let stage = Stage::broken(PackageManager::Cargo, Break::Lockfile(LockfileDamage::Truncated));
    let planted = planted();
    let secrets = secrets(&planted);
    for trial in 0..count {
        stage.reset();
        let said_file = stage.base().join("said");
        let mut command = run_saying(&stage, &["cargo", "fetch", "--locked"], &as_printed(&planted));
        let mut child = start_into(&mut command, &said_file);
        let until = Instant::now() + Duration::from_secs(60);
        while !stage.state().folder().exists() && child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < until, "the run neither ended nor failed");
            sleep(Duration::from_millis(1));
        }
        let after = dice.within(Duration::from_millis(200));
        sleep(after);
        child.kill().unwrap();
        child.wait().unwrap();
        // The log that the shell in this test redirected it to is the test's, not Regreen's.
        fs::remove_file(&said_file).unwrap();
        let leaks = tree::holding(stage.base(), &secrets);
        assert!(leaks.is_empty(), "trial {trial}, killed after {after:?}: leaked to {leaks:?}");
        let state = stage.state();
        for copy in tree::named(&state.folder().join("before"), |_| true) {
            let mode = fs::metadata(&copy).unwrap().permissions().mode() & 0o777;
            let private = if copy.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(mode, private, "{}", copy.display());
        }
        let resumed = said(&mut stage.regreen(&["resume"]));
        assert_eq!(resumed.code, 0, "{}", resumed.err);
        aftermath::nothing_left(&stage).unwrap();
    }
}
