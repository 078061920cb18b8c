//! What the workflow hands on from run to run, and what holds where that is lost.

use regreen_lab::forge::{Trouble, What};
use serde_json::{Value, json};

use super::{
    NAME, Stage,
    expression::{Scope, filled},
    workflow::{CI, ended, go, output, runner, written},
};

#[test]
fn a_run_is_not_sent_off_without_end_where_the_state_is_lost() {
    let stage = Stage::new("observe");
    let mut runner = runner(&stage, &["--mode", "auto"]);
    // Three may be sent off, and two were, by whom nobody knows any more.
    stage.host.world().repositories.get_mut(NAME).unwrap().runs[0].attempt = 3;
    let ran = go(&stage, &mut runner, "workflow_run", &ended(&stage, CI));
    assert_eq!((output(&ran, "recover", "outcome"), stage.reruns()), ("under-way", 1), "{ran:#?}");
    stage.finish("failure");
    runner.forget();
    let ran = go(&stage, &mut runner, "workflow_run", &ended(&stage, CI));
    assert_eq!(output(&ran, "detect", "class"), "network-timeout", "{ran:#?}");
    assert_ne!(output(&ran, "detect", "action"), "heal");
    assert_eq!((output(&ran, "recover", "open"), stage.reruns()), ("0", 1), "{ran:#?}");
}

#[test]
fn a_pass_that_stumbles_keeps_what_it_did() {
    let stage = Stage::new("observe");
    let mut runner = runner(&stage, &["--mode", "approve"]);
    let ran = go(&stage, &mut runner, "workflow_run", &ended(&stage, CI));
    let incident = output(&ran, "recover", "incident");
    // A yes is obeyed, and the host does not say which other runs failed.
    let inputs = json!({ "run": "", "incident": incident, "mode": "as-configured", "dry-run": false });
    let ran = runner.run("workflow_dispatch", &json!({ "inputs": inputs }), |job, _| {
        if job == "detect" {
            stage.host.world().troubles.push(Trouble::always("GET", "/actions/runs?", What::Status(401)));
        }
    });
    assert_eq!((ran.results["recover"].as_str(), stage.reruns()), ("failure", 1), "{ran:#?}");
    stage.host.world().troubles.clear();
    // The next run knows what was sent.
    let ran = go(&stage, &mut runner, "schedule", &json!({}));
    assert_eq!((output(&ran, "verify", "outcome"), stage.reruns()), ("under-way", 1), "{ran:#?}");
}

#[test]
fn a_dry_run_by_hand_needs_no_state() {
    let stage = Stage::new("observe");
    let mut runner = runner(&stage, &[]);
    let inputs = json!({ "run": stage.run.to_string(), "incident": "", "mode": "auto", "dry-run": true });
    let ran = go(&stage, &mut runner, "workflow_dispatch", &json!({ "inputs": inputs }));
    let want = ["initialize", "detect", "metrics", "notify"];
    let skipped = ["recover", "verify"];
    assert!(want.iter().all(|job| ran.results[*job] == "success"), "{ran:#?}");
    assert!(skipped.iter().all(|job| ran.results[*job] == "skipped"), "{ran:#?}");
    assert_eq!((output(&ran, "detect", "action"), stage.reruns()), ("heal", 0));
}

#[test]
fn only_a_run_with_something_to_do_waits_its_turn() {
    let stage = Stage::new("observe");
    let workflow: Value = serde_norway::from_str(&written(&stage, &[])).unwrap();
    let group = workflow["concurrency"]["group"].as_str().unwrap();
    let of = |event_name: &str, conclusion: &str, attempt: u32| {
        let event = json!({ "workflow_run": { "conclusion": conclusion, "run_attempt": attempt } });
        let contexts = json!({ "github": { "event_name": event_name, "event": event, "run_id": 7 } });
        filled(group, &Scope { contexts: &contexts, success: true })
    };
    let own = "infrastructure-auto-healing-v2";
    for (event_name, conclusion, attempt, want) in [
        ("workflow_run", "failure", 1, own.to_owned()),
        ("workflow_run", "timed_out", 1, own.to_owned()),
        ("workflow_run", "success", 2, own.to_owned()),
        ("schedule", "", 1, own.to_owned()),
        ("workflow_run", "success", 1, format!("{own}7")),
        ("workflow_run", "cancelled", 1, format!("{own}7")),
    ] {
        assert_eq!(of(event_name, conclusion, attempt), want, "{event_name} {conclusion} {attempt}");
    }
}

#[test]
fn what_saves_to_the_cache_says_so() {
    let stage = Stage::new("observe");
    let workflow: Value = serde_norway::from_str(&written(&stage, &[])).unwrap();
    for (name, job) in workflow["jobs"].as_object().unwrap() {
        let saves =
            |step: &Value| step["uses"].as_str().is_some_and(|uses| uses.starts_with("actions/cache/save@"));
        // What is built is there when the later jobs look.
        let has_to = name == "initialize" || job["steps"].as_array().unwrap().iter().any(saves);
        assert_eq!(job["cache-mode"] == "write", has_to, "{name}");
    }
}
