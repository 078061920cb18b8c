//! An operator's own playbook on a really broken project: a part, a condition, a command, and a person's word in the middle.

use std::{
    fs,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use insta::assert_snapshot;
use regreen_lab::{PackageManager, damage::LockfileDamage};

use crate::{
    said::{ids, tell},
    support::{
        aftermath,
        stage::{Break, Stage, said},
    },
};

/// The operator's configuration beside the checkout, and the file that the playbook's command makes.
fn operator(stage: &Stage, allow_commands: bool) -> (PathBuf, PathBuf) {
    let (folder, note) = (stage.base().join("playbooks"), stage.base().join("note"));
    fs::create_dir_all(&folder).unwrap();
    let playbook = format!(
        r#"id = "careful"
title = "Asks before it repairs"
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
id = "note"
use = "command"
with = {{ argv = ["touch", "{note}"], undo = ["rm", "-f", "{note}"] }}
timeout = "20s"

[[step]]
id = "mirror"
use = "use-mirror"
with = {{ tool = "{{tool}}" }}
when = {{ tool = ["npm"] }}

[[step]]
id = "agree"
use = "await-approval"
with = {{ ask = "May the lockfile be repaired?" }}
when = {{ receipt = {{ step = "note", field = "code", equals = "0" }} }}

[[step]]
id = "then"
playbook = "repair-lockfile"
"#,
        note = note.display()
    );
    fs::write(folder.join("careful.toml"), playbook).unwrap();
    let config = stage.base().join("operator.toml");
    fs::write(&config, format!("playbooks = \"playbooks\"\nallow-commands = {allow_commands}\n")).unwrap();
    (config, note)
}

fn run(stage: &Stage, config: &PathBuf, flags: &[&str]) -> String {
    let mut command = stage.regreen(&["run", "--config"]);
    command.arg(config).args(flags).arg("--").args(stage.project.install_argv());
    tell(&mut command, stage.base())
}

/// Gives a person's word as soon as a run asks for it.
fn answer(stage: &Stage, word: &str) -> String {
    for _ in 0..600 {
        for id in ids(stage) {
            let said = said(&mut stage.regreen(&[word, &id]));
            if said.code == 0 {
                return String::from_utf8(said.out).unwrap().replace(&id, "[ID]");
            }
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("nobody asked");
}

#[test]
fn a_plan_waits_for_a_person_s_word_and_goes_on_or_turns_back() {
    let stage = Stage::broken(PackageManager::Cargo, Break::Lockfile(LockfileDamage::Truncated));
    let (config, note) = operator(&stage, true);
    let planned = run(&stage, &config, &["--dry-run"]);
    let plan: Vec<&str> = planned.lines().skip_while(|line| !line.contains("dry run:")).collect();
    assert_snapshot!(plan.join("\n"), @r#"
    regreen: dry run: the playbook `careful` (risk medium, may write Cargo.lock) would do:
    regreen: 1. note: command (argv = ["touch", "[BASE]/note"], undo = ["rm", "-f", "[BASE]/note"]), at most 20s: would run; can't be put back byte for byte
    regreen: 2. mirror: use-mirror (tool = cargo): left out, it needs: the tool is npm
    regreen: 3. agree: await-approval (ask = May the lockfile be repaired?): would run only if note says `code` = 0; leaves nothing to put back
    regreen: 4. then/repair: repair-lockfile (tool = cargo): would restore Cargo.lock as commit [COMMIT] holds it; can be put back byte for byte
    regreen: 5. nothing-else-changed: would compare the workspace with how the command left it; leaves nothing to put back
    regreen: 6. rerun-command: would run the command once more; leaves nothing to put back
    regreen: 7. tool-consistent (tool = cargo): would run cargo metadata --locked --offline --format-version=1 --quiet; leaves nothing to put back
    regreen: 8. installs-the-same (tool = cargo): would install once more from the lockfile that was written; leaves nothing to put back
    "#);
    assert!(!note.exists() && fs::read(stage.project.lockfile()).unwrap() == stage.set);
    thread::scope(|scope| {
        let running = scope.spawn(|| run(&stage, &config, &[]));
        assert_snapshot!(answer(&stage, "deny"), @"denied: [ID]; the run that waits for it turns back");
        let said = running.join().unwrap();
        assert!(said.contains("agree: denied by"), "{said}");
    });
    assert!(!note.exists() && fs::read(stage.project.lockfile()).unwrap() == stage.set);
    thread::scope(|scope| {
        let running = scope.spawn(|| run(&stage, &config, &[]));
        assert_snapshot!(answer(&stage, "approve"), @"approved: [ID]; the run that waits for it goes on");
        let said = running.join().unwrap();
        assert!(said.starts_with("exit code 0") && said.contains("was approved by"), "{said}");
    });
    assert!(note.exists() && fs::read(stage.project.lockfile()).unwrap() == stage.good);
    let id = ids(&stage).remove(0);
    let replayed = tell(&mut stage.regreen(&["incidents", "replay", &id]), stage.base());
    assert!(replayed.contains("decided again from the same inputs: the same"), "{replayed}");
    assert!(replayed.contains("that hold today it would differ"), "the built-in ones alone: {replayed}");
    // By what holds, it is as it was: the operator's playbook is known.
    let mut with_config = stage.regreen(&["incidents", "replay", &id, "--config"]);
    let replayed = tell(with_config.arg(&config), stage.base());
    assert!(
        replayed.starts_with("exit code 0")
            && !replayed.contains("differ")
            && replayed.contains("1 playbook of the operator"),
        "{replayed}"
    );
    aftermath::audit_verifies(&stage.state()).unwrap();
    aftermath::nothing_left(&stage).unwrap();
}

#[test]
fn a_run_that_is_killed_while_it_waits_leaves_all_as_before() {
    let stage = Stage::broken(PackageManager::Cargo, Break::Lockfile(LockfileDamage::Truncated));
    let (config, note) = operator(&stage, true);
    let log = stage.base().join("log");
    let mut command = stage.regreen(&["run", "--config"]);
    command.arg(&config).arg("--").args(stage.project.install_argv());
    let mut running = command.stderr(fs::File::create(&log).unwrap()).spawn().unwrap();
    let begun = Instant::now();
    while !fs::read_to_string(&log).unwrap().contains("waiting for `regreen approve") {
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", fs::read_to_string(&log).unwrap());
        thread::sleep(Duration::from_millis(20));
    }
    assert!(note.exists());
    running.kill().unwrap();
    running.wait().unwrap();
    for word in ["approve", "deny"] {
        let nobody = tell(&mut stage.regreen(&[word, &ids(&stage)[0]]), stage.base());
        assert!(nobody.starts_with("exit code 14") && nobody.contains("so nobody waits for it"), "{nobody}");
    }
    // Without leave for commands nothing can be taken back: it stands still, and can be resumed yet.
    let refused = tell(&mut stage.regreen(&["resume"]), stage.base());
    assert!(!refused.starts_with("exit code 0") && refused.contains("REGREEN_CONFIG"), "{refused}");
    assert!(note.exists());
    let resumed = tell(stage.regreen(&["resume"]).env("REGREEN_CONFIG", &config), stage.base());
    assert!(resumed.contains("rolled back"), "{resumed}");
    assert!(!note.exists() && fs::read(stage.project.lockfile()).unwrap() == stage.set);
    let late = tell(&mut stage.regreen(&["approve", &ids(&stage)[0]]), stage.base());
    assert!(!late.starts_with("exit code 0"), "{late}");
    aftermath::audit_verifies(&stage.state()).unwrap();
    aftermath::nothing_left(&stage).unwrap();
}

#[test]
fn a_command_may_rewrite_the_lockfile_only_where_its_playbook_declares_that() {
    let stage = Stage::broken(PackageManager::Cargo, Break::Lockfile(LockfileDamage::Truncated));
    let (folder, good) = (stage.base().join("playbooks"), stage.base().join("good"));
    fs::create_dir_all(&folder).unwrap();
    fs::write(&good, &stage.good).unwrap();
    let config = stage.base().join("operator.toml");
    fs::write(&config, "playbooks = \"playbooks\"\nallow-commands = true\n").unwrap();
    let playbook = |paths: &str| {
        let text = format!(
            r#"id = "restore"
title = "Takes the lockfile from elsewhere"
since = "1"
status = "stable"
explain = "For the test."
heals = ["lockfile-corruption"]
tools = ["cargo"]
needs = ["confirmed"]
paths = [{paths}]
fallback = []

[guard]
risk = "medium"
attempts = 1
cooldown = "0s"

[[step]]
id = "take"
use = "command"
with = {{ argv = ["sh", "-c", 'cat "{}" >Cargo.lock'], undo = ["true"] }}
"#,
            good.display()
        );
        fs::write(folder.join("restore.toml"), text).unwrap();
    };
    playbook("");
    let said = run(&stage, &config, &[]);
    assert!(said.starts_with("exit code 101"), "{said}");
    assert!(said.contains("1 path(s) outside the playbook's own changed: Cargo.lock"), "{said}");
    assert!(
        said.contains("not healed (no-fallback)") || said.contains("nothing was done (no-fallback)"),
        "{said}"
    );
    assert!(fs::read(stage.project.lockfile()).unwrap() == stage.set);
    aftermath::nothing_left(&stage).unwrap();
    playbook("\"{lockfile}\"");
    let said = run(&stage, &config, &[]);
    assert!(said.starts_with("exit code 0"), "{said}");
    assert!(said.contains("installing once more from the lockfile that was written"), "{said}");
    assert!(fs::read(stage.project.lockfile()).unwrap() == stage.good);
    let id = ids(&stage).remove(0);
    let patch = fs::read_to_string(stage.state().patch(&id)).unwrap();
    assert!(patch.starts_with("--- a/Cargo.lock\n+++ b/Cargo.lock\n"), "{patch}");
    let taken_back = tell(
        stage.regreen(&["rollback", &id, "--reason", "test"]).env("REGREEN_CONFIG", &config),
        stage.base(),
    );
    assert!(taken_back.starts_with("exit code 0"), "{taken_back}");
    assert!(fs::read(stage.project.lockfile()).unwrap() == stage.set);
    aftermath::audit_verifies(&stage.state()).unwrap();
    aftermath::nothing_left(&stage).unwrap();
}

#[test]
fn without_leave_for_commands_the_playbook_is_left_out() {
    let stage = Stage::broken(PackageManager::Cargo, Break::Lockfile(LockfileDamage::Truncated));
    let (config, note) = operator(&stage, false);
    let said = run(&stage, &config, &["--yes"]);
    assert!(said.starts_with("exit code 0"), "{said}");
    assert!(said.contains("this playbook is left out") && said.contains("`allow-commands = true`"), "{said}");
    assert!(!note.exists() && fs::read(stage.project.lockfile()).unwrap() == stage.good);
    let mut listed = stage.regreen(&["playbooks", "list"]);
    let listed = tell(listed.env("REGREEN_CONFIG", &config), stage.base());
    assert!(listed.starts_with("exit code 4") && listed.contains("repair-lockfile"), "{listed}");
}
