//! The workflow that `init github` writes: every `run` step of it by a real bash, with the real program, against the stand-in
//! of GitHub.

use std::{fs, path::Path, process::Command};

use serde_json::{Value, json};

use super::{
    NAME, Stage,
    killed::CODE,
    linters::without_cache_mode,
    runner::{Ran, Runner},
    standin,
};

/// A repository, and the workflow in it.
pub fn written(stage: &Stage, args: &[&str]) -> String {
    let root = stage.path("repository");
    fs::create_dir_all(root.join(".github/workflows")).unwrap();
    fs::write(root.join(".github/workflows/ci.yml"), "name: CI\non: push\njobs: {}\n").unwrap();
    assert!(Command::new("git").args(["init", "-q"]).current_dir(&root).status().unwrap().success());
    let said =
        stage.regreen(&[&["init", "github", "--yes"], args].concat()).current_dir(&root).output().unwrap();
    assert!(said.status.success(), "{said:?}");
    fs::read_to_string(root.join(".github/workflows/infrastructure-auto-healing-v2.yml")).unwrap()
}

pub fn runner(stage: &Stage, args: &[&str]) -> Runner {
    let folder = stage.path("runner");
    fs::create_dir_all(&folder).unwrap();
    let mut runner = Runner::new(&folder, &written(stage, args));
    runner.vars = json!({ "REGREEN_BINARY": env!("CARGO_BIN_EXE_regreen") });
    let home = stage.path("home").display().to_string();
    let path = std::env::var("PATH").unwrap();
    let api = stage.host.url();
    let reference = format!("{NAME}/.github/workflows/infrastructure-auto-healing-v2.yml@refs/heads/main");
    for (name, value) in [
        ("HOME", home.as_str()),
        ("PATH", &path),
        ("CI", "true"),
        ("GITHUB_API_URL", &api),
        ("GITHUB_REPOSITORY", NAME),
        ("GITHUB_WORKFLOW_REF", &reference),
        ("GITHUB_ACTOR", "octocat"),
    ] {
        runner.env.insert(name.to_owned(), value.to_owned());
    }
    runner
}

/// The event that a run has ended, as it stands at the host.
pub fn ended(stage: &Stage, path: &str) -> Value {
    let world = stage.host.world();
    let run = world.repositories[NAME].runs.iter().find(|run| run.id == stage.run).unwrap();
    json!({
        "repository": { "fork": false, "default_branch": "main" },
        "workflow_run": { "id": run.id, "run_attempt": run.attempt, "conclusion": run.conclusion, "path": path },
    })
}

pub const CI: &str = ".github/workflows/ci.yml";

/// Runs it, and holds every job to its permissions by what was asked of the host meanwhile.
pub fn go(stage: &Stage, runner: &mut Runner, event_name: &str, event: &Value) -> Ran {
    let changes = || stage.host.world().calls.iter().filter(|call| call.method != "GET").count();
    let reads = || stage.host.world().calls.len();
    let (mut changed, mut asked) = (changes(), reads());
    runner.run(event_name, event, |job, permissions| {
        let may_write = permissions.as_object().unwrap().values().any(|level| level == "write");
        assert!(may_write || changes() == changed, "{job} changed something at the host");
        let may_read = !permissions.as_object().unwrap().is_empty();
        assert!(may_read || reads() == asked, "{job} asked the host");
        (changed, asked) = (changes(), reads());
    })
}

pub fn output<'r>(ran: &'r Ran, job: &str, name: &str) -> &'r str {
    ran.outputs[job].get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("{job}.{name}: {ran:#?}"))
}

fn results(ran: &Ran) -> Vec<(&str, &str)> {
    ["initialize", "detect", "recover", "verify", "metrics", "notify"]
        .into_iter()
        .map(|job| (job, ran.results[job].as_str()))
        .collect()
}

