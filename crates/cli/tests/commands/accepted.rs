//! `regreen patterns accept` and `take-back`: a completed draft beside a fleet.

use std::{fs, path::Path, process::Command};

use crate::{
    fleet::{RUN, left_alone},
    said::{Bare, tell},
};

const LOG: &str =
    "2026-11-29 lic: starting\nlicence server lic-7.example refused the seat: pool nightly is empty\n";

#[test]
fn a_completed_draft_is_accepted_once_it_proves_itself_and_taken_back() {
    let bare = Bare::new();
    let work = bare.work();
    fs::write(work.join("build.log"), LOG).unwrap();
    let new =
        ["patterns", "new", "build.log", "--line", "2", "--class", "service-unavailable", "--id", "no-seat"];
    bare.tell(&[&new[..], &["--output", "no-seat.toml"]].concat());
    let draft = fs::read_to_string(work.join("no-seat.toml")).unwrap();
    let accept = |file: &str| bare.tell(&["patterns", "accept", file, "--ledger", "fleet.db"]);
    let back = || bare.tell(&["patterns", "take-back", "no-seat", "--ledger", "fleet.db"]);

    let refused = accept("no-seat.toml");
    assert!(refused.starts_with("exit code 18") && refused.contains("FILL IN"), "{refused}");
    let whole = draft.replace("FILL IN", "lic 3").replace("status = \"draft\"", "status = \"stable\"");
    fs::write(work.join("no-seat.toml"), &whole).unwrap();
    fs::write(work.join("broken.toml"), "id = \"broken").unwrap();
    fs::write(work.join("bytes.toml"), [0xff, 0xfe]).unwrap();
    fs::write(work.join("large.toml"), "#".repeat(70_000)).unwrap();
    for (file, says) in [
        ("broken.toml", "exit code 18"),
        ("bytes.toml", "it is not UTF-8"),
        ("large.toml", "larger than 64 KiB"),
        ("missing.toml", "exit code 3"),
    ] {
        let refused = accept(file);
        assert!(refused.contains(says) && !refused.starts_with("exit code 0"), "{file}: {refused}");
    }
    assert!(back().starts_with("exit code 3"), "none stands");
    for _ in 0..2 {
        let accepted = accept("no-seat.toml");
        assert!(
            accepted.starts_with("exit code 0") && accepted.contains("no-seat is accepted"),
            "{accepted}"
        );
    }
    fs::write(work.join("no-seat.toml"), whole.replace("lic 3: what it means", "otherwise")).unwrap();
    let other = accept("no-seat.toml");
    assert!(other.starts_with("exit code 18") && other.contains("taken by a pattern (accepted)"), "{other}");
    assert!(back().contains("no-seat is taken back"));
    assert!(accept("no-seat.toml").starts_with("exit code 0"), "another may take its place");
    let state = bare.tell(&["audit", "verify", "--ledger", "fleet.db"]);
    assert!(state.starts_with("exit code 0"), "{state}");
}

#[test]
fn beside_a_fleet_the_operators_folder_counts_unless_it_lies_in_the_checkout() {
    let bare = Bare::new();
    let work = bare.work();
    let git = |arguments: &[&str]| Command::new("git").args(arguments).current_dir(&work).output().unwrap();
    assert!(git(&["init", "-q"]).status.success());
    fs::write(work.join("build.log"), LOG).unwrap();
    let new =
        ["patterns", "new", "build.log", "--line", "2", "--class", "service-unavailable", "--id", "no-seat"];
    let (inside, outside) = (work.join("own"), bare.base().join("own"));
    bare.tell(&[&new[..], &["--output", "own/no-seat.toml"]].concat());
    fs::create_dir(&outside).unwrap();
    fs::copy(inside.join("no-seat.toml"), outside.join("no-seat.toml")).unwrap();
    let whole = fs::read_to_string(inside.join("no-seat.toml")).unwrap().replace("FILL IN", "lic 3");
    fs::write(work.join("no-seat.toml"), whole).unwrap();
    let accept = |folder: &Path| {
        let mut command = bare.command(&["patterns", "accept", "no-seat.toml", "--ledger", "fleet.db"]);
        tell(command.env("REGREEN_PATTERNS", folder), bare.base())
    };
    let taken = accept(&outside);
    assert!(taken.starts_with("exit code 18") && taken.contains("taken by a pattern (operator)"), "{taken}");
    // A pull request can bring such a folder.
    let free = accept(&inside);
    assert!(free.starts_with("exit code 0") && free.contains("it lies in the checkout"), "{free}");
}

