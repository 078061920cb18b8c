//! Jobs that run out of room or memory, for real: a file system that is full, a heap that is too small, a control group
//! with too little memory. Where this machine can't do that to a job, a test says that it was skipped.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]
#![allow(clippy::print_stderr, reason = "a test that can't run here says so")]

mod support;

use std::{fs, path::Path, process::Command};

use regreen_lab::PackageManager;
use support::{
    aftermath, mounts,
    stage::{Said, Stage, said},
};

/// A file system of 12 MiB at `$1`, filled to its last byte by the file `$2` below it.
const FULL: &str = "mount -t tmpfs -o size=12m none \"$1\"\nmkdir -p \"$1/tmp\" \"$(dirname \"$1/$2\")\"\n\
                    dd if=/dev/zero of=\"$1/$2\" bs=64k 2>/dev/null || true\n";

/// A cargo project whose CARGO_HOME and TMPDIR will be on a file system of their own.
fn on_a_small_disk() -> Stage {
    let mut stage = Stage::new(PackageManager::Cargo);
    let disk = stage.base().join("disk");
    fs::create_dir_all(&disk).unwrap();
    stage.env("CARGO_HOME", disk.join("cargo"));
    stage.env("TMPDIR", disk.join("tmp"));
    stage
}

/// The install command, with `leftover` taking up all the room of that file system.
fn filled(stage: &Stage, leftover: &str) -> Option<Said> {
    let disk = stage.base().join("disk");
    let mut command = mounts::within(&stage.run_install(), FULL, &[&disk, Path::new(leftover)])?;
    Some(said(&mut command))
}

#[track_caller]
fn healed(stage: &Stage, run: &Said) {
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(stage.installs(), 2, "{}", run.err);
    assert!(run.own_lines().contains("resource-exhausted"), "{}", run.err);
    aftermath::nothing_of_regreen(&stage.project.root()).unwrap();
}

#[test]
fn what_a_dead_run_left_behind_makes_room() {
    let stage = on_a_small_disk();
    let Some(run) = filled(&stage, "tmp/pip-unpack-a1b2c3d4/wheel") else {
        eprintln!("skipped: no mount namespace here");
        return;
    };
    healed(&stage, &run);
    assert!(run.own_lines().contains("of room (temporary files"), "{}", run.err);
    assert!(run.own_lines().contains("(temporary files of pip), which can't be put back"), "{}", run.err);
}

#[test]
fn what_cargo_unpacks_again_makes_room() {
    let stage = on_a_small_disk();
    let Some(run) = filled(&stage, "cargo/registry/src/index.example-1a2b/big-1.0.0/blob") else {
        eprintln!("skipped: no mount namespace here");
        return;
    };
    healed(&stage, &run);
    assert!(run.own_lines().contains("sources that cargo has unpacked"), "{}", run.err);
}

#[test]
fn a_bundle_goes_on_once_there_is_room() {
    let mut stage = Stage::new(PackageManager::Bundler);
    let disk = stage.base().join("disk");
    fs::create_dir_all(&disk).unwrap();
    for (variable, folder) in [("BUNDLE_PATH", "bundle"), ("BUNDLE_USER_HOME", "bundler"), ("TMPDIR", "tmp")]
    {
        stage.env(variable, disk.join(folder));
    }
    let Some(run) = filled(&stage, "tmp/pip-unpack-a1b2c3d4/wheel") else {
        eprintln!("skipped: no mount namespace here");
        return;
    };
    healed(&stage, &run);
}

#[test]
fn what_nobody_knows_stays_and_so_does_everything_on_a_laptop() {
    let mut stage = on_a_small_disk();
    let Some(run) = filled(&stage, "tmp/my-work/thesis") else {
        eprintln!("skipped: no mount namespace here");
        return;
    };
    assert_ne!(run.code, 0, "{}", run.err);
    assert_eq!(stage.installs(), 1, "{}", run.err);
    assert!(run.own_lines().contains("nothing lies there that is known to fill itself again"), "{}", run.err);
    stage.keep();
    stage.reset();
    stage.env("CI", "false");
    let run = filled(&stage, "tmp/pip-unpack-a1b2c3d4/wheel").unwrap();
    assert_ne!(run.code, 0, "{}", run.err);
    assert_eq!(stage.installs(), 1, "{}", run.err);
    assert!(run.own_lines().contains("not-disposable"), "{}", run.err);
}