#[test]
fn a_run_that_the_network_failed_is_sent_off_again_and_its_end_is_seen() {
    let stage = Stage::new("observe");
    let mut runner = runner(&stage, &[]);
    runner.vars["REGREEN_MODE"] = Value::from("auto");
    let ran = go(&stage, &mut runner, "workflow_run", &ended(&stage, CI));
    assert!(ran.results.values().all(|result| result == "success"), "{ran:#?}");
    assert_eq!(ran.skipped, ["actions/upload-artifact"]);
    assert_eq!(stage.reruns(), 1);
    let of = |name| output(&ran, "detect", name);
    assert_eq!((of("verdict"), of("class"), of("action")), ("infrastructure", "network-timeout", "heal"));
    assert!(of("confidence").parse::<f64>().unwrap() > 0.85, "{}", of("confidence"));
    assert_eq!((output(&ran, "recover", "outcome"), output(&ran, "recover", "open")), ("under-way", "1"));
    assert_eq!(of("incident"), output(&ran, "verify", "incident"));
    for words in ["would be healed by the playbook `rerun-failed-jobs`", "ECONNRESET", "outcome: `under-way`"]
    {
        assert!(ran.summary.contains(words), "{words}: {}", ran.summary);
    }
    // The end of the next attempt starts it again.
    stage.finish("success");
    let ran = go(&stage, &mut runner, "workflow_run", &ended(&stage, CI));
    let done = "success";
    let want = [
        ("initialize", done),
        ("detect", done),
        ("recover", done),
        ("verify", "skipped"),
        ("metrics", done),
        ("notify", done),
    ];
    assert_eq!(results(&ran), want, "{ran:#?}");
    let of = |name| output(&ran, "recover", name);
    assert_eq!((of("outcome"), of("healed"), of("open"), stage.reruns()), ("healed", "true", "0", 1));
    let metrics = ran.workspaces["metrics"].join(".github/metrics/infrastructure-auto-healing-metrics.json");
    let metrics: Value = serde_json::from_slice(&fs::read(metrics).unwrap()).unwrap();
    assert_eq!(metrics["current_metrics"]["recovery_orchestration"]["success_rate"], 1.0, "{metrics:#}");
    // By the clock there is nothing to do.
    let event = json!({ "schedule": "*/15 * * * *" });
    let ran = go(&stage, &mut runner, "schedule", &event);
    let none = "skipped";
    let want = [
        ("initialize", done),
        ("detect", done),
        ("recover", none),
        ("verify", none),
        ("metrics", none),
        ("notify", none),
    ];
    assert_eq!(results(&ran), want, "{ran:#?}");
}

#[test]
fn it_changes_nothing_until_it_is_told_to_and_never_for_the_code() {
    let stage = Stage::new("observe");
    stage.host.world().add_failed(NAME, CODE);
    let mut runner = runner(&stage, &[]);
    let ran = go(&stage, &mut runner, "schedule", &json!({}));
    assert_eq!((ran.results["recover"].as_str(), output(&ran, "detect", "incidents")), ("success", "2"));
    assert_eq!(output(&ran, "recover", "open"), "0");
    assert!(ran.summary.contains("would be left alone"), "{}", ran.summary);
    let inputs = json!({ "run": "", "incident": "", "mode": "auto", "dry-run": true });
    stage.host.world().add_failed(NAME, super::NETWORK);
    let ran = go(&stage, &mut runner, "workflow_dispatch", &json!({ "inputs": inputs }));
    assert_eq!((ran.results["recover"].as_str(), output(&ran, "detect", "action")), ("skipped", "heal"));
    assert_eq!(stage.host.world().count("POST", ""), 0);
}

