//! How old a run may be, and how long one that runs again is waited for.

use std::{
    thread,
    time::{Duration, SystemTime},
};

use serde_json::{Value, json};

use super::{
    NAME, PATIENCE, Stage,
    workflow::{CI, ended, go, output, runner},
};

fn began(stage: &Stage, hours: u64) {
    let mut world = stage.host.world();
    let run = world.repositories.get_mut(NAME).unwrap().runs.iter_mut().find(|run| run.id == stage.run);
    run.unwrap().created_at = SystemTime::now() - Duration::from_secs(hours * 3600);
}

#[test]
fn a_run_of_more_than_a_day_ago_is_left_alone_unless_told_otherwise() {
    let stage = Stage::new("observe");
    let mut runner = runner(&stage, &["--mode", "auto"]);
    began(&stage, 25);
    let name = format!("{NAME}/{}", stage.run);
    let once = |args: &[&str]| {
        let mut worker =
            stage.regreen(&["worker", "--once", "--mode", "auto", "--github-api", &stage.host.url()]);
        let ended = worker.args(args).env("REGREEN_GITHUB_TOKEN", "ghp_test").output().unwrap();
        assert!(ended.status.success(), "{ended:?}");
        String::from_utf8(ended.stdout).unwrap()
    };
    assert_eq!(once(&["--run", &name]), format!("run {} of {NAME} began more than 1day ago\n", stage.run));
    once(&["--watch", NAME]);
    assert!(stage.incidents().is_empty());
    // By the clock and by its event.
    let event = ended(&stage, CI);
    for (event_name, event) in [("schedule", &json!({})), ("workflow_run", &event)] {
        let ran = go(&stage, &mut runner, event_name, event);
        assert_eq!(
            (output(&ran, "detect", "incidents"), ran.results["recover"].as_str()),
            ("0", "skipped"),
            "{ran:#?}"
        );
    }
    assert_eq!(stage.reruns(), 0);
    // The same run, had it begun two hours later.
    began(&stage, 23);
    let ran = go(&stage, &mut runner, "schedule", &json!({}));
    assert_eq!((output(&ran, "recover", "outcome"), stage.reruns()), ("under-way", 1), "{ran:#?}");
}

#[test]
fn verify_waits_for_the_end_of_what_runs_again() {
    let stage = Stage::new("observe");
    let mut runner = runner(&stage, &["--mode", "auto"]);
    // It looks at once, and again when this is over: long enough for a slow machine.
    runner.vars["REGREEN_FOLLOW"] = Value::from("10s");
    let path = format!("/actions/runs/{}", stage.run);
    let looks = || {
        let world = stage.host.world();
        let answered = world.calls.iter().filter(|call| call.method == "GET" && call.status == 200);
        answered.filter(|call| call.path.ends_with(&path)).count()
    };
    let mut before = 0;
    let ran = thread::scope(|scope| {
        runner.run("workflow_run", &ended(&stage, CI), |job, _| {
            if job != "recover" {
                return;
            }
            before = looks();
            let (stage, looks) = (&stage, &looks);
            // It ends once `verify` has seen that it runs.
            scope.spawn(move || {
                let begun = std::time::Instant::now();
                while looks() == before && begun.elapsed() < PATIENCE {
                    thread::sleep(Duration::from_millis(20));
                }
                stage.finish("success");
            });
        })
    });
    assert_eq!(output(&ran, "recover", "outcome"), "under-way", "{ran:#?}");
    let of = |name| output(&ran, "verify", name);
    assert_eq!((of("outcome"), of("healed"), stage.reruns()), ("healed", "true", 1), "{ran:#?}");
    assert!(looks() >= before + 2, "{ran:#?}");
}
