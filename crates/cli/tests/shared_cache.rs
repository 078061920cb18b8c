//! Eight jobs of one machine over one damaged package cache, two of them killed with `kill -9`: the cache ends sound,
//! and the other six are green.
//!
//! `REGREEN_CRASH_SEED` chooses whom to kill and when; `REGREEN_PARALLEL_COUNT` is how often it is done for each
//! package manager (1).

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]
#![allow(clippy::print_stderr, reason = "the seed and the counts are for the person who runs it")]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command},
    thread::sleep,
    time::{Duration, Instant},
};

use regreen_lab::{PackageManager, damage::CacheDamage};
use support::{
    aftermath,
    dice::{Dice, number},
    processes, record,
    stage::{Break, Stage, said, shell_code, start_into},
    tree,
};

const SEED: u64 = 20_251_124;
const JOBS: usize = 8;
const KILLED: usize = 2;
const PATIENCE: Duration = Duration::from_secs(120);
/// Variable by which every process of one round is found.
const ROUND: &str = "TEST_ROUND";

#[test]
fn eight_npm_jobs_over_one_damaged_cache_end_with_a_sound_one() {
    rounds(PackageManager::Npm, CacheDamage::FolderIsFile, Duration::from_secs(3));
}

#[test]
fn eight_cargo_jobs_over_one_damaged_cache_end_with_a_sound_one() {
    rounds(PackageManager::Cargo, CacheDamage::Truncated, Duration::from_millis(300));
}

/// `busy` is how long the eight are certainly at work once the first has failed.
fn rounds(manager: PackageManager, damage: CacheDamage, busy: Duration) {
    let seed = number("REGREEN_CRASH_SEED", SEED);
    let count = number("REGREEN_PARALLEL_COUNT", 1);
    eprintln!("{manager:?}: {count} rounds with REGREEN_CRASH_SEED={seed}");
    let mut dice = Dice::new(seed ^ manager as u64);
    let stage = Stage::broken(manager, Break::Cache(damage));
    let mut wrong = Vec::new();
    for round in 0..count {
        if let Err(why) = one_round(&stage, &mut dice, busy, round) {
            wrong.push(format!("round {round}: {why}"));
        }
    }
    assert!(wrong.is_empty(), "seed {seed}: {}", wrong.join("\n"));
}

/// A checkout of its own with its run.
struct Job {
    root: PathBuf,
    said: PathBuf,
    child: Child,
}

fn one_round(stage: &Stage, dice: &mut Dice, busy: Duration, round: u64) -> Result<(), String> {
    stage.reset();
    // A neighbour in this very process has rounds of the same numbers.
    let mark = format!("{}-{:?}-{round}", std::process::id(), std::thread::current().id());
    let roots: Vec<PathBuf> = (0..JOBS).map(|n| checkout(stage, n)).collect();
    let mut jobs: Vec<Job> = roots.into_iter().map(|root| start(stage, root, &mark)).collect();
    // From the first failure that is looked at.
    while !stage.state_home().exists() && jobs.iter_mut().any(|job| job.child.try_wait().unwrap().is_none()) {
        sleep(Duration::from_millis(1));
    }
    let begun = Instant::now();
    let mut killed = Vec::new();
    let mut moments: Vec<Duration> = (0..KILLED).map(|_| dice.within(busy)).collect();
    moments.sort();
    for moment in moments {
        sleep(moment.saturating_sub(begun.elapsed()));
        // Whoever runs still: killing one that has ended would prove nothing.
        let mut running: Vec<usize> = (0..JOBS).filter(|n| !killed.contains(n)).collect();
        running.retain(|n| jobs[*n].child.try_wait().unwrap().is_none());
        if running.is_empty() {
            return Err("all jobs had ended before two were killed".to_owned());
        }
        let victim = running[dice.below(running.len())];
        jobs[victim].child.kill().unwrap();
        killed.push(victim);
    }
    eprintln!("round {round}: killed {killed:?} within {:?}", begun.elapsed());
    let mut wrong = Vec::new();
    for (n, job) in jobs.iter_mut().enumerate() {
        let code = shell_code(job.child.wait().unwrap());
        if !killed.contains(&n) && code != 0 {
            let text = fs::read_to_string(&job.said).unwrap();
            wrong.push(format!("job {n} ended with {code}:\n{text}"));
        }
        // Only a run that failed at first leaves a report.
        if let Ok(report) = fs::read(job.root.with_file_name("report.json")) {
            record::run("cache-corruption", &[], &serde_json::from_slice(&report).unwrap());
        }
    }
    for n in &killed {
        let resumed = said(at(&mut stage.regreen(&["resume"]), &jobs[*n].root));
        if resumed.code != 0 {
            wrong.push(format!("resume of job {n} ended with {}: {}", resumed.code, resumed.err));
        }
    }
    let left = processes::wait_until_gone(&format!("{ROUND}={mark}"), PATIENCE);
    if !left.is_empty() {
        wrong.push(format!("processes were left: {left:?}"));
    }
    for job in &jobs {
        let state = stage.state_at(&job.root);
        wrong.extend(aftermath::state_is_closed(&state).err());
        wrong.extend(aftermath::audit_verifies(&state).err());
        wrong.extend(aftermath::nothing_of_regreen(&job.root).err());
    }
    wrong.extend(aftermath::nothing_of_regreen(&stage.project.cache()).err());
    // Sound is what the package manager installs from, all by itself.
    let installed = stage.plain_install();
    if installed.code != 0 {
        wrong.push(format!(
            "the cache is not sound: install ended with {}: {}",
            installed.code, installed.err
        ));
    }
    for job in &jobs {
        tree::remove(job.root.parent().unwrap());
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// A copy of the checkout, beside a place for what its run says.
fn checkout(stage: &Stage, n: usize) -> PathBuf {
    let root = stage.base().join(format!("job-{n}/app"));
    fs::create_dir_all(root.parent().unwrap()).unwrap();
    tree::copy(&stage.project.root(), &root);
    root
}

fn start(stage: &Stage, root: PathBuf, mark: &str) -> Job {
    let said = root.with_file_name("said");
    let report = root.with_file_name("report.json");
    let report = report.to_str().unwrap();
    let mut command = stage.regreen(&["run", "--report", report, "--"]);
    command.args(stage.project.install_argv()).env(ROUND, mark);
    let child = start_into(at(&mut command, &root), &said);
    Job { root, said, child }
}

fn at<'a>(command: &'a mut Command, root: &Path) -> &'a mut Command {
    command.current_dir(root)
}