#[test]
fn a_person_starts_it_and_by_that_says_yes() {
    let stage = Stage::new("observe");
    let mut runner = runner(&stage, &["--mode", "approve"]);
    let ran = go(&stage, &mut runner, "workflow_run", &ended(&stage, CI));
    assert_eq!((output(&ran, "recover", "outcome"), stage.reruns()), ("awaiting-approval", 0), "{ran:#?}");
    let inputs = |run: &str, incident: &str| json!({ "inputs": { "run": run, "incident": incident, "mode": "as-configured", "dry-run": false } });
    let incident = output(&ran, "recover", "incident").to_owned();
    let ran = go(&stage, &mut runner, "workflow_dispatch", &inputs("", &incident));
    assert_eq!((output(&ran, "recover", "outcome"), stage.reruns()), ("under-way", 1), "{ran:#?}");
    // What is typed reaches no shell.
    let planted = stage.path("planted");
    for typed in [format!("1; touch {0}", planted.display()), format!("$(touch {0})", planted.display())] {
        let ran = go(&stage, &mut runner, "workflow_dispatch", &inputs(&typed, ""));
        assert_eq!(ran.results["initialize"], "failure");
        let ran = go(&stage, &mut runner, "workflow_dispatch", &inputs("", &typed));
        assert_ne!(ran.results["recover"], "success");
    }
    assert!(!planted.exists());
}

#[test]
fn a_mode_that_is_none_ends_it_at_once_and_is_told() {
    let stage = Stage::new("observe");
    let mut runner = runner(&stage, &[]);
    let by_hand =
        |mode: &str| json!({ "inputs": { "run": "", "incident": "", "mode": mode, "dry-run": false } });
    for (variable, chosen) in [("Auto", "as-configured"), ("auto\nmode=auto", ""), ("auto", "everything")] {
        runner.vars["REGREEN_MODE"] = Value::from(variable);
        let ran = go(&stage, &mut runner, "workflow_dispatch", &by_hand(chosen));
        assert_eq!(
            (ran.results["initialize"].as_str(), ran.results["detect"].as_str()),
            ("failure", "skipped")
        );
        let said = &ran.said["initialize"];
        assert!(said.contains("::error::the mode, by hand or in REGREEN_MODE, is observe, "), "{said}");
    }
    assert!(stage.host.world().calls.is_empty());
    // What is chosen by hand counts for itself.
    runner.vars["REGREEN_MODE"] = Value::from("Auto");
    let ran = go(&stage, &mut runner, "workflow_dispatch", &by_hand("suggest"));
    assert_eq!(output(&ran, "initialize", "mode"), "suggest", "{ran:#?}");
}

#[test]
fn a_pass_says_what_would_be_done_in_words_and_for_programs() {
    let stage = Stage::new("observe");
    let run = format!("{NAME}/{}", stage.run);
    let once = |args: &[&str]| {
        let mut worker = stage.regreen(&["worker", "--once", "--mode", "auto", "--run", &run]);
        let ended = worker
            .args(["--github-api", &stage.host.url()])
            .args(args)
            .env("REGREEN_GITHUB_TOKEN", "ghp_test");
        let ended = ended.output().unwrap();
        assert!(ended.status.success(), "{ended:?}");
        String::from_utf8(ended.stdout).unwrap()
    };
    let shown: Value = serde_json::from_str(&once(&["--dry-run", "--format", "json"])).unwrap();
    let of = |name: &str| shown[name].as_str().unwrap_or_default();
    assert_eq!(
        (of("verdict"), of("class"), of("action")),
        ("infrastructure", "network-timeout", "heal"),
        "{shown}"
    );
    assert_eq!((of("playbook"), of("jobs"), &shown["outcome"]), ("rerun-failed-jobs", "build", &Value::Null));
    let old = once(&["--max-age", "10m"]);
    assert_eq!(old, format!("run {} of {NAME} began more than 10m ago\n", stage.run));
    assert_eq!(stage.reruns(), 0);
    assert!(once(&[]).contains("  under-way  network-timeout 0.9"));
    assert!(once(&["--only", "telling"]).contains("nothing was to be done"));
    assert_eq!(stage.reruns(), 1);
}

#[test]
fn what_is_left_to_people_is_one_issue() {
    let stage = Stage::new("observe");
    let mut runner = runner(&stage, &["--mode", "suggest", "--issues"]);
    let ran = go(&stage, &mut runner, "workflow_run", &ended(&stage, CI));
    assert_eq!(output(&ran, "recover", "outcome"), "suggested", "{ran:#?}");
    assert_eq!(ran.results["notify"], "success", "{ran:#?}");
    let issues = || stage.host.world().repositories[NAME].issues.len();
    assert_eq!(issues(), 1, "{ran:#?}");
    assert_eq!(stage.host.world().count("POST", "/rerun"), 0);
    go(&stage, &mut runner, "workflow_run", &ended(&stage, CI));
    assert_eq!(issues(), 1);
}

