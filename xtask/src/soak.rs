//! `cargo xtask soak [SUITE]`: the laws of `.ci/run` with their full counts, in portions. The seed is printed; a run that
//! was cut off, by Ctrl-C or by its time, is gone on with by the same command.

use std::{
    env,
    ffi::OsString,
    fs,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

use crate::{as_typed, cargo, print, top};

/// Longest that a call may take before it leaves the rest to the next one.
const LONGEST: Duration = Duration::from_secs(43 * 60);

/// A suite: one test target, told by its environment how much to do.
struct Suite {
    name: &'static str,
    /// What one of its count is.
    unit: &'static str,
    count: u64,
    portion: u64,
    /// Which tests, as cargo-nextest takes them.
    tests: &'static [&'static str],
    /// Variables for how many, and for the seed.
    how_many: Option<&'static str>,
    seed: Option<&'static str>,
}

const SUITES: [Suite; 13] = [
    Suite {
        name: "laws",
        unit: "times every playbook × every step × every crash point, with a second crash and every combination of conditions",
        count: 1,
        portion: 1,
        tests: &[
            "--release",
            "--package",
            "regreen-saga",
            "--package",
            "regreen-engine",
            "--test",
            "laws",
            "--test",
            "rehearse",
        ],
        how_many: Some("REGREEN_LAWS_FULL"),
        seed: None,
    },
    Suite {
        name: "kill",
        unit: "healings killed with `kill -9` and brought to their end",
        count: 1000,
        portion: 40,
        tests: &["--package", "regreen-cli", "--test", "crash"],
        how_many: Some("REGREEN_CRASH_COUNT"),
        seed: Some("REGREEN_CRASH_SEED"),
    },
    Suite {
        name: "neighbours",
        unit: "rounds of eight jobs over one damaged cache, two of them killed, for npm and for cargo",
        count: 20,
        portion: 1,
        tests: &["--package", "regreen-cli", "--test", "shared_cache"],
        how_many: Some("REGREEN_PARALLEL_COUNT"),
        seed: Some("REGREEN_CRASH_SEED"),
    },
    Suite {
        name: "outage",
        unit: "repositories that build while a registry is down, beside nodes that die; and as many where none dies, beside naive retries",
        count: 2000,
        portion: 500,
        tests: &["--package", "regreen-server", "--test", "fleet", "--no-capture", "simulated::"],
        how_many: Some("REGREEN_OUTAGE_COUNT"),
        seed: Some("REGREEN_OUTAGE_SEED"),
    },
    Suite {
        name: "load",
        unit: "seconds of 1,000 webhooks each, on SQLite by one node and on PostgreSQL by three, accounted for one by one",
        count: 60,
        portion: 60,
        tests: &["--release", "--package", "regreen-server", "--test", "load", "--no-capture"],
        how_many: Some("REGREEN_LOAD_SECONDS"),
        seed: None,
    },
    Suite {
        name: "api",
        unit: "requests made from the description of the JSON API, for each operation and phase",
        count: 2000,
        portion: 200,
        tests: &["--package", "regreen-server", "--test", "api", "every_answer_is_as_described"],
        how_many: Some("REGREEN_DESCRIBED_COUNT"),
        seed: Some("REGREEN_DESCRIBED_SEED"),
    },
    Suite {
        name: "lockfiles",
        unit: "damaged lockfiles a law",
        count: 20_000,
        portion: 2000,
        tests: &["--package", "regreen-lockfile", "--test", "laws"],
        how_many: Some("PROPTEST_CASES"),
        seed: Some("PROPTEST_RNG_SEED"),
    },
    Suite {
        name: "damaged",
        unit: "damaged lockfiles of each format",
        count: 1000,
        portion: 250,
        tests: &["--release", "--package", "regreen-lockfile", "--test", "damaged"],
        how_many: Some("REGREEN_DAMAGED_COUNT"),
        seed: Some("REGREEN_DAMAGED_SEED"),
    },
    Suite {
        name: "refused",
        unit: "damaged lockfiles for each tool that is installed",
        count: 200,
        portion: 50,
        tests: &["--release", "--package", "regreen-tools", "--test", "refused"],
        how_many: Some("REGREEN_REFUSED_COUNT"),
        seed: Some("REGREEN_REFUSED_SEED"),
    },
    Suite {
        name: "faults",
        unit: "rounds in which nodes, the ledger, the host and the clocks of a fleet fail by chance, on SQLite and PostgreSQL, and \
               50 times as many fights of two nodes for one incident",
        count: 20,
        portion: 1,
        tests: &[
            "--package",
            "regreen-server",
            "--package",
            "regreen-cli",
            "--test",
            "faults",
            "--test",
            "fleet",
            "--profile",
            "soak",
            "--filterset",
            "binary(faults) or test(killed::)",
        ],
        how_many: Some("REGREEN_FAULTS_COUNT"),
        seed: Some("REGREEN_FAULTS_SEED"),
    },
    Suite {
        name: "fuzz",
        unit: "inputs a fuzz target, dear ones their share",
        count: 2_000_000,
        portion: 100_000,
        tests: &["--release", "--package", "regreen-fuzz", "--test", "targets"],
        how_many: Some("REGREEN_FUZZ_COUNT"),
        seed: Some("REGREEN_FUZZ_SEED"),
    },
    Suite {
        name: "scenarios",
        unit: "runs of the whole lab suite, and of what it damages by each tool",
        count: 10,
        portion: 1,
        tests: &[
            "--package",
            "regreen-cli",
            "--package",
            "regreen-lab",
            "--test",
            "scenarios",
            "--test",
            "real_tools",
            "--run-ignored",
            "all",
        ],
        how_many: None,
        seed: None,
    },
    Suite {
        name: "workflow",
        unit: "execution of the workflow that `init github` writes, by wrkflw",
        count: 1,
        portion: 1,
        tests: &[
            "--package",
            "regreen-cli",
            "--test",
            "fleet",
            "--run-ignored",
            "only",
            "--no-capture",
            "executed_by_wrkflw",
        ],
        how_many: None,
        seed: None,
    },
];

