//! The real `regreen serve` against the stand-in of a CI host: webhooks over HTTP, `kill -9`, and what is left of it.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]
#![allow(clippy::print_stderr, reason = "the seed is for the person who runs it")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{Receiver, channel},
    thread::{sleep, spawn},
    time::{Duration, Instant},
};

use hmac::{Hmac, Mac};
use regreen_lab::forge;
use serde_json::{Value, json};
use sha2::Sha256;

#[path = "fleet/action.rs"]
mod action;
#[path = "fleet/age.rs"]
mod age;
#[path = "fleet/elsewhere.rs"]
mod elsewhere;
#[path = "fleet/expression.rs"]
mod expression;
#[path = "fleet/init.rs"]
mod init;
#[path = "fleet/kept.rs"]
mod kept;
#[path = "fleet/killed.rs"]
mod killed;
#[path = "fleet/linters.rs"]
mod linters;
#[path = "fleet/release.rs"]
mod release;
#[path = "fleet/runner.rs"]
mod runner;
#[path = "fleet/services.rs"]
mod services;
#[path = "fleet/standin.rs"]
mod standin;
#[path = "fleet/without.rs"]
mod without;
#[path = "fleet/workflow.rs"]
mod workflow;

const NAME: &str = "octo-org/hello";
const SECRET: &str = "a-secret-of-the-tests";
const PATIENCE: Duration = Duration::from_secs(40);

const NETWORK: &[u8] = b"\
2026-11-29T09:00:01.0000000Z ##[group]Run npm ci
2026-11-29T09:00:01.1000000Z npm ci
2026-11-29T09:00:01.3000000Z ##[endgroup]
2026-11-29T09:03:20.0000000Z npm error code ECONNRESET
2026-11-29T09:03:20.1000000Z npm error network request to https://registry.npmjs.org/left-pad/-/a-secret-of-the-tests.tgz failed, reason: read ECONNRESET
2026-11-29T09:03:20.2000000Z npm error network This is a problem related to network connectivity.
2026-11-29T09:03:20.5000000Z ##[error]Process completed with exit code 1.
";

/// A host with one failed run, and a folder with what `serve` needs.
struct Stage {
    folder: tempfile::TempDir,
    host: forge::GitHub,
    run: u64,
    /// A path, or the address of a server.
    ledger: String,
}

/// A server that is up.
struct Serving {
    child: Child,
    address: String,
    lines: Receiver<String>,
}