#[test]
fn its_own_runs_forks_and_pauses_end_it_before_anything_is_asked() {
    let stage = Stage::new("observe");
    let mut runner = runner(&stage, &["--mode", "auto"]);
    let own = ended(&stage, ".github/workflows/infrastructure-auto-healing-v2.yml");
    let mut fork = ended(&stage, CI);
    fork["repository"]["fork"] = Value::from(true);
    let mut green = ended(&stage, CI);
    green["workflow_run"]["conclusion"] = Value::from("success");
    for event in [own, fork, green] {
        let ran = go(&stage, &mut runner, "workflow_run", &event);
        assert!(ran.results.values().all(|result| result == "skipped"), "{event}: {ran:#?}");
    }
    runner.vars["REGREEN_PAUSED"] = Value::from("true");
    let ran = go(&stage, &mut runner, "workflow_run", &ended(&stage, CI));
    assert!(ran.results.values().all(|result| result == "skipped"), "{ran:#?}");
    assert!(stage.host.world().calls.is_empty());
}

fn find(folder: &Path, name: &str, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find(&path, name, found);
        } else if path.ends_with(name) {
            found.push(path);
        }
    }
}

#[test]
fn the_metrics_are_committed_where_that_is_wanted() {
    let stage = Stage::new("observe");
    let mut runner = runner(&stage, &["--commit-metrics", "--mode", "auto"]);
    let (calls, old) = (stage.path("calls"), stage.path("old"));
    let script = format!(
        "echo \"$GH_TOKEN\" >> {0}; for word; do echo \"$word\" >> {0}; done; echo >> {0}
         case \"$*\" in *'--method PUT'*) ;; *) cat {1} ;; esac",
        calls.display(),
        old.display()
    );
    runner.env.insert("PATH".to_owned(), standin::program(&stage, "gh", &script));
    let file = ".github/metrics/infrastructure-auto-healing-metrics.json";
    let path = format!("repos/{NAME}/contents/{file}");
    // First there is none, then there is one.
    for sha in [None, Some("95b966ae1c166bd92f8ae7d1c313e738c731dfc3")] {
        if let Some(sha) = sha {
            fs::write(&old, format!("{sha}\n")).unwrap();
            stage.finish("success");
        }
        let ran = go(&stage, &mut runner, "workflow_run", &ended(&stage, CI));
        assert_eq!(ran.results["metrics"], "success", "{ran:#?}");
        let said = fs::read_to_string(&calls).unwrap();
        fs::remove_file(&calls).unwrap();
        let said: Vec<Vec<&str>> = said.trim_end().split("\n\n").map(|call| call.lines().collect()).collect();
        assert_eq!(said[0], ["ghs_of_the_job", "api", path.as_str(), "--jq", ".sha"]);
        let [token, words @ ..] = said[1].as_slice() else { panic!("{said:#?}") };
        assert_eq!(
            (said.len(), *token, &words[..4]),
            (2, "ghs_of_the_job", &["api", "--method", "PUT", path.as_str()][..])
        );
        let field = |name: &str| words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        assert!(field("message").unwrap().ends_with("[skip ci]"), "{words:?}");
        assert_eq!(field("sha"), sha);
        let written = fs::read(ran.workspaces["metrics"].join(file)).unwrap();
        let coded = stage.path("coded");
        fs::write(&coded, field("content").unwrap()).unwrap();
        assert_eq!(Command::new("base64").arg("-d").arg(&coded).output().unwrap().stdout, written);
        serde_json::from_slice::<Value>(&written).unwrap();
    }
}