/// What is promised of the dashboard, tried once at full size: an example that fails where it does not hold.
struct Trial {
    name: &'static str,
    /// What it shows.
    shows: &'static str,
    example: &'static str,
    args: &'static [&'static str],
}

const TRIALS: [Trial; 2] = [
    Trial {
        name: "pages",
        shows: "the first pages over 100,000 incidents in SQLite, within 100 ms and 60 kB",
        example: "dashboard",
        args: &["100000", "0", "measure"],
    },
    Trial {
        name: "listeners",
        shows: "500 listeners of 50 news a second for a minute, who go away and come back: none lost, none twice",
        example: "listeners",
        args: &["500", "50", "60"],
    },
];

/// How far a suite has come.
#[derive(Debug, Serialize, Deserialize)]
struct Progress {
    commit: String,
    seed: u64,
    done: u64,
    failed: u64,
}

/// Runs `SUITE`, or all of them but `packages`, whose release build takes long.
pub fn soak(args: &[&str]) -> Result<String, String> {
    let (names, options): (Vec<&str>, Vec<&str>) = match args.iter().position(|a| a.starts_with("--")) {
        Some(at) => (args[..at].to_vec(), args[at..].to_vec()),
        None => (args.to_vec(), Vec::new()),
    };
    if names == ["packages"] {
        return packages();
    }
    let known = suites();
    if let Some(name) = names.iter().find(|n| !known.contains(n)) {
        return Err(format!("there is no suite `{name}`; the suites are: {}", known.join(", ")));
    }
    let seed = match options.as_slice() {
        [] => None,
        ["--seed", number] => Some(number.parse::<u64>().map_err(|e| format!("--seed: {e}"))?),
        other => return Err(format!("unknown: {}", other.join(" "))),
    };
    let mut said = String::new();
    for suite in SUITES.iter().filter(|s| names.is_empty() || names.contains(&s.name)) {
        said.push_str(&run(suite, seed)?);
    }
    for trial in TRIALS.iter().filter(|t| names.is_empty() || names.contains(&t.name)) {
        said.push_str(&tried(trial)?);
    }
    Ok(said)
}

/// Builds every package of a release, and installs and runs each as its users would.
fn packages() -> Result<String, String> {
    print(&crate::dist::dist(&[])?);
    let check = as_typed(Command::new(top().join("packaging/check"))).current_dir(top()).status();
    match check.map_err(|e| format!("packaging/check: {e}"))?.success() {
        true => Ok("passed: packages".to_owned()),
        false => Err("packages: see above".to_owned()),
    }
}

/// Runs it, in release.
fn tried(trial: &Trial) -> Result<String, String> {
    let (name, commit) = (trial.name, commit()?);
    print(&format!("soak {name}: {}", trial.shows));
    let status = cargo()
        .args([
            "run",
            "--release",
            "--quiet",
            "--package",
            "regreen-server",
            "--example",
            trial.example,
            "--",
        ])
        .args(trial.args)
        .current_dir(top())
        .status();
    match status.map_err(|e| format!("cargo run: {e}"))?.success() {
        true => Ok(format!("passed: {name} at {commit}: {}\n", trial.shows)),
        false => Err(format!("{name} at {commit}: it does not hold: {}", trial.shows)),
    }
}

/// The names of all.
pub fn suites() -> Vec<&'static str> {
    let trials = TRIALS.iter().map(|trial| trial.name);
    SUITES.iter().map(|s| s.name).chain(trials).chain(["packages"]).collect()
}

