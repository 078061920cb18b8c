//! `kill -9` of the real `regreen` in the middle of a healing, with the real package managers.
//!
//! After `regreen resume`, or the next `regreen run`, the lockfile is healed or byte for byte as before, the cache is
//! sound or as before, nothing of Regreen's is left lying about, the audit chain verifies, the wrapped command was not
//! repeated and its orphans are gone.
//!
//! `REGREEN_CRASH_COUNT` is how many healings are killed (20; `cargo xtask soak kill` asks for more), and
//! `REGREEN_CRASH_SEED` chooses the moments.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]
#![allow(clippy::print_stderr, reason = "the seed and the counts are for the person who runs it")]

mod support;

use std::{
    fs,
    process::Child,
    thread::sleep,
    time::{Duration, Instant},
};

use regreen_lab::{
    PackageManager,
    damage::{CacheDamage, LockfileDamage},
};
use support::{
    aftermath,
    dice::{Dice, number},
    processes,
    stage::{Break, Stage, said, start_into},
    tree,
};

const SEED: u64 = 20_251_124;
/// No healing of these takes a fiftieth of it; on a machine that ten others keep busy, a fifth.
const PATIENCE: Duration = Duration::from_secs(300);
/// Variable by which every process of one trial is found, whatever Regreen calls its run.
const TRIAL: &str = "TEST_TRIAL";

#[test]
fn a_killed_repair_of_a_cargo_lockfile_ends_healed_or_as_before() {
    kill_healings(PackageManager::Cargo, Break::Lockfile(LockfileDamage::Truncated), 30);
}

#[test]
fn a_killed_correction_of_a_checksum_ends_healed_or_as_before() {
    kill_healings(PackageManager::Cargo, Break::Lockfile(LockfileDamage::WrongChecksum), 20);
}

#[test]
fn a_killed_repair_of_an_npm_lockfile_ends_healed_or_as_before() {
    kill_healings(PackageManager::Npm, Break::Lockfile(LockfileDamage::Truncated), 15);
}

#[test]
fn a_killed_repair_of_a_cargo_cache_ends_sound_or_as_before() {
    kill_healings(PackageManager::Cargo, Break::Cache(CacheDamage::Truncated), 20);
}

#[test]
fn a_killed_repair_of_an_npm_cache_ends_sound_or_as_before() {
    kill_healings(PackageManager::Npm, Break::Cache(CacheDamage::FolderIsFile), 15);
}

/// A moment of a healing.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// So long after the command was started.
    SinceStart(Duration),
    /// So long after this was first seen.
    Since(Sign, Duration),
}

/// A state that a healing passes through, as it shows from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// The state folder: the command has failed, Regreen has begun to look.
    StateFolder,
    /// The marker of an open recovery.
    OpenMarker,
    /// A copy of a file that is about to be replaced.
    Copy,
    /// A folder for what is taken out of a cache.
    Quarantine,
    /// The command runs for the second time.
    Rerun,
    /// The patch is written: everything is verified, and the record is being closed.
    Patch,
    /// The recovery is no longer marked as open.
    Closed,
}

/// Where a trial left the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Healed,
    AsBefore,
}