impl Stage {
    fn new(mode: &str) -> Stage {
        let folder = tempfile::tempdir().unwrap();
        let host = forge::GitHub::start().unwrap();
        host.world().add(NAME, &[("a", b"1\n")]);
        let (run, _) = host.world().add_failed(NAME, NETWORK);
        for (name, text) in [
            ("hook", SECRET),
            ("token", "ghp_test"),
            (
                "config.toml",
                &format!("[serve]\n[[serve.rule]]\nrepository = \"octo-org/*\"\nmode = \"{mode}\"\n"),
            ),
        ] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        fs::create_dir(folder.path().join("empty")).unwrap();
        let ledger = folder.path().join("ledger.db").display().to_string();
        Stage { folder, host, run, ledger }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn regreen(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_regreen"));
        command.args(args).env_clear().env("HOME", self.path("home"));
        command.env("REGREEN_LEDGER", &self.ledger).env("NO_COLOR", "1");
        command.current_dir(self.path("empty"));
        command
    }

    fn serve(&self) -> Serving {
        let mut command = self.regreen(&["serve", "--listen", "127.0.0.1:0", "--lease", "1s"]);
        command.args(["--github-api", &self.host.url()]);
        for (flag, name) in
            [("--github-secret-file", "hook"), ("--github-token-file", "token"), ("--config", "config.toml")]
        {
            command.arg(flag).arg(self.path(name));
        }
        Serving::started(command)
    }

    /// The run's webhook, as it stands at the host.
    fn webhook(&self) -> Vec<u8> {
        let world = self.host.world();
        let run = world.repositories[NAME].runs.iter().find(|run| run.id == self.run).unwrap();
        let payload = json!({
            "action": "completed",
            "repository": { "full_name": NAME },
            "workflow_run": {
                "id": run.id, "run_attempt": run.attempt, "head_sha": run.head_sha, "status": run.status,
                "conclusion": run.conclusion, "head_repository": { "full_name": NAME },
            },
        });
        serde_json::to_vec(&payload).unwrap()
    }

    fn reruns(&self) -> usize {
        self.host.world().count("POST", "/rerun-failed-jobs")
    }

    fn finish(&self, conclusion: &str) {
        self.host.world().repositories.get_mut(NAME).unwrap().finish(self.run, conclusion);
    }

    /// What is on record.
    fn incidents(&self) -> Vec<Value> {
        let Output { stdout, .. } =
            self.regreen(&["incidents", "list", "--format", "json"]).output().unwrap();
        String::from_utf8(stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn until(&self, what: &str, holds: impl Fn(&Stage) -> bool) {
        let begun = Instant::now();
        while !holds(self) {
            assert!(begun.elapsed() < PATIENCE, "{what}: {:#?}", self.incidents());
            sleep(Duration::from_millis(20));
        }
    }

    fn until_outcome(&self, outcome: &str) {
        self.until(outcome, |stage| {
            let all = stage.incidents();
            all.len() == 1 && all[0]["outcome"] == outcome
        });
    }
}

/// A test that fails leaves nothing behind.
impl Drop for Serving {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Serving {
    /// Starts it, and waits until it says where it listens.
    fn started(command: Command) -> Serving {
        let mut serving = Serving::working(command);
        serving.address = loop {
            let line = serving.lines.recv_timeout(PATIENCE).unwrap();
            if let Some(address) = line.split("address=").nth(1) {
                break address.to_owned();
            }
        };
        serving
    }

    /// Starts what listens nowhere.
    fn working(mut command: Command) -> Serving {
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let (tell, lines) = channel();
        let err = BufReader::new(child.stderr.take().unwrap());
        spawn(move || {
            for line in err.lines().map_while(Result::ok) {
                let _nobody = tell.send(line);
            }
        });
        Serving { child, address: String::new(), lines }
    }

    /// Sends a webhook; the answer's status.
    fn post(&self, delivery: &str, body: &[u8], secret: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(body);
        let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let head = format!(
            "POST /hooks/github HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
             X-GitHub-Event: workflow_run\r\nX-GitHub-Delivery: {delivery}\r\nX-Hub-Signature-256: sha256={hex}\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text.get(9..12).unwrap_or("none").to_owned()
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; what it said since, and its exit code.
    fn end(mut self) -> (Option<i32>, Vec<String>) {
        let kill = format!("kill -TERM {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        let code = self.child.wait().unwrap().code();
        (code, self.lines.iter().collect())
    }
}

#[test]
fn a_failed_run_is_healed_by_one_rerun() {
    let stage = Stage::new("auto");
    let serving = stage.serve();
    let webhook = stage.webhook();
    assert_eq!(serving.post("forged", &webhook, "another-secret-than-ours"), "401");
    assert_eq!(serving.post("one", &webhook, SECRET), "202");
    assert_eq!(serving.post("one", &webhook, SECRET), "202");
    assert_eq!(serving.post("replayed", &webhook, SECRET), "202");
    stage.until("it never ran again", |stage| stage.reruns() == 1);
    stage.finish("success");
    assert_eq!(serving.post("two", &stage.webhook(), SECRET), "202");
    stage.until_outcome("healed");
    let (code, lines) = serving.end();
    assert_eq!((code, stage.reruns()), (Some(0), 1), "{lines:#?}");
    assert!(
        lines.iter().any(|line| line.contains("event=hook-rejected sender=github why=unproven")),
        "{lines:#?}"
    );
    assert!(!lines.iter().any(|line| line.contains(SECRET) || line.contains("ghp_test")), "{lines:#?}");
    // The job printed it, and a file named it a secret.
    let kept =
        ["ledger.db", "ledger.db-wal"].map(|file| fs::read(stage.path(file)).unwrap_or_default()).concat();
    let holds = |words: &str| kept.windows(words.len()).any(|bytes| bytes == words.as_bytes());
    assert!(holds("ECONNRESET") && holds("registry.npmjs.org/left-pad") && !holds(SECRET));
    let audit = stage.regreen(&["audit", "verify"]).output().unwrap();
    assert!(audit.status.success());
}

#[test]
fn without_leave_a_run_is_diagnosed_and_left_alone() {
    let stage = Stage::new("observe");
    let serving = stage.serve();
    assert_eq!(serving.post("one", &stage.webhook(), SECRET), "202");
    stage.until_outcome("suggested");
    let (code, _) = serving.end();
    assert_eq!((code, stage.reruns()), (Some(0), 0));
}

#[test]
fn killed_at_any_moment_it_runs_again_once_and_is_healed() {
    for (n, delay) in [0, 8, 20, 45, 90].into_iter().enumerate() {
        let stage = Stage::new("auto");
        let serving = stage.serve();
        assert_eq!(serving.post("one", &stage.webhook(), SECRET), "202");
        sleep(Duration::from_millis(delay));
        serving.kill();
        let serving = stage.serve();
        stage.until("it never ran again", |stage| stage.reruns() >= 1);
        if n % 2 == 0 {
            // Once more while it waits.
            serving.kill();
            stage.finish("success");
            let serving = stage.serve();
            assert_eq!(serving.post("two", &stage.webhook(), SECRET), "202");
            stage.until_outcome("healed");
            serving.kill();
        } else {
            stage.finish("success");
            assert_eq!(serving.post("two", &stage.webhook(), SECRET), "202");
            stage.until_outcome("healed");
            serving.kill();
        }
        assert_eq!(stage.reruns(), 1, "killed after {delay} ms");
    }
}

#[test]
fn what_the_fleet_has_under_way_is_taken_back_by_hand() {
    let stage = Stage::new("auto");
    let serving = stage.serve();
    assert_eq!(serving.post("one", &stage.webhook(), SECRET), "202");
    stage.until("it never ran again", |stage| stage.reruns() == 1);
    let id = stage.incidents()[0]["id"].as_str().unwrap().to_owned();
    let roll_back = || {
        let Output { status, stdout, stderr } = stage.regreen(&["rollback", &id]).output().unwrap();
        (status.code(), String::from_utf8([stdout, stderr].concat()).unwrap())
    };
    let (code, words) = roll_back();
    assert_eq!(code, Some(0), "{words}");
    assert!(words.contains("cancels what"), "{words}");
    stage.until("it was never cancelled", |stage| stage.host.world().count("POST", "/cancel") == 1);
    stage.until_outcome("rolled-back");
    let (code, words) = roll_back();
    assert_eq!(code, Some(3), "{words}");
    assert!(words.contains("nothing of it is under way"), "{words}");
    serving.kill();
    assert_eq!((stage.reruns(), stage.host.world().count("POST", "/cancel")), (1, 1));
}

#[test]
fn what_is_missing_is_said() {
    let stage = Stage::new("auto");
    let said = |args: &[&str]| {
        let Output { status, stderr, .. } = stage.regreen(args).output().unwrap();
        (status.code(), String::from_utf8(stderr).unwrap())
    };
    let (code, words) = said(&["serve"]);
    assert_eq!(code, Some(2));
    assert!(words.contains("--github-secret-file"), "{words}");
    fs::write(stage.path("weak"), "short").unwrap();
    let weak = stage.path("weak").display().to_string();
    let (code, words) = said(&["serve", "--github-secret-file", &weak]);
    assert_eq!(code, Some(4));
    assert!(words.contains("at least 16 bytes") && !words.contains("short"), "{words}");
    let (code, words) = said(&["worker"]);
    assert_eq!(code, Some(2));
    assert!(words.contains("--github-token-file"), "{words}");
    let (code, words) = said(&["dispatch", "octo-org/hello", "77"]);
    assert_eq!(
        (code, words.as_str()),
        (Some(0), "regreen: run 77 of octo-org/hello is on the list of work\n")
    );
}

#[test]
fn a_pipeline_of_gitlab_that_was_put_on_the_list_by_hand_is_healed() {
    const PROJECT: &str = "octo-org/tools/rake";
    let stage = Stage::new("auto");
    let host = forge::gitlab::GitLab::start().unwrap();
    host.world().token = Some("glpat-test".to_owned());
    host.world().add(PROJECT, &[("a", b"1\n")]);
    let (pipeline, _) = host.world().add_failed(PROJECT, &[("build", NETWORK)]);
    fs::write(stage.path("token"), "glpat-test\n").unwrap();
    let mut worker = stage.regreen(&["worker", "--lease", "1s", "--gitlab-url", &host.url()]);
    worker.arg("--gitlab-token-file").arg(stage.path("token")).arg("--config").arg(stage.path("config.toml"));
    let listed = stage.regreen(&["dispatch", "--gitlab", PROJECT, &pipeline.to_string()]).output().unwrap();
    assert!(listed.status.success(), "{listed:?}");
    let mut worker = worker.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    stage.until("it never ran again", |_| host.world().count("POST", "/retry") == 1);
    host.world().pipeline(PROJECT, pipeline).unwrap().finish("success");
    // A second look, so that nobody waits for the next one.
    let again = stage.regreen(&["dispatch", "--gitlab", PROJECT, &pipeline.to_string()]).output().unwrap();
    assert!(again.status.success(), "{again:?}");
    stage.until_outcome("healed");
    worker.kill().unwrap();
    worker.wait().unwrap();
    assert_eq!(host.world().count("POST", ""), 1);
}