fn run(suite: &Suite, seed: Option<u64>) -> Result<String, String> {
    let file = top().join(format!("target/soak/{}.json", suite.name));
    let commit = commit()?;
    let begun: Option<Progress> = fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let unfinished = begun
        .filter(|p| p.commit == commit && p.done < suite.count && seed.is_none_or(|asked| asked == p.seed));
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |d| u64::from(d.subsec_nanos()));
    let mut progress =
        unfinished.unwrap_or(Progress { commit, seed: seed.unwrap_or(clock), done: 0, failed: 0 });
    let (name, count, from) = (suite.name, suite.count, progress.seed);
    print(&format!("soak {name}: {count} {}, seed {from}, {} done", suite.unit, progress.done));
    let server = match suite.name {
        "faults" => Some(Server::start(&[])?),
        "load" => Some(Server::start(&["durable"])?),
        _ => None,
    };
    if suite.name == "workflow" {
        install_wrkflw()?;
    }
    let started = Instant::now();
    while progress.done < count && started.elapsed() < LONGEST {
        let portion = suite.portion.min(count - progress.done);
        let status = cargo()
            .args(["nextest", "run", "--retries", "0", "--no-fail-fast", "--status-level", "fail"])
            .args(suite.tests)
            .envs(suite.how_many.map(|name| (name, portion.to_string())))
            .envs(suite.seed.map(|name| (name, (from + progress.done).to_string())))
            .envs(server.iter().flat_map(Server::environment))
            .env("PATH", path())
            .current_dir(top())
            .status()
            .map_err(|e| format!("cargo nextest: {e}"))?;
        progress.done += portion;
        progress.failed += u64::from(!status.success());
        keep(&file, &progress)?;
        print(&format!("soak {name}: {} of {count}, {} portions failed", progress.done, progress.failed));
    }
    let Progress { commit, seed, done, failed } = progress;
    let row = format!(
        "{} at {commit}, seed {seed}: {done} of {count} {}, {failed} portions failed",
        suite.name, suite.unit
    );
    match (failed, done == count) {
        (0, true) => Ok(format!("passed: {row}\n")),
        (0, false) => Ok(format!("cut off by its time, the same command goes on with it: {row}\n")),
        _ => Err(row),
    }
}

/// A runner of GitHub workflows that needs no Docker. It takes minutes to build, so `scripts/test` leaves it out.
fn install_wrkflw() -> Result<(), String> {
    let root = top().join("target/tools/wrkflw");
    if root.join("bin/wrkflw").exists() {
        return Ok(());
    }
    print("installing wrkflw");
    let status =
        cargo().args(["install", "--quiet", "--locked", "wrkflw@0.8.0", "--root"]).arg(&root).status();
    match status.map_err(|e| format!("cargo install: {e}"))?.success() {
        true => Ok(()),
        false => Err("wrkflw could not be installed".to_owned()),
    }
}

/// A PostgreSQL server of this soak's own, which its tests may kill.
struct Server {
    address: String,
}

/// Where it is remembered.
const SERVER: &str = "target/soak/postgres";

impl Server {
    fn start(how: &[&str]) -> Result<Server, String> {
        drop(Server { address: String::new() });
        let out = Server::script("start", how)?;
        Ok(Server { address: String::from_utf8_lossy(&out).trim().to_owned() })
    }

    fn script(what: &str, how: &[&str]) -> Result<Vec<u8>, String> {
        let script = top().join("scripts/postgres");
        let out = Command::new(script).args([what, SERVER]).args(how).current_dir(top()).output();
        let out = out.map_err(|e| format!("scripts/postgres: {e}"))?;
        match out.status.success() {
            true => Ok(out.stdout),
            false => Err(format!("scripts/postgres {what}: {}", String::from_utf8_lossy(&out.stderr))),
        }
    }

    fn environment(&self) -> [(&'static str, String); 2] {
        let folder = top().join(SERVER).display().to_string();
        [("REGREEN_TEST_POSTGRES", self.address.clone()), ("REGREEN_TEST_POSTGRES_FOLDER", folder)]
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = Server::script("stop", &[]);
    }
}

fn keep(file: &PathBuf, progress: &Progress) -> Result<(), String> {
    let fail = |e: std::io::Error| format!("{}: {e}", file.display());
    fs::create_dir_all(top().join("target/soak")).map_err(fail)?;
    fs::write(file, serde_json::to_vec(progress).map_err(|e| e.to_string())?).map_err(fail)
}

/// The search path, with the tools that `scripts/test` has installed before those of the machine.
fn path() -> OsString {
    let ours = fs::read_dir(top().join("target/tools")).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> =
        ours.map(|tool| tool.path().join("bin")).filter(|bin| bin.is_dir()).collect();
    folders.sort();
    // Where it puts what cargo has built, such as cargo-nextest.
    folders.push(top().join("target/tools/bin"));
    let before = env::var_os("PATH").unwrap_or_default();
    folders.extend(env::split_paths(&before));
    env::join_paths(folders).unwrap_or(before)
}

fn commit() -> Result<String, String> {
    let git = Command::new("git").args(["rev-parse", "--short=10", "HEAD"]).current_dir(top()).output();
    let out = git.map_err(|e| format!("git: {e}"))?;
    Ok(String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::{env, path, top};

    #[test]
    fn what_the_tests_have_installed_by_cargo_is_found() {
        assert!(env::split_paths(&path()).any(|folder| folder == top().join("target/tools/bin")));
    }
}