/// Kills `percent` of the healings that are asked for, and shows every law that one of them broke.
fn kill_healings(manager: PackageManager, what: Break, percent: u64) {
    let seed = number("REGREEN_CRASH_SEED", SEED);
    let count = (number("REGREEN_CRASH_COUNT", 20) * percent).div_ceil(100);
    eprintln!("{manager:?} {what:?}: {count} healings killed with REGREEN_CRASH_SEED={seed}");
    let mut dice = Dice::new(seed ^ percent.rotate_left(32) ^ manager as u64);
    let stage = Stage::broken(manager, what);
    let (whole, healing) = measure(&stage);
    let (mut healed, mut before, mut wrong) = (0, 0, Vec::new());
    for trial in 0..count {
        let moment = choose(&mut dice, what, whole, healing);
        let by_run = trial % 2 == 1;
        match kill_once(&stage, moment, by_run, trial) {
            Ok(End::Healed) => healed += 1,
            Ok(End::AsBefore) => before += 1,
            Err(why) => wrong.push(format!("trial {trial}, {moment:?}, by run: {by_run}: {why}")),
        }
    }
    eprintln!("{manager:?} {what:?}: {healed} healed, {before} as before, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "seed {seed}: {}", wrong.join("\n"));
}

/// How long an undisturbed run takes, and how long of it after the state folder was made.
fn measure(stage: &Stage) -> (Duration, Duration) {
    let mut best = (PATIENCE, PATIENCE);
    for _ in 0..2 {
        stage.reset();
        let begun = Instant::now();
        let mut child = start_into(stage.apart(&mut stage.run_install()), &stage.base().join("said"));
        wait_for(stage, Sign::StateFolder, &mut child);
        let healing = Instant::now();
        let status = child.wait().unwrap();
        let text = fs::read_to_string(stage.base().join("said")).unwrap();
        assert!(status.success(), "an undisturbed healing must work: {text}");
        assert!(calls_install_apart(stage), "what a run calls must be seen: {text}");
        best = best.min((begun.elapsed(), healing.elapsed()));
    }
    best
}

/// Half of the moments lie anywhere in the healing, half right behind a change of state; a few before the healing.
fn choose(dice: &mut Dice, what: Break, whole: Duration, healing: Duration) -> Moment {
    let signs: &[Sign] = match what {
        Break::Lockfile(_) => {
            &[Sign::OpenMarker, Sign::Copy, Sign::Rerun, Sign::Patch, Sign::Patch, Sign::Closed]
        }
        Break::Cache(_) => &[Sign::OpenMarker, Sign::Quarantine, Sign::Quarantine, Sign::Rerun, Sign::Closed],
    };
    match dice.below(10) {
        0 => Moment::SinceStart(dice.within(whole)),
        1..=5 => Moment::Since(Sign::StateFolder, dice.within(healing)),
        _ => Moment::Since(signs[dice.below(signs.len())], dice.within(Duration::from_millis(12))),
    }
}

/// One healing killed and brought to its end; the error says which law was broken.
fn kill_once(stage: &Stage, moment: Moment, by_run: bool, trial: u64) -> Result<End, String> {
    stage.reset();
    let checkout = stage.checkout();
    // A neighbour in this very process has trials of the same numbers.
    let mark = format!("{}-{:?}-{trial}", std::process::id(), std::thread::current().id());
    let mut command = stage.run_install();
    let mut child = start_into(command.env(TRIAL, &mark), &stage.base().join("said"));
    match moment {
        Moment::SinceStart(after) => sleep(after),
        Moment::Since(sign, after) => {
            wait_for(stage, sign, &mut child);
            sleep(after);
        }
    }
    // No error where it has ended by itself: then it must have healed, and is looked at all the same.
    child.kill().unwrap();
    child.wait().unwrap();
    let recorded = stage.state().open_marker().exists();

    let next: &[&str] = if by_run { &["run", "--", "true"] } else { &["resume"] };
    let resumed = said(stage.apart(&mut stage.regreen(next)));
    let orphans = format!("{TRIAL}={mark}");
    let left = if recorded || !by_run { processes::with_entry(&orphans) } else { Vec::new() };
    if resumed.code != 0 {
        return Err(format!("`regreen {}` ended with {}: {}", next.join(" "), resumed.code, resumed.err));
    }
    if recorded && !left.is_empty() {
        return Err(format!("orphans were left: {left:?}; {}", resumed.err));
    }
    // A run that was killed before its first record has nothing that names it; its command ends by itself.
    let left = processes::wait_until_gone(&orphans, PATIENCE);
    if !left.is_empty() {
        return Err(format!("orphans do not end: {left:?}"));
    }
    // What the killed run had started may call it only now; that is not a repetition.
    if calls_install_apart(stage) {
        return Err(format!("`{}` repeated the command", next.join(" ")));
    }
    let mut changed = tree::differences(&checkout, &stage.checkout());
    let lockfile = stage.project.lockfile();
    changed.retain(|name| stage.project.root().join(name) != lockfile);
    if !changed.is_empty() {
        return Err(format!("other files changed: {changed:?}"));
    }
    aftermath::nothing_left(stage)?;
    aftermath::audit_verifies(&stage.state())?;
    end_of_lockfile(stage)?;
    let end = match stage.cache_hit() {
        Some(_) => end_of_cache(stage)?,
        None => end_of_lockfile(stage)?,
    };
    Ok(end)
}

fn calls_install_apart(stage: &Stage) -> bool {
    let install = stage.project.install_argv()[1..].join(" ");
    stage.calls_apart().lines().any(|call| call == install)
}

fn wait_for(stage: &Stage, sign: Sign, child: &mut Child) {
    let until = Instant::now() + PATIENCE;
    let state = stage.state();
    let mut was_open = false;
    let mut shows = || match sign {
        Sign::StateFolder => state.folder().exists(),
        Sign::OpenMarker => state.open_marker().exists(),
        Sign::Copy => state.folder().join("before").exists(),
        Sign::Quarantine => !tree::named(&stage.project.cache(), |n| n == ".regreen-quarantine").is_empty(),
        Sign::Rerun => stage.installs() > 1,
        Sign::Patch => state.folder().join("patches").exists(),
        Sign::Closed => {
            let open = state.open_marker().exists();
            was_open |= open;
            was_open && !open
        }
    };
    while !shows() && child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < until, "the run neither ended nor showed {sign:?}");
        sleep(Duration::from_micros(100));
    }
}

fn end_of_lockfile(stage: &Stage) -> Result<End, String> {
    match fs::read(stage.project.lockfile()) {
        Ok(bytes) if bytes == stage.good => Ok(End::Healed),
        Ok(bytes) if bytes == stage.set => Ok(End::AsBefore),
        Ok(bytes) => Err(format!("the lockfile is neither: {}", String::from_utf8_lossy(&bytes))),
        Err(e) => Err(format!("the lockfile: {e}")),
    }
}

/// What was damaged stands there as before, or something sound that the package manager installs from.
fn end_of_cache(stage: &Stage) -> Result<End, String> {
    let (hit, kept) = (stage.cache_hit().unwrap(), stage.kept_cache_hit().unwrap());
    let as_before = fs::read(hit).is_ok_and(|now| now == fs::read(&kept).unwrap());
    if as_before {
        return Ok(End::AsBefore);
    }
    if !hit.exists() {
        return Err(format!("{} is neither there nor healed", hit.display()));
    }
    let installed = stage.plain_install();
    match installed.code {
        0 => Ok(End::Healed),
        code => Err(format!(
            "the cache is neither as before nor sound: install ended with {code}: {}",
            installed.err
        )),
    }
}
