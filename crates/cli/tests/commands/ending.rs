//! Somebody asks for an end while Regreen itself is at work: whatever it runs is ended with it, and what it had begun is
//! taken back at once, or left to `regreen resume` where they ask twice.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command},
    thread::sleep,
    time::{Duration, Instant},
};

use regreen_lab::{PackageManager, damage::LockfileDamage};

use crate::{
    said::{ids, tell},
    support::{
        aftermath, processes,
        stage::{Break, Stage, shell_code, start_into},
    },
};

/// No step of these takes a tenth of it.
const PATIENCE: Duration = Duration::from_secs(60);

fn stage() -> Stage {
    Stage::broken(PackageManager::Cargo, Break::Lockfile(LockfileDamage::Truncated))
}

/// Regreen at work, with a mark on every process that comes of it.
struct Working<'s> {
    stage: &'s Stage,
    child: Child,
    mark: String,
}

impl<'s> Working<'s> {
    fn start(stage: &'s Stage, command: &mut Command) -> Working<'s> {
        let mark = format!("TEST_TRIAL={}", stage.base().display());
        let child = start_into(command.env("TEST_TRIAL", stage.base()), &stage.base().join("said"));
        Working { stage, child, mark }
    }

    fn said(&self) -> String {
        fs::read_to_string(self.stage.base().join("said")).unwrap()
    }

    fn wait_for(&mut self, file: &Path) {
        let until = Instant::now() + PATIENCE;
        while !file.exists() {
            let ended = self.child.try_wait().unwrap();
            assert!(Instant::now() < until && ended.is_none(), "{ended:?}: {}", self.said());
            sleep(Duration::from_millis(10));
        }
    }

    fn ask(&self, signal: &str) {
        let asked = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(asked.success());
    }

    /// It ends with this code, and nothing that it ran lives on.
    fn ends_with(&mut self, code: i32) {
        let until = Instant::now() + PATIENCE;
        let ended = loop {
            if let Some(ended) = self.child.try_wait().unwrap() {
                break shell_code(ended);
            }
            assert!(Instant::now() < until, "it does not end: {}", self.said());
            sleep(Duration::from_millis(10));
        };
        assert_eq!(ended, code, "{}", self.said());
        let left = processes::with_entry(&self.mark);
        assert!(left.is_empty(), "{left:?}: {}", self.said());
    }
}

/// An operator whose playbook runs `argv` before it repairs the lockfile, with `undo` to take that back.
fn operator<'s>(stage: &'s Stage, argv: &str, undo: &str) -> Working<'s> {
    let folder = stage.base().join("playbooks");
    fs::create_dir_all(&folder).unwrap();
    let playbook = format!(
        r#"id = "slow"
title = "Takes its time"
since = "1"
status = "stable"
explain = "For the test."
heals = ["lockfile-corruption"]
tools = ["cargo"]
needs = ["confirmed"]
paths = ["{{lockfile}}"]

[guard]
risk = "medium"
attempts = 3
cooldown = "0s"

[[step]]
id = "slow"
use = "command"
with = {{ argv = ["sh", "-c", '{argv}'], undo = ["sh", "-c", '{undo}'] }}

[[step]]
id = "repair"
use = "repair-lockfile"
with = {{ tool = "{{tool}}" }}
"#
    );
    fs::write(folder.join("slow.toml"), playbook).unwrap();
    let config = stage.base().join("operator.toml");
    fs::write(&config, "playbooks = \"playbooks\"\nallow-commands = true\n").unwrap();
    let mut command = stage.regreen(&["run", "--config"]);
    command.arg(config).arg("--").args(stage.project.install_argv());
    Working::start(stage, &mut command)
}

fn as_before(stage: &Stage) {
    assert!(fs::read(stage.project.lockfile()).unwrap() == stage.set);
    aftermath::audit_verifies(&stage.state()).unwrap();
    aftermath::nothing_left(stage).unwrap();
}

