//! Real `regreen worker` processes that share a ledger, killed with SIGKILL by chance while the host stumbles: each run runs
//! again once, and what the code failed never.

use std::{
    env, fs,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use regreen_lab::forge::{Trouble, What};

use super::{NAME, NETWORK, PATIENCE, Stage};

pub const CODE: &[u8] = b"\
2026-11-29T09:00:01.0000000Z ##[group]Run npm test
2026-11-29T09:00:01.3000000Z ##[endgroup]
2026-11-29T09:00:02.0000000Z FAIL src/cart.test.js
2026-11-29T09:00:02.2000000Z     expect(received).toBe(expected) // Object.is equality
2026-11-29T09:00:02.3000000Z     Expected: 2
2026-11-29T09:00:02.4000000Z     Received: 1
2026-11-29T09:00:02.6000000Z Tests:       1 failed, 3 passed, 4 total
2026-11-29T09:00:02.7000000Z ##[error]Process completed with exit code 1.
";

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().and_then(|text| text.parse().ok())
}

/// Splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

/// A process that is killed at the latest when it is let go.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _killed = self.0.kill();
        let _reaped = self.0.wait();
    }
}

impl Stage {
    fn worker(&self) -> Process {
        let mut command = self.regreen(&["worker", "--lease", "1s", "--at-once", "3"]);
        command.args(["--github-api", &self.host.url()]);
        command
            .arg("--github-token-file")
            .arg(self.path("token"))
            .arg("--config")
            .arg(self.path("config.toml"));
        Process(command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    fn dispatch(&self, run: u64) {
        let out = self.regreen(&["dispatch", NAME, &run.to_string()]).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }

    /// A failed run of a commit of its own, whose next attempt ends well at once.
    fn fail(&self, log: &[u8]) -> u64 {
        let mut world = self.host.world();
        let (id, _) = world.add_failed(NAME, log);
        let runs = &mut world.repositories.get_mut(NAME).unwrap().runs;
        let run = runs.iter_mut().find(|run| run.id == id).unwrap();
        (run.head_sha, run.next) = (format!("{id:040x}"), vec!["success".to_owned()]);
        id
    }

    fn attempt(&self, run: u64) -> u32 {
        self.host.world().repositories[NAME].runs.iter().find(|one| one.id == run).unwrap().attempt
    }
}

/// An empty schema of the server of the tests.
pub fn schema(server: &str, seed: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let name = format!("k{now}_{seed}");
    let made = Command::new("psql").arg(server).args(["-q", "-c", &format!("CREATE SCHEMA {name}")]).status();
    assert!(made.unwrap().success());
    format!("{server}&options=-csearch_path%3D{name}")
}

fn round(seed: u64, lasts: Duration, runs: u64) {
    let mut random = Random(seed);
    let mut stage = Stage::new("auto");
    if let Ok(server) = env::var("REGREEN_TEST_POSTGRES")
        && seed.is_multiple_of(2)
    {
        stage.ledger = schema(&server, seed);
    }
    // Attempts of a commit: a second repetition would be one too many.
    let config = fs::read_to_string(stage.path("config.toml")).unwrap();
    fs::write(stage.path("config.toml"), format!("max-recovery-attempts = 1\n{config}")).unwrap();
    let network: Vec<u64> = (0..runs).map(|_| stage.fail(NETWORK)).collect();
    let code = stage.fail(CODE);
    let mut workers = [stage.worker(), stage.worker()];
    for run in network.iter().chain([&code]) {
        stage.dispatch(*run);
    }
    let begun = Instant::now();
    while begun.elapsed() < lasts {
        sleep(Duration::from_millis(20 + random.below(300)));
        let n = random.below(2) as usize;
        workers[n].0.kill().unwrap();
        workers[n].0.wait().unwrap();
        let what = [What::Status(502), What::DoneBut(502), What::DoneButCut, What::Cut];
        let what = what[random.below(4) as usize].clone();
        let path = ["", "/rerun-failed-jobs"][random.below(2) as usize];
        stage.host.world().troubles.push(Trouble::once("", path, what));
        workers[n] = stage.worker();
    }
    stage.host.world().troubles.clear();
    let begun = Instant::now();
    loop {
        let all = stage.incidents();
        let over = |run: &u64| {
            let of = |one: &&serde_json::Value| one["commit"] == format!("{run:040x}");
            all.iter().filter(of).any(|one| one["state"] == "closed")
        };
        if network.iter().chain([&code]).all(over) {
            break;
        }
        assert!(begun.elapsed() < PATIENCE * 2, "seed {seed}: {all:#?}");
        // Beside hooks, somebody looks now and then.
        for run in network.iter().filter(|run| !over(run)) {
            stage.dispatch(*run);
        }
        sleep(Duration::from_millis(700));
    }
    for run in &network {
        assert_eq!(stage.attempt(*run), 2, "seed {seed}, run {run}: {:#?}", stage.incidents());
    }
    assert_eq!((stage.attempt(code), stage.host.world().count("POST", &format!("/runs/{code}/"))), (1, 0));
    assert!(stage.regreen(&["audit", "verify"]).output().unwrap().status.success());
}

#[test]
fn workers_killed_by_chance_let_each_run_run_again_once() {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos();
    let seed = number("REGREEN_FAULTS_SEED").unwrap_or_else(|| u64::from(clock) | 1);
    eprintln!("REGREEN_FAULTS_SEED={seed}");
    match number("REGREEN_FAULTS_COUNT") {
        Some(count) => (0..count).for_each(|n| round(seed + n, Duration::from_secs(20), 12)),
        None => round(seed, Duration::from_secs(2), 3),
    }
}