/// The same by somebody else's runner, in a real checkout. It knows neither the event nor repository variables nor, in conditions,
/// how a job ended, nor what jobs say of the cache, so these are filled in as text; what it can't do, it says.
#[test]
#[ignore = "wrkflw takes minutes to install: cargo xtask soak workflow"]
fn executed_by_wrkflw() {
    let stage = Stage::new("observe");
    written(&stage, &["--mode", "auto"]);
    let root = stage.path("repository");
    let file = root.join(".github/workflows/infrastructure-auto-healing-v2.yml");
    let mut text = without_cache_mode(&fs::read_to_string(&file).unwrap());
    let run = format!("'{}'", stage.run);
    let regreen = format!("'{}'", env!("CARGO_BIN_EXE_regreen"));
    for (from, to) in [
        ("github.event.workflow_run.id", run.as_str()),
        ("github.event.workflow_run.conclusion", "'failure'"),
        ("github.event.workflow_run.run_attempt", "1"),
        ("github.event.workflow_run.path", "'.github/workflows/ci.yml'"),
        ("github.event.repository.fork", "false"),
        ("needs.initialize.result == 'success'", "true"),
        ("needs.detect.result == 'success'", "true"),
        ("needs.recover.result == 'success'", "true"),
        ("github.token", "'ghs_of_the_job'"),
        ("vars.REGREEN_BINARY", regreen.as_str()),
        ("vars.REGREEN_PAUSED", "''"),
        ("vars.REGREEN_MODE", "''"),
        ("vars.REGREEN_OPERATOR", "''"),
        ("vars.REGREEN_FOLLOW", "''"),
        ("$GITHUB_API_URL", stage.host.url().as_str()),
    ] {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    fs::write(&file, text).unwrap();
    let origin = format!("https://github.com/{NAME}.git");
    let git = Command::new("git").args(["remote", "add", "origin", &origin]).current_dir(&root).status();
    assert!(git.unwrap().success());
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/wrkflw/bin/wrkflw");
    let wrkflw = if tools.exists() { tools } else { "wrkflw".into() };
    let temp = stage.path("temp");
    fs::create_dir_all(&temp).unwrap();
    let go = || {
        let mut wrkflw = Command::new(&wrkflw);
        wrkflw
            .args(["run", "--verbose", "--runtime", "emulation", "--show-action-messages"])
            .arg(&file)
            .current_dir(&root);
        wrkflw.env_clear().env("PATH", std::env::var("PATH").unwrap()).env("HOME", stage.path("home"));
        let ended = wrkflw.env("TMPDIR", &temp).output().unwrap();
        let said =
            String::from_utf8_lossy(&ended.stdout).into_owned() + &String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "{said}");
        said
    };
    let said = go();
    assert_eq!(stage.reruns(), 1, "{said}");
    for job in ["initialize", "detect", "recover", "verify", "metrics", "notify"] {
        assert!(said.contains(&format!("Job succeeded: {job}")), "{job}: {said}");
    }
    // No action is skipped: it knows the cache, and the one that keeps the metrics.
    assert!(!said.contains("Would execute GitHub action"), "{said}");
    let kept = "Uploaded artifact 'infrastructure-auto-healing-metrics': 1 file(s)";
    assert!(said.contains(kept), "{said}");
    // The state was handed on: the end of the next attempt is that of an incident which is known.
    stage.finish("success");
    let said = go();
    let mut kept = Vec::new();
    find(&stage.path("home"), "ledger.gz", &mut kept);
    assert!(!kept.is_empty(), "{said}");
    let outcomes = kept.iter().enumerate().map(|(n, file)| {
        let ledger = stage.path(&format!("kept-{n}.db")).display().to_string();
        let regreen = |args: &[&str]| stage.regreen(args).env("REGREEN_LEDGER", &ledger).output().unwrap();
        assert!(regreen(&["ledger", "restore", &file.display().to_string()]).status.success());
        String::from_utf8(regreen(&["incidents", "list"]).stdout).unwrap()
    });
    let outcomes: Vec<String> = outcomes.collect();
    assert!(outcomes.iter().any(|listed| listed.contains("  healed  ")), "{outcomes:#?} {said}");
    assert_eq!(stage.reruns(), 1, "{said}");
}
