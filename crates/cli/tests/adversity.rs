//! Regreen where nothing is as it should be: no room, no rights, no HOME, no git, no folder to be in, a ledger that is
//! locked or garbage, a configuration that is wrong. Its own trouble is said clearly and never becomes the job's: the command's own exit
//! code stands, the command ran once, the checkout is untouched.
//!
//! Every test breaks a cargo lockfile first, so that there is something to heal and Regreen has to try.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]
#![allow(clippy::print_stderr, reason = "a test that can't run here says so")]

mod support;

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::{PermissionsExt, chown, symlink},
    path::Path,
    process::{Command, Stdio},
};

use regreen_lab::{PackageManager, damage::LockfileDamage};
use support::{
    aftermath, mounts,
    stage::{self, Break, Said, Stage, said},
    tree::{self, Tree},
};

/// What cargo ends with when it can't read its lockfile.
const CARGO_FAILED: i32 = 101;

/// Makes the folder `$1` read-only, also for root.
const READ_ONLY: &str = "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\"";

fn broken() -> Stage {
    Stage::broken(PackageManager::Cargo, Break::Lockfile(LockfileDamage::Truncated))
}

/// The command's own verdict, one run of it, an untouched checkout, and a sentence that holds `word`.
#[track_caller]
fn left_alone(stage: &Stage, before: &Tree, run: &Said, word: &str) {
    assert_eq!(run.code, CARGO_FAILED, "{}", run.err);
    assert_eq!(stage.installs(), 1, "{}", run.err);
    assert_eq!(tree::differences(before, &stage.checkout()), [""; 0], "{}", run.err);
    assert!(run.own_lines().contains(word), "`{word}` is not said: {}", run.err);
    assert!(!run.err.contains("panicked"), "{}", run.err);
}

#[track_caller]
fn healed(stage: &Stage, run: &Said) {
    assert_eq!(run.code, 0, "{}", run.err);
    // The broken one, the one from the repaired lockfile, and the one that must give the same again.
    assert_eq!(stage.installs(), 3, "{}", run.err);
    assert_eq!(fs::read(stage.project.lockfile()).unwrap(), stage.good, "{}", run.err);
    assert!(run.own_lines().contains("healed"), "{}", run.err);
}

#[test]
fn a_sound_stage_heals() {
    // Without this, every other test here could pass because nothing ever heals.
    let stage = broken();
    healed(&stage, &said(&mut stage.run_install()));
}

#[test]
fn without_room_for_the_state_the_command_keeps_its_verdict() {
    let stage = broken();
    let (mut refused, mut stood_still, mut worked) = (0, 0, 0);
    // From no room for a ledger, through every way to run out in the middle, to enough.
    for kib in [4, 96, 160, 184, 200, 220, 240, 260, 280, 320, 4096] {
        stage.reset();
        let before = stage.checkout();
        fs::create_dir_all(stage.state_home()).unwrap();
        let mount = format!("mount -t tmpfs -o size={kib}k,mode=0700 none \"$1\"");
        // Once there is room again, what stands still is brought to its end.
        let then = "\"$@\"; code=$?; cp Cargo.lock \"$1.lock\"; \
                    mount -o remount,size=8m \"$XDG_STATE_HOME\"; \"$1\" resume; echo \"resume: $?\"; exit $code";
        let then = then.replace("$1.lock", &stage.base().join("lock").display().to_string());
        let inner = stage.run_install();
        let mut behind = stage.program("sh");
        behind.args(["-c", &then, "sh"]).arg(inner.get_program()).args(inner.get_args());
        let Some(mut command) = mounts::within(&behind, &mount, &[&stage.state_home()]) else {
            eprintln!("skipped: no mount namespace here");
            return;
        };
        let run = said(&mut command);
        let at_the_end = fs::read(stage.base().join("lock")).unwrap();
        if run.code == 0 {
            assert!(at_the_end == stage.good, "{kib} KiB: {}", run.err);
            healed(&stage, &run);
            worked += 1;
        } else {
            assert_eq!(run.code, CARGO_FAILED, "{kib} KiB: {}", run.err);
            assert!(run.own_lines().contains("regreen: error:"), "{kib} KiB: {}", run.err);
            assert!(run.err.contains("full"), "{kib} KiB: {}", run.err);
            if at_the_end == stage.set {
                refused += 1;
            } else {
                // The journal refused between the repair and its proof: it stands still, and says so.
                assert!(run.err.contains("regreen resume"), "{kib} KiB: {}", run.err);
                stood_still += 1;
            }
            // Healed only where everything had been verified but the record.
            let now = fs::read(stage.project.lockfile()).unwrap();
            assert!(now == stage.set || now == stage.good, "{kib} KiB: {}", run.err);
            let other: Vec<String> = tree::differences(&before, &stage.checkout());
            assert!(other.iter().all(|name| name == "Cargo.lock"), "{kib} KiB: {other:?}");
        }
        assert!(String::from_utf8_lossy(&run.out).contains("resume: 0"), "{kib} KiB: {}", run.err);
        aftermath::nothing_of_regreen(&stage.project.root()).unwrap();
    }
    eprintln!("{refused} refused, {stood_still} stood still until there was room, {worked} healed");
    assert!(
        refused > 0 && worked > 0,
        "{refused} refused, {worked} worked: the sizes no longer meet the limit"
    );
}

