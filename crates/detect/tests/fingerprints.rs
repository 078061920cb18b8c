//! A fingerprint names a failure, not the job that met it, and gives no secret away.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::sync::LazyLock;

use proptest::prelude::*;
use regreen_catalog::Catalog;
use regreen_detect::{Circumstances, Detector};
use regreen_domain::{Diagnosis, Fingerprint};
use regreen_logs::{ReadOptions, read};
use regreen_mask::Masker;

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| regreen_builtin::catalog().unwrap());
static DETECTOR: LazyLock<Detector<'static>> = LazyLock::new(|| Detector::new(&CATALOG));

fn diagnosed(log: &str, secret: &str) -> Diagnosis {
    let log = read(log.as_bytes(), &ReadOptions::default());
    let scan = DETECTOR.scan(&log, &Circumstances::default());
    DETECTOR.conclude(&scan, &[], &Masker::new([secret])).diagnosis
}

fn fingerprint(log: &str) -> Fingerprint {
    diagnosed(log, "").fingerprint
}

/// What is a job's own.
#[derive(Debug, Clone)]
struct Job {
    before: usize,
    stamp: bool,
    number: u32,
    host: String,
    path: String,
    hash: String,
}

fn job() -> impl Strategy<Value = Job> {
    (
        0usize..4,
        any::<bool>(),
        any::<u32>(),
        "[a-z]{1,8}\\.[a-z]{1,8}\\.example",
        "(/[a-z0-9_]{1,8}){1,5}",
        "[0-9a-f]{7,40}",
    )
        .prop_map(|(before, stamp, number, host, path, hash)| Job {
            before,
            stamp,
            number,
            host,
            path,
            hash,
        })
}

impl Job {
    fn log(&self, line: &str) -> String {
        let Job { number, host, path, hash, .. } = self;
        let line = line
            .replace("{number}", &number.to_string())
            .replace("{host}", host)
            .replace("{path}", path)
            .replace("{hash}", hash);
        let stamp = if self.stamp { "2024-05-01T12:34:56.1234567Z " } else { "" };
        format!("{}{stamp}{line}\n", format!("{stamp}working\n").repeat(self.before))
    }
}

const LINES: [&str; 7] = [
    // No signature names these.
    "error: step {number} in {path} gave up after {number} ms",
    "fatal: the frobnicator at {host}:{number} said {hash}",
    "FATAL: {host} and {host} disagree on {hash} ({number}.{number} s)",
    "Error: cannot frobnicate {path}:{number}",
    // These are named by signatures.
    "npm error network timeout at: https://{host}{path}",
    "curl: (6) Could not resolve host: {host}",
    "fatal: unable to access 'https://{host}{path}/': Could not resolve host: {host}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn it_is_the_same_in_another_job(line in proptest::sample::select(&LINES[..]), a in job(), b in job()) {
        prop_assert_eq!(fingerprint(&a.log(line)), fingerprint(&b.log(line)), "{:?}", (a.log(line), b.log(line)));
    }

    /// Two secrets, one fingerprint: who knows it can't try which secret it was made of.
    #[test]
    fn it_knows_no_secret(a in "[A-Za-z][a-zA-Z]{9,20}", b in "[A-Za-z][a-zA-Z]{9,20}") {
        for line in [
            "error: the frobnicator does not take {}",
            "npm error 404 Not Found - GET https://registry.example/{} - Not found",
            "npm error notarget No matching version found for {}@^3.0.0.",
            "error: no matching package named `{}` found",
        ] {
            let of = |secret: &str| diagnosed(&format!("{}\n", line.replace("{}", secret)), secret);
            prop_assert_eq!(of(&a).fingerprint, of(&b).fingerprint, "{}", line);
        }
    }
}

#[test]
fn tokens_that_change_with_each_job_do_not_change_it() {
    let log = |token: &str| format!("fatal: the frobnicator refuses {token}\n");
    let token =
        |n: usize| format!("ghp_{}", "A1b2C3d4E5f6".chars().cycle().skip(n).take(36).collect::<String>());
    assert_eq!(fingerprint(&log(&token(0))), fingerprint(&log(&token(5))));
    assert_ne!(fingerprint(&log(&token(0))), fingerprint("fatal: the frobnicator is gone\n"));
}

#[test]
fn what_a_log_names_as_secret_is_in_no_evidence_of_it() {
    let line = "npm error network request to https://registry.example/correct-horse/a failed, reason: read ECONNRESET";
    let told = |before: &str| {
        let log =
            format!("{before}\nnpm error code ECONNRESET\n{line}\nnpm error network This is a problem\n");
        format!("{:?}", diagnosed(&log, ""))
    };
    assert!(told("begin").contains("correct-horse"), "{}", told("begin"));
    for command in
        ["::add-mask::correct-horse", "##vso[task.setvariable variable=key;issecret=true]correct-horse"]
    {
        assert!(!told(command).contains("correct-horse"), "{}", told(command));
    }
}
