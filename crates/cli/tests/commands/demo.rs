//! `regreen demo`, as somebody types it who has just come by: an empty HOME, and the real package manager.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{
    said::Bare,
    support::{stage::said, toolchain::toolchain},
};

#[test]
fn without_a_package_manager_it_says_what_it_needs() {
    let bare = Bare::new();
    let empty = bare.base().join("empty");
    fs::create_dir(&empty).unwrap();
    for (options, why) in [
        (&[][..], "none of the package managers is installed that the demo can use"),
        (&["--tool", "pip"], "`python3` is not installed"),
    ] {
        let ended = said(bare.command(&[&["demo"], options].concat()).env("PATH", &empty));
        assert_eq!(ended.code, 3, "{}", ended.err);
        assert!(
            ended.err.contains(why) && ended.err.contains("it needs git, and npm, cargo or"),
            "{}",
            ended.err
        );
    }
}

#[test]
fn a_broken_project_is_healed_before_the_readers_eyes() {
    let bare = Bare::new();
    let temp = bare.base().join("tmp");
    fs::create_dir(&temp).unwrap();
    // The one that docs/images/demo.svg shows.
    let mut demo = bare.command(&["demo", "lockfile", "--tool", "cargo", "--report", "report.json"]);
    let ended = said(demo.env("TMPDIR", &temp).envs(toolchain()));
    let out = String::from_utf8(ended.out).unwrap();
    assert_eq!(ended.code, 0, "{out}{}", ended.err);
    let told: Vec<&str> = out.lines().filter(|line| line.starts_with("== ")).collect();
    let want = [
        "== A small cargo project was made in ",
        "== It is broken now: Cargo.lock ends in the middle",
        "== $ regreen run -- cargo fetch",
        "== Green again after ",
    ];
    assert_eq!(told.len(), want.len(), "{out}");
    assert!(told.iter().zip(want).all(|(line, start)| line.starts_with(start)), "{out}");
    assert!(ended.err.contains("regreen: healed"), "{}", ended.err);
    let report: Value = serde_json::from_slice(&fs::read(bare.work().join("report.json")).unwrap()).unwrap();
    assert_eq!(
        (&report["outcome"], &report["class"]),
        (&json!("healed"), &json!("lockfile-corruption")),
        "{report:#}"
    );
    // Nothing is left, and nothing was there.
    let left = |folder: &Path| fs::read_dir(folder).map_or(0, Iterator::count);
    assert_eq!((left(&temp), bare.base().join("home").exists()), (0, false));
    assert!(!bare.base().join("state").exists());
}