/// A program that needs about 150 MB of heap.
const GROWS: &str = "const kept = [];
for (let i = 0; i < 1_500_000; i++) kept.push({ i, text: `number ${i}` });
console.log(kept.length);
";

#[test]
fn a_heap_that_is_too_small_is_raised_within_what_the_machine_has() {
    let mut stage = Stage::new(PackageManager::Npm);
    let root = stage.project.root();
    fs::write(root.join("build.js"), GROWS).unwrap();
    assert!(stage.program("npm").arg("ci").output().unwrap().status.success());
    stage.project.commit("build").unwrap();
    stage.env("NODE_OPTIONS", "--no-warnings --max-old-space-size=64");
    let run = said(&mut stage.regreen(&["run", "--", "npm", "run", "build"]));
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.own_lines().contains("raised the heap from about 64.0 MiB"), "{}", run.err);
    assert!(String::from_utf8_lossy(&run.out).contains("1500000"), "{}", run.err);
    // What the project's own tests say is theirs, whatever they print of memory.
    let again = said(&mut stage.regreen(&["run", "--", "npm", "test"]));
    assert_eq!(again.code, 0, "{}", again.err);
}

/// A build script that needs 300 MB for a while.
const HUNGRY: &str = "fn main() {
    let held = vec![7u8; 300 << 20];
    std::thread::sleep(std::time::Duration::from_millis(1500));
    println!(\"cargo:warning=held {}\", held.iter().map(|b| u64::from(*b)).sum::<u64>());
}
";

/// A control group of version 1 with 450 MB, removed at the end.
struct Group(std::path::PathBuf);

impl Group {
    fn make() -> Option<Group> {
        let path = Path::new("/sys/fs/cgroup/memory").join(format!("regreen-test-{}", std::process::id()));
        fs::create_dir(&path).ok()?;
        let group = Group(path);
        fs::write(group.0.join("memory.limit_in_bytes"), "471859200").ok()?;
        Some(group)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _left = fs::remove_dir(&self.0);
    }
}

#[test]
fn what_does_not_fit_into_memory_together_runs_one_after_the_other() {
    if std::thread::available_parallelism().is_ok_and(|n| n.get() < 2) {
        eprintln!("skipped: with one processor nothing runs at once");
        return;
    }
    let Some(group) = Group::make() else {
        eprintln!("skipped: no control group of version 1 can be made here");
        return;
    };
    let stage = Stage::new(PackageManager::Cargo);
    let root = stage.base().join("heavy");
    for name in ["one", "two"] {
        let member = root.join(name);
        fs::create_dir_all(member.join("src")).unwrap();
        let manifest = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
        fs::write(member.join("Cargo.toml"), manifest).unwrap();
        fs::write(member.join("build.rs"), HUNGRY).unwrap();
        fs::write(member.join("src/lib.rs"), "").unwrap();
    }
    let workspace = "[workspace]\nresolver = \"2\"\nmembers = [\"one\", \"two\"]\n";
    fs::write(root.join("Cargo.toml"), workspace).unwrap();
    let inner = stage.regreen(&["run", "--", "cargo", "build"]);
    let mut command: Command = stage.program("sh");
    let script = "echo $$ > \"$1/cgroup.procs\"; shift; exec \"$@\"";
    command.args(["-c", script, "sh"]).arg(&group.0).arg(inner.get_program()).args(inner.get_args());
    let run = said(command.current_dir(&root).env("CARGO_BUILD_JOBS", "2"));
    assert_eq!(run.code, 0, "{}", run.err);
    let own = run.own_lines();
    assert!(own.contains("the kernel killed") && own.contains("1 at once in place of 2"), "{}", run.err);
}