#[test]
fn without_room_for_the_lockfile_it_stays_as_it_is() {
    let stage = broken();
    let before = stage.checkout();
    let copy = stage.base().join("copy");
    // The checkout on a disk of its own, with its last free byte used up.
    let mount = "mkdir \"$2\" && cp -a \"$1/.\" \"$2\"\n\
                 mount -t tmpfs -o size=2m none \"$1\" && cp -a \"$2/.\" \"$1\"\n\
                 dd if=/dev/zero of=\"$1/.git/filler\" bs=1k 2>/dev/null || true";
    // The disk is gone when the command ends, so what is on it is carried out first.
    let carry_out = "\"$@\"; code=$?; cp Cargo.lock \"$COPY/Cargo.lock\"; ls -A >\"$COPY.names\"; exit $code";
    let inner = stage.run_install();
    let mut behind = stage.program("sh");
    behind.args(["-c", carry_out, "sh"]).arg(inner.get_program()).args(inner.get_args()).env("COPY", &copy);
    let Some(mut command) = mounts::within(&behind, mount, &[&stage.project.root(), &copy]) else {
        eprintln!("skipped: no mount namespace here");
        return;
    };
    let run = said(&mut command);
    left_alone(&stage, &before, &run, "No space left");
    assert_eq!(fs::read(copy.join("Cargo.lock")).unwrap(), stage.set, "{}", run.err);
    let names = fs::read_to_string(stage.base().join("copy.names")).unwrap();
    assert!(!names.contains(".regreen-"), "{names}");
}

#[test]
fn a_read_only_checkout_is_left_as_it_is() {
    let stage = broken();
    let before = stage.checkout();
    let Some(mut command) = mounts::within(&stage.run_install(), READ_ONLY, &[&stage.project.root()]) else {
        eprintln!("skipped: no mount namespace here");
        return;
    };
    let run = said(&mut command);
    left_alone(&stage, &before, &run, "Read-only file system");
    aftermath::nothing_left(&stage).unwrap();
    aftermath::audit_verifies(&stage.state()).unwrap();
}

#[test]
fn a_read_only_state_folder_leaves_the_command_its_verdict() {
    let stage = broken();
    let before = stage.checkout();
    fs::create_dir_all(stage.state_home()).unwrap();
    let Some(mut command) = mounts::within(&stage.run_install(), READ_ONLY, &[&stage.state_home()]) else {
        eprintln!("skipped: no mount namespace here");
        return;
    };
    left_alone(&stage, &before, &said(&mut command), "Read-only file system");
}

#[test]
fn without_a_home_it_heals_and_says_that_it_will_forget() {
    let stage = broken();
    let mut command = stage.run_install();
    command.env_remove("HOME").env_remove("XDG_STATE_HOME");
    let run = said(&mut command);
    healed(&stage, &run);
    assert!(run.own_lines().contains("there is no HOME"), "{}", run.err);
    let state = tree::named(&stage.tmp(), |name| name.starts_with("regreen-"));
    let mode = fs::metadata(&state[0]).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o700);
}

