//! `regreen init github` as a person meets it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{Stage, workflow::written};

const FILE: &str = ".github/workflows/infrastructure-auto-healing-v2.yml";
const BASE: &str = ".regreen/init/infrastructure-auto-healing-v2.yml";

struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

fn init(stage: &Stage, args: &[&str]) -> Said {
    let mut command = stage.regreen(&[&["init", "github"], args].concat());
    let ended = command.current_dir(stage.path("repository")).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { code: ended.status.code(), out: text(ended.stdout), err: text(ended.stderr) }
}

#[test]
fn it_shows_first_and_keeps_what_was_edited() {
    let stage = Stage::new("observe");
    let root = stage.path("repository");
    let workflows = root.join(".github/workflows");
    fs::create_dir_all(&root).unwrap();
    let said = init(&stage, &["--yes"]);
    assert_eq!(said.code, Some(3));
    assert!(said.err.contains("is in no git repository"), "{}", said.err);
    assert!(Command::new("git").args(["init", "-q"]).current_dir(&root).status().unwrap().success());
    let said = init(&stage, &["--yes"]);
    assert_eq!(said.code, Some(3));
    assert!(said.err.contains("there is no workflow"), "{}", said.err);

    fs::create_dir_all(&workflows).unwrap();
    fs::write(workflows.join("ci.yml"), "name: \"Build: all\"\n").unwrap();
    let original = workflows.join("infrastructure-auto-healing.yml");
    fs::write(&original, "name: Original\n").unwrap();
    let file = root.join(FILE);
    for (args, code) in [(&["--dry-run"][..], 0), (&[], 13)] {
        let said = init(&stage, args);
        assert_eq!(said.code, Some(code), "{}", said.err);
        assert!(
            said.out.starts_with(&format!("--- a/{FILE}\n+++ b/{FILE}\n"))
                && said.out.contains("+  recover:\n")
        );
        assert!(!file.exists() && !root.join(".regreen").exists());
    }
    let said = init(&stage, &["--yes"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("    workflows:\n      - \"Build: all\"\n    types: [completed]\n"), "{text}");
    assert_eq!(fs::read_to_string(root.join(BASE)).unwrap(), text);
    assert_eq!(fs::read_to_string(&original).unwrap(), "name: Original\n");
    let said = init(&stage, &["--yes"]);
    assert_eq!((said.code, said.out.as_str()), (Some(0), ""));
    assert!(said.err.contains("is up to date"), "{}", said.err);

    // An edit, and something new.
    let edited = text.replace("*/15 * * * *", "7 * * * *");
    fs::write(&file, &edited).unwrap();
    fs::write(workflows.join("nightly.yml"), "on: schedule\n").unwrap();
    let said = init(&stage, &["--yes"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let merged = fs::read_to_string(&file).unwrap();
    assert!(
        merged.contains("7 * * * *") && merged.contains("      - \".github/workflows/nightly.yml\"\n"),
        "{merged}"
    );
    assert!(!said.out.contains("* * * *\"\n-"), "{}", said.out);

    // Both change the same line.
    fs::write(&file, merged.replace("      - \"Build: all\"\n", "      - \"Mine\"\n")).unwrap();
    let before = fs::read_to_string(&file).unwrap();
    fs::write(workflows.join("ci.yml"), "name: Renamed\n").unwrap();
    let said = init(&stage, &["--yes"]);
    assert_eq!(said.code, Some(18));
    assert!(said.out.starts_with("line 2") && said.out.contains("<<<<<<< yours\n"), "{}", said.out);
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
    assert_eq!(init(&stage, &["--yes", "--replace"]).code, Some(0));
    assert!(!fs::read_to_string(&file).unwrap().contains("Mine"));

    // Somebody else's file, and a link.
    fs::write(&file, "name: mine\n").unwrap();
    assert_eq!(init(&stage, &["--yes"]).code, Some(14));
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &file).unwrap();
    let said = init(&stage, &["--yes", "--replace"]);
    assert_eq!(said.code, Some(3));
    assert!(said.err.contains("it is no regular file"), "{}", said.err);
}

/// A repository with the workflow `CI`, in which `init` has written its file.
fn begun(stage: &Stage, args: &[&str]) -> PathBuf {
    written(stage, args);
    stage.path("repository")
}

/// Changes what is in a file.
fn edit(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(file, text.replace(from, to)).unwrap();
}

#[test]
fn a_conflict_can_be_settled_for_ones_own_side_or_by_other_words() {
    for mine in ["Mine", "Mine and Renamed"] {
        let stage = Stage::new("observe");
        let root = begun(&stage, &[]);
        let (file, base) = (root.join(FILE), root.join(BASE));
        edit(&file, "      - \"CI\"\n", &format!("      - \"{mine}\"\n"));
        edit(&file, "timeout-minutes: 60", "timeout-minutes: 61");
        edit(&root.join(".github/workflows/ci.yml"), "name: CI", "name: Renamed");
        let before = fs::read_to_string(&base).unwrap();
        let said = init(&stage, &["--yes"]);
        assert_eq!(said.code, Some(18), "{}", said.err);
        assert!(said.err.contains("--keep"), "{}", said.err);
        assert_eq!(fs::read_to_string(&base).unwrap(), before);
        assert_eq!(init(&stage, &["--keep", "--dry-run"]).code, Some(0));
        assert_eq!(fs::read_to_string(&base).unwrap(), before);
        let said = init(&stage, &["--keep", "--yes"]);
        assert_eq!(said.code, Some(0), "{}", said.err);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(&format!("      - \"{mine}\"\n    types:")), "{text}");
        assert!(!text.contains("\"Renamed\"") && text.contains("timeout-minutes: 61"), "{text}");
        let said = init(&stage, &["--yes"]);
        assert_eq!((said.code, said.out.as_str()), (Some(0), ""), "{}", said.err);
        assert!(said.err.contains("is up to date"), "{}", said.err);
        // What is new elsewhere still comes, and both edits stay.
        let said = init(&stage, &["--yes", "--issues"]);
        assert_eq!(said.code, Some(0), "{}", said.err);
        let text = fs::read_to_string(&file).unwrap();
        for words in [mine, "timeout-minutes: 61", "serve.escalation.issues = true"] {
            assert!(text.contains(words), "{words}: {text}");
        }
    }
}

#[test]
fn a_line_below_the_first_can_be_edited() {
    let stage = Stage::new("observe");
    let root = begun(&stage, &[]);
    edit(&root.join(FILE), "# Infrastructure auto-healing:", "# Ours. Infrastructure auto-healing:");
    fs::write(root.join(".github/workflows/nightly.yml"), "name: Nightly\n").unwrap();
    let said = init(&stage, &["--yes"]);
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    let text = fs::read_to_string(root.join(FILE)).unwrap();
    assert!(text.contains("\n# Ours. ") && text.contains("- \"Nightly\"\n"), "{text}");
    assert!(init(&stage, &[]).err.contains("is up to date"));
}

#[test]
fn other_line_endings_are_no_edits_and_stay() {
    let stage = Stage::new("observe");
    let root = begun(&stage, &[]);
    let file = root.join(FILE);
    edit(&file, "\n", "\r\n");
    let said = init(&stage, &["--yes"]);
    assert_eq!((said.code, said.out.as_str()), (Some(0), ""), "{}", said.err);
    assert!(said.err.contains("is up to date"), "{}", said.err);
    // As git may check both out.
    edit(&root.join(BASE), "\n", "\r\n");
    assert!(init(&stage, &[]).err.contains("is up to date"));
    edit(&file, "timeout-minutes: 60", "timeout-minutes: 61");
    fs::write(root.join(".github/workflows/nightly.yml"), "name: Nightly\n").unwrap();
    let said = init(&stage, &["--yes"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert_eq!(said.out.matches("\n+").count(), 3, "only what is new: {}", said.out);
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    assert!(text.contains("timeout-minutes: 61") && text.contains("- \"Nightly\"\r\n"), "{text}");
    assert!(init(&stage, &[]).err.contains("is up to date"));
}

#[test]
fn how_often_it_looks_can_be_chosen_and_stays() {
    let stage = Stage::new("observe");
    let root = begun(&stage, &["--every", "1h"]);
    let cron = || {
        let text = fs::read_to_string(root.join(FILE)).unwrap();
        text.lines().find_map(|line| line.trim().strip_prefix("- cron: ")).unwrap().to_owned()
    };
    assert_eq!(cron(), "\"17 * * * *\"");
    for unedited in [true, false] {
        if !unedited {
            edit(&root.join(FILE), "timeout-minutes: 60", "timeout-minutes: 61");
        }
        fs::write(root.join(".github/workflows/nightly.yml"), format!("name: Nightly {unedited}\n")).unwrap();
        assert_eq!(init(&stage, &["--yes"]).code, Some(0));
        assert_eq!(cron(), "\"17 * * * *\"");
    }
    for (every, want) in
        [("6h", "\"17 */6 * * *\""), ("30m", "\"*/30 * * * *\""), ("15m", "\"*/15 * * * *\"")]
    {
        assert_eq!(init(&stage, &["--yes", "--every", every]).code, Some(0));
        assert_eq!(cron(), want);
    }
    for wrong in ["7m", "1m", "5h", "24h", "90s", "often"] {
        let said = init(&stage, &["--yes", "--every", wrong]);
        assert_eq!(said.code, Some(2), "{wrong}: {}", said.err);
        assert!(
            said.err.contains("5m, 10m, 12m, 15m, 20m, 30m, 1h, 2h, 3h, 4h, 6h, 8h, 12h"),
            "{}",
            said.err
        );
    }
    // A schedule of one's own is an edit as any other.
    edit(&root.join(FILE), "*/15 * * * *", "3 4 * * *");
    assert_eq!(init(&stage, &["--yes", "--issues"]).code, Some(0));
    assert_eq!(cron(), "\"3 4 * * *\"");
}