#[test]
fn an_operator_s_command_ends_with_us_and_is_taken_back() {
    let stage = stage();
    let (begun, undone) = (stage.base().join("begun"), stage.base().join("undone"));
    let tidied = stage.base().join("tidied");
    let argv = format!(
        "trap \"echo >{}; exit 1\" TERM; sleep 300 & echo >{}; sleep 300",
        tidied.display(),
        begun.display()
    );
    let mut working = operator(&stage, &argv, &format!("echo >{}", undone.display()));
    working.wait_for(&begun);
    working.ask("-TERM");
    working.ends_with(143);
    assert!(working.said().contains("slow: ended by SIGTERM"), "{}", working.said());
    assert!(tidied.exists(), "it may tidy up first: {}", working.said());
    assert!(undone.exists() && stage.installs() == 1, "{}", working.said());
    as_before(&stage);
}

#[test]
fn a_second_install_ends_with_us_and_the_repair_is_taken_back() {
    let stage = stage();
    // The third call of the install is the second install: the first failed, and the second ran green.
    let (shim, held) = (stage.base().join("bin/cargo"), stage.base().join("held"));
    let real = stage.base().join("bin/cargo-of-the-stage");
    fs::rename(&shim, &real).unwrap();
    let script = format!(
        "#!/bin/sh\nif [ \"$(grep -cxF \"$*\" {calls})\" -ge 2 ]; then echo >{held}; sleep 300; fi\nexec {real} \"$@\"\n",
        calls = stage.base().join("calls").display(),
        held = held.display(),
        real = real.display(),
    );
    fs::write(&shim, script).unwrap();
    fs::set_permissions(&shim, fs::Permissions::from_mode(0o755)).unwrap();
    let mut working = Working::start(&stage, &mut stage.run_install());
    working.wait_for(&held);
    assert!(fs::read(stage.project.lockfile()).unwrap() == stage.good);
    working.ask("-INT");
    working.ends_with(130);
    assert!(working.said().contains("installs-the-same: ended by SIGINT"), "{}", working.said());
    as_before(&stage);
}

#[test]
fn who_asks_twice_gets_an_end_at_once_and_resume_takes_back_the_rest() {
    let stage = stage();
    let file = |name: &str| stage.base().join(name);
    let argv = format!("echo >{}; sleep 300", file("begun").display());
    let undo =
        format!("echo >>{}; [ -e {} ] || sleep 300", file("undoing").display(), file("free").display());
    let mut working = operator(&stage, &argv, &undo);
    working.wait_for(&file("begun"));
    working.ask("-INT");
    working.wait_for(&file("undoing"));
    let told = "SIGINT: what was begun is taken back first; asked again, it goes at once";
    assert!(working.said().contains(told), "{}", working.said());
    working.ask("-TERM");
    working.ends_with(143);
    assert!(working.said().contains("is taken back by `regreen resume`"), "{}", working.said());
    assert!(stage.state().open_marker().exists());
    let config = file("operator.toml");
    // The same once more, while it is resumed.
    fs::remove_file(file("undoing")).unwrap();
    let mut resuming = Working::start(&stage, stage.regreen(&["resume"]).env("REGREEN_CONFIG", &config));
    resuming.wait_for(&file("undoing"));
    resuming.ask("-HUP");
    resuming.ends_with(129);
    fs::write(file("free"), "").unwrap();
    let resumed = tell(stage.regreen(&["resume"]).env("REGREEN_CONFIG", &config), stage.base());
    assert!(resumed.starts_with("exit code 0") && resumed.contains("rolled back"), "{resumed}");
    as_before(&stage);
}

#[test]
fn who_asks_before_anything_is_done_gets_an_end() {
    let stage = stage();
    fs::create_dir_all(stage.state().folder()).unwrap();
    for folder in [stage.state_home(), stage.state_home().join("regreen"), stage.state().folder().to_owned()]
    {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
    }
    let lock = fs::File::create(stage.state().workspace_lock()).unwrap();
    lock.try_lock().unwrap();
    let mut working = Working::start(&stage, &mut stage.run_install());
    let until = Instant::now() + PATIENCE;
    while !working.said().contains("another regreen is healing this workspace; waiting") {
        assert!(Instant::now() < until, "{}", working.said());
        sleep(Duration::from_millis(10));
    }
    working.ask("-TERM");
    working.ends_with(143);
    assert!(working.said().contains("ended by SIGTERM; nothing was changed"), "{}", working.said());
    drop(lock);
    assert_eq!(ids(&stage).len(), 0);
    as_before(&stage);
}