#[test]
fn without_a_home_and_a_temporary_folder_the_command_keeps_its_verdict() {
    let stage = broken();
    let before = stage.checkout();
    let mut bare = stage.run_install();
    bare.env_remove("HOME").env_remove("XDG_STATE_HOME");
    let Some(mut command) = mounts::within(&bare, READ_ONLY, &[&stage.tmp()]) else {
        eprintln!("skipped: no mount namespace here");
        return;
    };
    left_alone(&stage, &before, &said(&mut command), "Read-only file system");
}

#[test]
fn a_read_only_temporary_folder_is_not_needed() {
    let stage = broken();
    let Some(mut command) = mounts::within(&stage.run_install(), READ_ONLY, &[&stage.tmp()]) else {
        eprintln!("skipped: no mount namespace here");
        return;
    };
    healed(&stage, &said(&mut command));
}

#[test]
fn in_a_folder_that_is_gone_the_command_is_run_and_keeps_its_verdict() {
    let stage = broken();
    let gone = stage.base().join("gone");
    for (script, code) in [("echo ran", 0), ("echo ran; exit 3", 3)] {
        fs::create_dir(&gone).unwrap();
        let run = format!("rmdir \"$1\"; exec '{}' run -- sh -c '{script}'", stage::REGREEN);
        let run = said(stage.program("sh").args(["-c", &run, "sh"]).arg(&gone).current_dir(&gone));
        assert_eq!((run.code, run.out.as_slice()), (code, &b"ran\n"[..]), "{}", run.err);
        assert_eq!(run.err.contains("the current folder can't be used"), code != 0, "{}", run.err);
    }
}

#[test]
fn a_report_that_can_not_be_written_is_said_and_changes_no_verdict() {
    let stage = broken();
    let report = stage.base().join("no/such/folder/report.json").display().to_string();
    let mut command = stage.regreen(&["run", "--report", &report, "--"]);
    let run = said(command.args(stage.project.install_argv()));
    healed(&stage, &run);
    assert!(run.own_lines().contains("regreen: error:") && run.err.contains("report.json"), "{}", run.err);
}

#[test]
fn without_git_on_the_path_nothing_is_trusted_and_nothing_changes() {
    let stage = broken();
    let before = stage.checkout();
    // Every tool that is on the path, but git.
    let bin = stage.base().join("no-git");
    fs::create_dir(&bin).unwrap();
    for folder in std::env::split_paths(&std::env::var_os("PATH").unwrap()) {
        for tool in fs::read_dir(folder).into_iter().flatten().flatten() {
            if !tool.file_name().to_string_lossy().starts_with("git") {
                // The first folder of the path wins, as in a search.
                let _there_already = symlink(tool.path(), bin.join(tool.file_name()));
            }
        }
    }
    let path = std::env::join_paths([stage.base().join("bin"), bin]).unwrap();
    let run = said(stage.run_install().env("PATH", path));
    left_alone(&stage, &before, &run, "no good version of Cargo.lock");
}

#[test]
fn outside_a_repository_nothing_is_trusted_and_nothing_changes() {
    let stage = broken();
    tree::remove(&stage.project.root().join(".git"));
    let before = stage.checkout();
    left_alone(&stage, &before, &said(&mut stage.run_install()), "no good version of Cargo.lock");
}

#[test]
fn a_ledger_locked_by_another_process_is_not_waited_for_for_ever() {
    let stage = broken();
    assert_eq!(said(&mut stage.run_install()).code, 0, "makes a ledger");
    let ledger = stage.state().ledger();
    let kept = stage.base().join("ledgers");
    tree::copy(stage.state().folder(), &kept);
    stage.reset();
    fs::create_dir_all(stage.state().folder().parent().unwrap()).unwrap();
    tree::copy(&kept, stage.state().folder());
    make_private(stage.state().folder());
    let before = stage.checkout();
    let script = "import sqlite3, sys\n\
                  db = sqlite3.connect(sys.argv[1], isolation_level=None)\n\
                  db.execute('BEGIN EXCLUSIVE')\n\
                  print('locked', flush=True)\n\
                  sys.stdin.read()\n";
    let mut holder = Command::new("python3");
    holder.args(["-c", script]).arg(&ledger).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut holder = holder.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "locked\n");
    let run = said(&mut stage.run_install());
    drop(holder.stdin.take());
    holder.wait().unwrap();
    left_alone(&stage, &before, &run, "locked");
}