#[test]
fn the_operator_s_file_that_is_named_says_what_else_is_known() {
    let bare = Bare::new();
    let (work, folder) = (bare.work(), bare.base().join("operator"));
    fs::create_dir_all(folder.join("own")).unwrap();
    fs::write(work.join("build.log"), LOG).unwrap();
    let new =
        ["patterns", "new", "build.log", "--line", "2", "--class", "service-unavailable", "--id", "no-seat"];
    bare.tell(&[&new[..], &["--output", "no-seat.toml"]].concat());
    let draft = fs::read_to_string(work.join("no-seat.toml")).unwrap();
    let whole = draft.replace("FILL IN", "lic 3").replace("status = \"draft\"", "status = \"stable\"");
    fs::write(folder.join("own/no-seat.toml"), &whole).unwrap();
    fs::write(work.join("no-seat.toml"), &whole).unwrap();
    let (config, gone) = (folder.join("regreen.toml"), folder.join("gone.toml"));
    fs::write(&config, "patterns = \"own\"\n").unwrap();
    let with = |arguments: &[&str], config: &Path| {
        bare.tell(&[arguments, &["--config", config.to_str().unwrap()]].concat())
    };
    let accept = ["patterns", "accept", "no-seat.toml", "--ledger", "fleet.db"];
    let taken = with(&accept, &config);
    assert!(taken.starts_with("exit code 18") && taken.contains("taken by a pattern (operator)"), "{taken}");
    let taken_here = "taken by a pattern (operator)";
    for (reads, says) in [
        (&["patterns", "list"][..], "no-seat "),
        (&["patterns", "show", "no-seat"], "operator"),
        (&new, taken_here),
        (&["patterns", "suggest", "build.log", "--least", "1"], "nothing to suggest"),
    ] {
        let (said, without) = (with(reads, &config), bare.tell(reads));
        assert!(said.contains(says) && !without.contains(says), "{reads:?}: {said}\n{without}");
    }
    fs::write(work.join("no-seat-2.toml"), whole.replace("'no-seat'", "'no-seat-2'")).unwrap();
    let test = ["patterns", "test", "no-seat-2.toml"];
    assert_ne!(with(&test, &config), bare.tell(&test), "it is proved beside the operator's");
    // Who names a file means that one.
    for reads in [&accept[..], &["patterns", "list"], &["patterns", "show", "no-seat"], &new] {
        let refused = with(reads, &gone);
        assert!(refused.starts_with("exit code 4") && refused.contains("gone.toml"), "{reads:?}: {refused}");
    }
    let by_environment = tell(bare.command(&accept).env("REGREEN_CONFIG", &config), bare.base());
    assert_eq!(by_environment, taken);
}

#[test]
fn a_decision_beside_the_fleet_is_made_again_by_what_was_accepted_too() {
    let (bare, fleet) = left_alone(RUN, 60_000);
    let work = bare.work();
    let replay = || bare.tell(&["incidents", "replay", RUN, "--ledger", &fleet]);
    let before = replay();
    assert!(before.starts_with("exit code 0") && !before.contains("known today"), "{before}");
    fs::write(work.join("build.log"), LOG).unwrap();
    let new =
        ["patterns", "new", "build.log", "--line", "2", "--class", "service-unavailable", "--id", "no-seat"];
    bare.tell(&[&new[..], &["--output", "no-seat.toml"]].concat());
    let draft = fs::read_to_string(work.join("no-seat.toml")).unwrap();
    let whole = draft.replace("FILL IN", "lic 3").replace("status = \"draft\"", "status = \"stable\"");
    fs::write(work.join("no-seat.toml"), whole).unwrap();
    let accepted = bare.tell(&["patterns", "accept", "no-seat.toml", "--ledger", &fleet]);
    assert!(accepted.starts_with("exit code 0"), "{accepted}");
    let after = replay();
    let says = "known today beside the built-in ones: 1 pattern accepted beside the fleet\n";
    assert!(after.starts_with("exit code 0") && after.contains(says), "{after}");
    let shape = bare.tell(&["incidents", "replay", RUN, "--ledger", &fleet, "--format", "json"]);
    assert!(shape.contains("\"operator\":0,\"repository\":0,\"accepted\":1}"), "{shape}");
}
