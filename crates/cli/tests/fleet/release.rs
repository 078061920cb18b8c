//! The workflow that makes a release: what comes before anything is published, and what the release says.

use std::{fs, process::Command};

use serde_json::Value;

use super::{
    Stage,
    standin::{program, top},
};

#[test]
fn nothing_is_published_before_every_test_has_passed() {
    let text = fs::read_to_string(top().join(".github/workflows/release.yml")).unwrap();
    let release: Value = serde_norway::from_str(&text).unwrap();
    let jobs = &release["jobs"];
    let steps = jobs["test"]["steps"].as_array().unwrap();
    for run in ["scripts/test", "cargo xtask soak workflow"] {
        assert!(steps.iter().any(|step| step["run"] == run), "{run}: {steps:#?}");
    }
    assert_eq!((&jobs["build"]["needs"], &jobs["publish"]["needs"]), (&"test".into(), &"build".into()));
    // Nothing that the tests bring along may write or publish.
    for job in ["test", "build"] {
        assert_eq!(jobs[job]["permissions"], serde_json::json!({ "contents": "read" }), "{job}");
    }
}

/// Runs the step of this name of a job, for a tag, in a folder with this changelog; whether it ended well.
fn step(stage: &Stage, job: &str, name: &str, tag: &str, changelog: &str) -> bool {
    let text = fs::read_to_string(top().join(".github/workflows/release.yml")).unwrap();
    let release: Value = serde_norway::from_str(&text).unwrap();
    let steps = release["jobs"][job]["steps"].as_array().unwrap();
    let step = steps.iter().find(|step| step["name"] == name).unwrap();
    let folder = stage.path("checkout");
    fs::create_dir_all(folder.join("scripts")).unwrap();
    fs::create_dir_all(folder.join("dist")).unwrap();
    fs::copy(top().join("scripts/release-notes"), folder.join("scripts/release-notes")).unwrap();
    fs::write(folder.join("CHANGELOG.md"), changelog).unwrap();
    // All but its last argument's, which the shell makes from what is there.
    let gh = format!(
        "while [ \"$1\" != --notes-file ]; do shift; done; cat \"$2\" > {}",
        stage.path("notes").display()
    );
    let path = program(stage, "gh", &gh);
    let mut bash = Command::new("bash");
    bash.args(["--noprofile", "--norc", "-e", "-c", step["run"].as_str().unwrap()]).current_dir(folder);
    bash.env_clear().env("PATH", path).env("TAG", tag).status().unwrap().success()
}

#[test]
fn a_release_says_what_its_version_brings_and_is_none_without_that() {
    let stage = Stage::new("observe");
    let changelog = "# Changelog\n\n## Unreleased\n\n- later\n\n## 1.2.0 (2026-12-01)\n\n- this\n  and that\n\n\
                     ### More\n\n- more\n\n## 1.1.0\n\n- before\n\n## 1.0.0\n\n";
    for (tag, notes) in [
        ("v1.2.0", Some("- this\n  and that\n\n### More\n\n- more\n\n")),
        ("v1.1.0", Some("- before\n\n")),
        // An empty one, and none.
        ("v1.0.0", None),
        ("v1.2", None),
        ("v1.2.00", None),
        ("v9.9.9", None),
    ] {
        let first = step(&stage, "test", "The changelog speaks of this version", tag, changelog);
        assert_eq!(first, notes.is_some(), "{tag}");
        let released = step(&stage, "publish", "The release", tag, changelog);
        let said = fs::read_to_string(stage.path("notes")).ok();
        assert_eq!((released, said.as_deref()), (notes.is_some(), notes), "{tag}");
        let _none = fs::remove_file(stage.path("notes"));
    }
}
