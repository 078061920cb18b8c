//! `regreen run --server`: a real server beside a real job. Its word makes the job stricter, and its silence nothing.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod support;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread::spawn,
};

use regreen_lab::{PackageManager, damage::LockfileDamage};
use serde_json::Value;
use support::stage::{Break, REGREEN, Said, Stage, said};

const TOKEN: &str = "a-token-that-only-our-jobs-know";

/// A server that ends with its test.
struct Server {
    child: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _code = self.child.wait();
    }
}

impl Server {
    fn start(stage: &Stage, config: &str) -> Server {
        for (name, text) in [("serve.toml", config), ("job-token", TOKEN)] {
            fs::write(stage.base().join(name), text).unwrap();
        }
        let mut command = Server::regreen(stage, &["serve", "--listen", "127.0.0.1:0"]);
        command.arg("--config").arg(stage.base().join("serve.toml"));
        command.arg("--job-token-file").arg(stage.base().join("job-token"));
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().expect("it ended").unwrap();
            if let Some(address) = line.split("address=").nth(1) {
                break address.to_owned();
            }
        };
        // Nobody waits for a pipe that is full.
        spawn(move || lines.for_each(drop));
        Server { child, address }
    }

    fn regreen(stage: &Stage, args: &[&str]) -> Command {
        let mut command = Command::new(REGREEN);
        command.args(args).env_clear().env("HOME", stage.base().join("fleet-home")).env("NO_COLOR", "1");
        command.env("REGREEN_LEDGER", stage.base().join("fleet.db")).current_dir(stage.tmp());
        command
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What the fleet has on record, the latest first.
    fn incidents(stage: &Stage) -> Vec<Value> {
        let output = Server::regreen(stage, &["incidents", "list", "--format", "json"]).output().unwrap();
        String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// The job, asking this server by this token.
fn job(stage: &Stage, url: &str, token: &str) -> Said {
    stage.reset();
    said(stage.run_install().env("REGREEN_SERVER", url).env("REGREEN_SERVER_TOKEN", token))
}

#[test]
fn a_job_goes_as_far_as_the_fleet_lets_it_and_tells_of_its_end() {
    let stage = Stage::broken(PackageManager::Cargo, Break::Lockfile(LockfileDamage::WrongChecksum));
    let server = Server::start(&stage, "");
    let healed = job(&stage, &server.url(), TOKEN);
    assert_eq!(healed.code, 0, "{}", healed.err);
    let [incident] = &Server::incidents(&stage)[..] else { panic!("{:?}", Server::incidents(&stage)) };
    assert_eq!((&incident["outcome"], &incident["class"]), (&"healed".into(), &"lockfile-corruption".into()));

    let id = incident["id"].as_str().unwrap();
    let patch = Server::regreen(&stage, &["incidents", "show", id, "--log", "patch"]).output().unwrap();
    let patch = String::from_utf8(patch.stdout).unwrap();
    assert!(patch.starts_with("--- a/Cargo.lock\n+++ b/Cargo.lock\n@@ "), "{patch}");
    assert!(patch.contains("\n-checksum = ") && patch.contains("\n+checksum = "), "{patch}");

    // A proxy reads what goes through it: to this machine nothing does.
    stage.reset();
    let proxied = said(
        stage
            .run_install()
            .env("REGREEN_SERVER", server.url())
            .env("REGREEN_SERVER_TOKEN", TOKEN)
            .env("HTTP_PROXY", "http://127.0.0.1:9")
            .env("NO_PROXY", "no.such.host"),
    );
    assert!(!proxied.err.contains("own rules hold"), "{}", proxied.err);
    assert_eq!(Server::incidents(&stage).len(), 2);

    let paused = Server::regreen(&stage, &["pause", "--fleet", "--reason", "a release"]).status().unwrap();
    assert!(paused.success());
    let left = job(&stage, &server.url(), TOKEN);
    assert_ne!(left.code, 0);
    assert!(left.err.contains("paused"), "{}", left.err);
    assert_eq!(Server::incidents(&stage)[0]["outcome"], "suggested");
    drop(server);

    // Its silence, and the refusal of one that does not know us, leave the job its own rules.
    let alone = job(&stage, "http://127.0.0.1:9", TOKEN);
    assert_eq!(alone.code, 0, "{}", alone.err);
    assert!(alone.err.contains("this job's own rules hold"), "{}", alone.err);
}

#[test]
fn rules_for_jobs_are_the_fleets_and_a_stranger_is_refused() {
    let stage = Stage::broken(PackageManager::Cargo, Break::Lockfile(LockfileDamage::WrongChecksum));
    let rule = "[serve.jobs]\nmode = \"auto\"\n[[serve.jobs.rule]]\nclass = \"lockfile-corruption\"\nmode = \"suggest\"\n";
    let server = Server::start(&stage, rule);
    let suggested = job(&stage, &server.url(), TOKEN);
    assert_ne!(suggested.code, 0);
    assert!(!suggested.err.contains("own rules"), "{}", suggested.err);
    assert_eq!(Server::incidents(&stage)[0]["outcome"], "suggested");

    let stranger = job(&stage, &server.url(), "another-token-altogether");
    assert_eq!(stranger.code, 0, "{}", stranger.err);
    assert!(stranger.err.contains("401: the token is missing or wrong"), "{}", stranger.err);
    assert_eq!(Server::incidents(&stage).len(), 1, "nothing of a stranger is kept");
    for secret in [TOKEN, "another-token-altogether"] {
        assert!(!stranger.err.contains(secret) && !suggested.err.contains(secret));
    }
}

#[test]
fn an_answer_that_is_none_is_no_answer() {
    let stage = Stage::broken(PackageManager::Cargo, Break::Lockfile(LockfileDamage::WrongChecksum));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    spawn(move || {
        for (n, stream) in listener.incoming().map_while(Result::ok).enumerate() {
            garbage(n, stream);
        }
    });
    // One that redirects, one that allows everything in a language of its own, and one that never says anything.
    for _ in 0..3 {
        let said = job(&stage, &url, TOKEN);
        assert_eq!(said.code, 0, "{}", said.err);
        assert!(said.err.contains("this job's own rules hold"), "{}", said.err);
    }
}

/// Two connections a job: it asks, and it tells.
fn garbage(n: usize, mut stream: TcpStream) {
    let answer: &[u8] = match n / 2 {
        0 => b"HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
        1 => b"HTTP/1.1 200 OK\r\ncontent-length: 24\r\n\r\n{\"mode\":\"auto\",\"more\":1}",
        _ => {
            // Held until the other side goes.
            spawn(move || stream.read_to_end(&mut Vec::new()));
            return;
        }
    };
    let _request = stream.read(&mut [0; 4096]);
    let _gone = stream.write_all(answer);
}