#[test]
fn a_ledger_of_garbage_is_named_and_kept() {
    for (name, bytes) in [
        ("short", b"garbage".to_vec()),
        ("long", b"garbage ".repeat(4096)),
        ("a head and then garbage", [&b"SQLite format 3\0"[..], &b"garbage ".repeat(4096)].concat()),
    ] {
        let stage = broken();
        let before = stage.checkout();
        fs::create_dir_all(stage.state().folder()).unwrap();
        make_private(stage.state().folder());
        fs::write(stage.state().ledger(), &bytes).unwrap();
        let run = said(&mut stage.run_install());
        left_alone(&stage, &before, &run, "ledger");
        assert_eq!(fs::read(stage.state().ledger()).unwrap(), bytes, "{name}: it is evidence, not rubbish");
    }
}

#[test]
fn a_state_folder_that_others_could_have_prepared_is_refused() {
    let stage = broken();
    let before = stage.checkout();
    let root = stage.state_home().join("regreen");
    fs::create_dir_all(&root).unwrap();
    fs::set_permissions(&root, fs::Permissions::from_mode(0o777)).unwrap();
    left_alone(&stage, &before, &said(&mut stage.run_install()), "others may write");
    stage.reset();
    fs::create_dir_all(&root).unwrap();
    make_private(&root);
    if chown(&root, Some(65534), Some(65534)).is_err() {
        eprintln!("skipped: only root can give a folder away");
        return;
    }
    left_alone(&stage, &before, &said(&mut stage.run_install()), "another user");
}

#[test]
fn a_wrong_operator_configuration_is_named_by_file_line_and_column() {
    for (text, place) in [
        ("# mine\nmode = \"turbo\"\n", ":2:8"),
        ("confidence-threshold = 0.1\n", ":1:24"),
        ("\n\nno-such-key = 1\n", ":3:1"),
        ("[[mirror]]\ntool = \"npm\"\nurl = \"https://me@host/\"\n", ":3:7"),
        ("mode = \n", ":1:8"),
    ] {
        let stage = broken();
        let before = stage.checkout();
        let config = stage.base().join("operator.toml");
        fs::write(&config, text).unwrap();
        let run = said(stage.run_install().env("REGREEN_CONFIG", &config));
        left_alone(&stage, &before, &run, &format!("operator.toml{place}"));
    }
}

#[test]
fn an_operator_configuration_that_can_not_be_used_is_named() {
    let stage = broken();
    let before = stage.checkout();
    let inside = stage.project.root().join("operator.toml");
    for (config, word) in [
        (stage.base().join("not-there.toml"), "not-there.toml: No such file"),
        (stage.base().to_owned(), "Is a directory"),
        (inside.clone(), "lies inside the checkout"),
    ] {
        stage.reset();
        fs::write(&inside, "confidence-threshold = 0.5\n").unwrap();
        let with_it = stage.checkout();
        let run = said(stage.run_install().env("REGREEN_CONFIG", &config));
        left_alone(&stage, &with_it, &run, word);
    }
    fs::remove_file(inside).unwrap();
    assert_eq!(tree::differences(&before, &stage.checkout()), [""; 0]);
}

#[test]
fn a_wrong_variable_is_named() {
    let stage = broken();
    for (name, value) in [
        ("CONFIDENCE_THRESHOLD", "2"),
        ("MAX_RECOVERY_ATTEMPTS", "-1"),
        ("RECOVERY_TIMEOUT", "soon"),
        ("CIRCUIT_BREAKER_THRESHOLD", "0"),
        ("REGREEN_MODE", "turbo"),
    ] {
        stage.reset();
        let before = stage.checkout();
        left_alone(&stage, &before, &said(stage.run_install().env(name, value)), name);
    }
}

#[test]
fn a_wrong_configuration_in_the_repository_is_named_and_stops_healing() {
    let stage = Stage::new(PackageManager::Cargo);
    let folder = stage.project.root().join(".regreen");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("config.toml"), "# ours\nmode = turbo\n").unwrap();
    stage.project.commit("configuration").unwrap();
    LockfileDamage::Truncated.apply(&stage.project).unwrap();
    let before = stage.checkout();
    left_alone(&stage, &before, &said(&mut stage.run_install()), ":2:8");
}

fn make_private(folder: &Path) {
    for folder in [folder, folder.parent().unwrap()] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
    }
}
