//! The action, GitLab's job, and what is shipped for other CI systems.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use regreen_lab::forge;
use serde_json::{Value, json};

use super::{NETWORK, Stage, runner::Runner};

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_action_tells_what_came_of_a_command() {
    let stage = Stage::new("observe");
    let folder = stage.path("runner");
    fs::create_dir_all(&folder).unwrap();
    let action = fs::read_to_string(top().join("action.yml")).unwrap();
    let mut runner = Runner::of_action(&folder, &action);
    runner.env.insert("HOME".to_owned(), stage.path("home").display().to_string());
    runner.env.insert("PATH".to_owned(), std::env::var("PATH").unwrap());
    let mut run = |command: &str, mode: &str| {
        let inputs = json!({
            "run": command, "mode": mode, "state": "true", "binary": env!("CARGO_BIN_EXE_regreen"),
            "working-directory": ".",
        });
        runner.run("push", &json!({ "inputs": inputs }), |_, _| {})
    };
    let ran = run("true", "");
    assert_eq!(ran.results["action"], "success", "{ran:#?}");
    assert_eq!(
        (&ran.outputs["action"]["healed"], &ran.outputs["action"]["verdict"]),
        (&json!("false"), &json!(""))
    );
    let script = "echo 'error[E0425]: cannot find value `x` in this scope'; echo ' --> src/a.rs:3:1'; \
                  echo 'error: could not compile `a` (lib) due to 1 previous error'; exit 7";
    let ran = run(script, "");
    assert_eq!(ran.results["action"], "failure", "{ran:#?}");
    let outputs = &ran.outputs["action"];
    assert_eq!(
        (&outputs["verdict"], &outputs["outcome"]),
        (&json!("code"), &json!("left-alone")),
        "{ran:#?}"
    );
    assert!(ran.said["action"].contains("::error title="), "{}", ran.said["action"]);
    assert!(ran.summary.contains("outcome: `left-alone`"), "{}", ran.summary);
    assert!(ran.workspaces["action"].exists() && !outputs["incident"].as_str().unwrap().is_empty());
    // What it learnt is carried on, and a hostile mode reaches no shell.
    let ran = run("true", "auto; touch planted; $(touch planted)");
    assert_eq!(ran.results["action"], "failure");
    assert!(!ran.workspaces["action"].join("planted").exists());
    assert!(ran.said["action"].contains("imported: 1 incident(s)"), "{}", ran.said["action"]);
}

