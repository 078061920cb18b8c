//! What a command said, with everything taken out that differs from run to run.

use std::{
    path::Path,
    process::{Command, Stdio},
    sync::LazyLock,
};

use regex::{Captures, Regex};
use tempfile::TempDir;

use crate::support::stage::{REGREEN, Stage, said};

/// A folder without a project, a state or a git repository.
pub struct Bare {
    folder: TempDir,
}

impl Bare {
    pub fn new() -> Bare {
        let folder = tempfile::Builder::new().prefix("regreen-test-").tempdir().unwrap();
        std::fs::create_dir(folder.path().join("work")).unwrap();
        Bare { folder }
    }

    pub fn base(&self) -> &Path {
        self.folder.path()
    }

    pub fn work(&self) -> std::path::PathBuf {
        self.folder.path().join("work")
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(REGREEN);
        command
            .args(arguments)
            .current_dir(self.work())
            .env_clear()
            .env("HOME", self.base().join("home"))
            .env("XDG_STATE_HOME", self.base().join("state"))
            .stdin(Stdio::null());
        command
    }

    /// Exit code, standard output and standard error, scrubbed.
    pub fn tell(&self, arguments: &[&str]) -> String {
        tell(&mut self.command(arguments), self.base())
    }
}

/// As [`Bare::tell`], on a stage.
pub fn on(stage: &Stage, arguments: &[&str]) -> String {
    tell(&mut stage.regreen(arguments), stage.base())
}

/// Runs the command to its end.
pub fn tell(command: &mut Command, base: &Path) -> String {
    let said = said(command);
    let mut text = format!("exit code {}\n", said.code);
    for (name, stream) in [("out", String::from_utf8_lossy(&said.out).as_ref()), ("err", &said.err)] {
        if !stream.is_empty() {
            text.push_str(&format!("--- {name}\n{stream}"));
        }
    }
    scrub(&text, base)
}

/// The ids of the incidents on record, newest first.
pub fn ids(stage: &Stage) -> Vec<String> {
    let listed = said(&mut stage.regreen(&["incidents", "list"]));
    let out = String::from_utf8(listed.out).unwrap();
    out.lines().filter(|l| INCIDENT.is_match(l)).map(|l| l.split(' ').next().unwrap().to_owned()).collect()
}

static INCIDENT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b[0-9a-f]{11}-[0-9a-f]+-\d\b").unwrap());

/// Paths, ids, times, durations and digests become names.
pub fn scrub(text: &str, base: &Path) -> String {
    let mut text = text.to_owned();
    for base in [base.canonicalize().unwrap(), base.to_owned()] {
        text = text.replace(&base.display().to_string(), "[BASE]");
    }
    let mut seen: Vec<String> = Vec::new();
    let named = INCIDENT.replace_all(&text, |found: &Captures<'_>| {
        let at = seen.iter().position(|id| *id == found[0]).unwrap_or_else(|| {
            seen.push(found[0].to_owned());
            seen.len() - 1
        });
        format!("[INCIDENT {}]", ["A", "B", "C", "D", "E", "F"][at])
    });
    let mut text = named.into_owned();
    for (pattern, name) in [
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", "[TIME]"),
        (r#""date": "\d{4}-\d\d-\d\d""#, r#""date": "[DATE]""#),
        (r"\b[0-9a-f]{64}\b", "[DIGEST]"),
        (r"\b[0-9a-f]{40}\b", "[COMMIT]"),
        (r"\bcommit [0-9a-f]{10}\b", "commit [COMMIT]"),
        (r"/regreen/[0-9a-f]{16}/", "/regreen/[WORKSPACE]/"),
        (r"127\.0\.0\.1:\d+", "127.0.0.1:[PORT]"),
        (r"(overhead on failed jobs +under 2 % +)[\d.]+ % +(\d+ +)(?:pass|miss)", "$1[P] $2[VERDICT]"),
        (r#""engine_overhead": \d+\.\d+(,\n *"detection_latency")"#, r#""engine_overhead": [P]$1"#),
        (
            r#"("name":"engine_overhead","unit":"share","side":"\w+","limit":0.02,"value":)[\d.]+(,"n":1,"verdict":)"(?:pass|miss)""#,
            r#"$1[P]$2"[VERDICT]""#,
        ),
        (r"(regreen_engine_overhead_ratio) [\d.]+", "$1 [P]"),
        (r"Patterns: \d+", "Patterns: [N]"),
        (r#""(detect|decide|act|verify|command|overhead)":\d+"#, r#""$1":[MS]"#),
        (r#""(p50|p95)":\d+"#, r#""$1":[MS]"#),
        (
            r#""unit":"seconds","side":"under","limit":([\d.]+),"value":[\d.]+"#,
            r#""unit":"seconds","side":"under","limit":$1,"value":[S]"#,
        ),
        (
            r#""(mean_detection_time|mean_recovery_time|detection_latency)": \d+\.\d+(,?)(\n *"(?:false|rollback|recovery))"#,
            r#""$1": [S]$2$3"#,
        ),
        (r"(regreen_(?:mean_detection_time|detection_latency|mean_recovery_time)_seconds) [\d.]+", "$1 [S]"),
        (r"(regreen_(?:stage|mttr)_seconds\{[^}]*\}) [\d.]+", "$1 [S]"),
        (r"(regreen_runner_minutes_spent) [\d.e-]+", "$1 [M]"),
        (r#"("runner_minutes":)[\d.e-]+"#, "$1[M]"),
        (r"\b\d+\.\d\d s +(\d+ )", "[S] $1"),
        (r#""job":"[0-9a-f]+-[0-9a-f]+""#, r#""job":"[RUN]""#),
        (r"(?m)^(job +)[0-9a-f]+-[0-9a-f]+$", "$1[RUN]"),
        (r"\b0\.\d{3}(  \d+ of \d+ healed)", "[DRAW]$1"),
        (r#""score":0\.\d+"#, r#""score":[DRAW]"#),
        (r#""seed":\d+"#, r#""seed":[SEED]"#),
    ] {
        text = Regex::new(pattern).unwrap().replace_all(&text, name).into_owned();
    }
    // Columns are as wide as what stood in them.
    Regex::new(r"(\[[A-Z]+(?: [A-F])?\]) {2,}").unwrap().replace_all(&text, "$1  ").into_owned()
}