/// The scripts of GitLab's job, one after the other in one shell, as its runner does it.
fn script(job: &Value) -> String {
    let lines = |part: &Value| {
        part.as_array().unwrap().iter().map(|l| l.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    [lines(&job[".regreen-setup"]["before_script"]), lines(&job["infrastructure-auto-healing"]["script"])]
        .concat()
        .join("\n")
}

#[test]
fn gitlabs_job_retries_what_the_network_failed_and_sees_its_end() {
    const PROJECT: &str = "octo-org/tools/rake";
    let stage = Stage::new("observe");
    let host = forge::gitlab::GitLab::start().unwrap();
    host.world().token = Some("glpat-test".to_owned());
    host.world().add(PROJECT, &[("a", b"1\n")]);
    let (pipeline, _) = host.world().add_failed(PROJECT, &[("build", NETWORK)]);
    let root = stage.path("repository");
    fs::create_dir_all(&root).unwrap();
    assert!(Command::new("git").args(["init", "-q"]).current_dir(&root).status().unwrap().success());
    let said = stage.regreen(&["init", "gitlab", "--yes"]).current_dir(&root).output().unwrap();
    assert!(said.status.success(), "{said:?}");
    let text = fs::read_to_string(root.join(".gitlab/ci/infrastructure-auto-healing.yml")).unwrap();
    let script = script(&serde_norway::from_str(&text).unwrap());
    let workspace = stage.path("workspace");
    fs::create_dir_all(&workspace).unwrap();
    let go = |mode: &str| {
        let mut bash = Command::new("bash");
        bash.args(["-e", "-o", "pipefail", "-c", &script]).env_clear().current_dir(&workspace);
        bash.env("PATH", std::env::var("PATH").unwrap())
            .env("HOME", stage.path("home"))
            .env("REGREEN_MODE", mode);
        bash.env("REGREEN_BINARY", env!("CARGO_BIN_EXE_regreen")).env("CI_SERVER_URL", host.url());
        bash.env("CI_PROJECT_PATH", PROJECT)
            .env("REGREEN_GITLAB_TOKEN", "glpat-test")
            .env("REGREEN_LOG_STORE", "none");
        let ended = bash.output().unwrap();
        assert!(ended.status.success(), "{ended:?}");
        String::from_utf8(ended.stdout).unwrap()
    };
    let said = go("auto");
    assert!(said.contains("under-way"), "{said}");
    assert_eq!(host.world().count("POST", "/retry"), 1);
    host.world().pipeline(PROJECT, pipeline).unwrap().finish("success");
    let said = go("auto");
    assert!(said.contains("healed"), "{said}");
    assert_eq!(host.world().count("POST", ""), 1);
    let metrics = fs::read(workspace.join("infrastructure-auto-healing-metrics.json")).unwrap();
    let metrics: Value = serde_json::from_slice(&metrics).unwrap();
    assert_eq!(metrics["current_metrics"]["recovery_orchestration"]["success_rate"], 1.0, "{metrics:#}");
}

#[test]
fn every_file_for_a_ci_system_is_as_its_schema_says() {
    let tool = top().join("target/tools/check-jsonschema/bin/check-jsonschema");
    let stage = Stage::new("observe");
    let root = stage.path("repository");
    fs::create_dir_all(root.join(".github/workflows")).unwrap();
    fs::write(root.join(".github/workflows/ci.yml"), "name: CI\n").unwrap();
    assert!(Command::new("git").args(["init", "-q"]).current_dir(&root).status().unwrap().success());
    for host in ["github", "gitlab"] {
        let said = stage.regreen(&["init", host, "--yes"]).current_dir(&root).output().unwrap();
        assert!(said.status.success(), "{said:?}");
    }
    // Of a component the schema knows the part behind its inputs.
    let component = top().join("integrations/gitlab/templates/infrastructure-auto-healing.yml");
    let component = fs::read_to_string(component).unwrap();
    let (inputs, jobs) = component.split_once("\n---\n").unwrap();
    assert!(serde_norway::from_str::<Value>(inputs).unwrap()["spec"]["inputs"]["sha256"].is_object());
    fs::write(stage.path("component.yml"), jobs).unwrap();
    for (schema, file) in [
        ("github-workflows", root.join(".github/workflows/infrastructure-auto-healing-v2.yml")),
        ("github-actions", top().join("action.yml")),
        ("gitlab-ci", root.join(".gitlab/ci/infrastructure-auto-healing.yml")),
        ("gitlab-ci", stage.path("component.yml")),
        ("buildkite", top().join("integrations/buildkite/pipeline.yml")),
        ("circle-ci", top().join("integrations/circleci/config.yml")),
        ("azure-pipelines", top().join("integrations/azure/azure-pipelines.yml")),
    ] {
        // Azure's schema has an expression that only the older kind of them takes.
        let mut check = Command::new(&tool);
        check
            .args(["--regex-variant", "nonunicode", "--builtin-schema", &format!("vendor.{schema}")])
            .arg(&file);
        let said = check.output().unwrap();
        assert!(said.status.success(), "{}: {said:?}", file.display());
    }
    let zizmor = Command::new(top().join("target/tools/zizmor/bin/zizmor"))
        .args(["--offline", "--no-progress", "--no-config"])
        .arg(top().join("action.yml"))
        .output()
        .unwrap();
    assert!(zizmor.status.success(), "{zizmor:?}");
}
