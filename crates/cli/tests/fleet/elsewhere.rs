//! GitLab's job, alone and as a component, and what is shipped for other CI systems.

use std::{
    collections::BTreeSet,
    fs,
    process::{Command, Output},
};

use regreen_lab::forge;
use serde_json::Value;

use super::{
    NETWORK, Stage,
    standin::{Release, another, program, top},
};

/// The scripts of GitLab's job, one after the other in one shell, as its runner does it.
fn script(job: &Value) -> String {
    let lines = |part: &Value| {
        part.as_array().unwrap().iter().map(|l| l.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    [lines(&job[".regreen-setup"]["before_script"]), lines(&job["infrastructure-auto-healing"]["script"])]
        .concat()
        .join("\n")
}

/// A job of GitLab's that failed, and the scripts that look after it.
pub struct Job {
    pub stage: Stage,
    pub host: forge::gitlab::GitLab,
    pipeline: u64,
}

const PROJECT: &str = "octo-org/tools/rake";

impl Job {
    pub fn new() -> Job {
        let stage = Stage::new("observe");
        let host = forge::gitlab::GitLab::start().unwrap();
        host.world().token = Some("glpat-test".to_owned());
        host.world().add(PROJECT, &[("a", b"1\n")]);
        let (pipeline, _) = host.world().add_failed(PROJECT, &[("build", NETWORK)]);
        fs::create_dir_all(stage.path("workspace")).unwrap();
        Job { stage, host, pipeline }
    }

    /// The file that `init gitlab` writes.
    pub fn written(&self) -> String {
        let root = self.stage.path("repository");
        fs::create_dir_all(&root).unwrap();
        assert!(Command::new("git").args(["init", "-q"]).current_dir(&root).status().unwrap().success());
        let said = self.stage.regreen(&["init", "gitlab", "--yes"]).current_dir(&root).output().unwrap();
        assert!(said.status.success(), "{said:?}");
        fs::read_to_string(root.join(".gitlab/ci/infrastructure-auto-healing.yml")).unwrap()
    }

    /// Runs the scripts of this file's job.
    pub fn run(&self, text: &str, env: &[(&str, &str)]) -> Output {
        let job: Value = serde_norway::from_str(text).unwrap();
        self.bash(&script(&job), &job, env)
    }

    /// Runs what a job says that extends this file's `.regreen-setup`.
    pub fn extended(&self, text: &str, says: &str, env: &[(&str, &str)]) -> Output {
        let job: Value = serde_norway::from_str(text).unwrap();
        let before = job[".regreen-setup"]["before_script"][0].as_str().unwrap();
        self.bash(&format!("{before}\n{says}"), &job, env)
    }

    fn bash(&self, script: &str, job: &Value, env: &[(&str, &str)]) -> Output {
        let mut bash = Command::new("bash");
        bash.args(["-e", "-o", "pipefail", "-c", script])
            .env_clear()
            .current_dir(self.stage.path("workspace"));
        bash.env("PATH", std::env::var("PATH").unwrap()).env("HOME", self.stage.path("home"));
        bash.env("CI_SERVER_URL", self.host.url()).env("CI_PROJECT_PATH", PROJECT);
        bash.env("REGREEN_GITLAB_TOKEN", "glpat-test").env("REGREEN_LOG_STORE", "none");
        let variables = job[".regreen-setup"]["variables"].as_object().unwrap();
        bash.envs(variables.iter().map(|(name, value)| (name, value.as_str().unwrap())));
        bash.envs(env.iter().copied()).output().unwrap()
    }
}

/// The jobs of the component, with its inputs filled in.
pub fn component(sha256: &str) -> String {
    let component = top().join("integrations/gitlab/templates/infrastructure-auto-healing.yml");
    let component = fs::read_to_string(component).unwrap();
    let (_, jobs) = component.split_once("\n---\n").unwrap();
    let inputs =
        [("mode", "auto"), ("version", env!("CARGO_PKG_VERSION")), ("sha256", sha256), ("stage", "test")];
    let filled =
        |text: String, (name, value): &(&str, &str)| text.replace(&format!("$[[ inputs.{name} ]]"), value);
    inputs.iter().fold(jobs.to_owned(), filled)
}

#[test]
fn gitlabs_job_retries_what_the_network_failed_and_sees_its_end() {
    let job = Job::new();
    let text = job.written();
    let go = || {
        let env = [("REGREEN_MODE", "auto"), ("REGREEN_BINARY", env!("CARGO_BIN_EXE_regreen"))];
        let ended = job.run(&text, &env);
        assert!(ended.status.success(), "{ended:?}");
        String::from_utf8(ended.stdout).unwrap()
    };
    let said = go();
    assert!(said.contains("under-way"), "{said}");
    assert_eq!(job.host.world().count("POST", "/retry"), 1);
    job.host.world().pipeline(PROJECT, job.pipeline).unwrap().finish("success");
    let said = go();
    assert!(said.contains("healed"), "{said}");
    assert_eq!(job.host.world().count("POST", ""), 1);
    let metrics = fs::read(job.stage.path("workspace/infrastructure-auto-healing-metrics.json")).unwrap();
    let metrics: Value = serde_json::from_slice(&metrics).unwrap();
    assert_eq!(metrics["current_metrics"]["recovery_orchestration"]["success_rate"], 1.0, "{metrics:#}");
}

#[test]
fn the_component_fetches_the_release_that_was_meant_and_does_the_same() {
    let job = Job::new();
    let release = Release::of(&job.stage);
    let go = |sha256: &str| job.run(&component(sha256), &[("PATH", &release.path)]);
    assert!(!component("x").contains("$[["));
    let right = release.sha256(release.program);
    let refused = go(&another(&right));
    assert!(!refused.status.success() && job.host.world().calls.is_empty(), "{refused:?}");
    assert!(!release.unpacked(), "nothing reads what was not checked");
    let ended = go(&right);
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(job.host.world().count("POST", "/retry"), 1);
    let version = env!("CARGO_PKG_VERSION");
    let address =
        format!("https://github.com/regreen/regreen/releases/download/v{version}/regreen-linux-amd64");
    assert_eq!(release.asked(), [address.clone(), address]);
}

#[test]
fn the_script_for_other_systems_puts_there_what_was_meant_and_nothing_else() {
    let stage = Stage::new("observe");
    let release = Release::of(&stage);
    let right = release.sha256(&release.archive);
    let install = |sha256: &str, folder: &str| {
        let mut sh = Command::new("sh");
        sh.arg(top().canonicalize().unwrap().join("integrations/install.sh")).arg(folder);
        sh.env_clear().env("PATH", &release.path).current_dir(stage.path("empty"));
        let version = env!("CARGO_PKG_VERSION");
        let ended = sh.env("REGREEN_VERSION", version).env("REGREEN_SHA256", sha256).output().unwrap();
        (ended.status.success(), stage.path("empty").join(folder).join("regreen"))
    };
    let (ended, program) = install(&right, "right");
    assert!(ended);
    let version = Command::new(program).arg("--version").output().unwrap();
    assert_eq!(version.stdout, format!("regreen {}\n", env!("CARGO_PKG_VERSION")).as_bytes());
    let left = fs::read_dir(stage.path("empty/right")).unwrap().count();
    assert_eq!(left, 1, "the archive is taken away");
    assert!(release.unpacked());
    let (ended, program) = install(&another(&right), "wrong");
    assert!(!ended && !program.exists());
    let (ended, program) = install("", "none");
    assert!(!ended && !program.exists());
    assert!(!release.unpacked(), "nothing reads what was not checked");
}

/// A CI system for which a file is shipped: what that has a shell do, in a folder with the script that fetches Regreen.
pub struct System {
    pub name: &'static str,
    scripts: Vec<String>,
    variables: Value,
    /// What the system itself sets.
    own: (&'static str, &'static str),
}

impl System {
    pub fn all() -> [System; 3] {
        let file = |name: &str| -> Value {
            let text = fs::read_to_string(top().join("integrations").join(name)).unwrap();
            serde_norway::from_str(&text).unwrap()
        };
        let (circle, azure) = (file("circleci/config.yml"), file("azure/azure-pipelines.yml"));
        let buildkite = file("buildkite/pipeline.yml");
        let circle = &circle["commands"]["regreen"]["steps"][1]["run"];
        let made = |name, own, scripts: &[&Value], variables: &Value| {
            let scripts = scripts.iter().map(|script| script.as_str().unwrap().to_owned()).collect();
            System { name, scripts, variables: variables.clone(), own }
        };
        let commands: Vec<&Value> = buildkite["steps"][0]["command"].as_array().unwrap().iter().collect();
        [
            made("circleci", ("CIRCLECI", "true"), &[&circle["command"]], &circle["environment"]),
            made(
                "azure",
                ("TF_BUILD", "True"),
                &[&azure["steps"][2]["bash"], &azure["steps"][3]["bash"]],
                &azure["variables"],
            ),
            made("buildkite", ("BUILDKITE", "true"), &commands, &buildkite["env"]),
        ]
    }

    /// Does it on a runner that knows nothing; how that ends, and what is said.
    pub fn run(&self, stage: &Stage, home: &str, path: &str, sha256: &str) -> (Option<i32>, String) {
        let workspace = stage.path(self.name);
        let folder = workspace.join(format!(".{}", self.name));
        fs::create_dir_all(&folder).unwrap();
        fs::copy(top().join("integrations/install.sh"), folder.join("install-regreen.sh")).unwrap();
        let mut said = String::new();
        for script in &self.scripts {
            let mut bash = Command::new("bash");
            bash.args(["-e", "-o", "pipefail", "-c", script]).current_dir(&workspace);
            bash.env_clear().env("PATH", path).env("HOME", stage.path(home)).env("CI", "true");
            bash.env(self.own.0, self.own.1)
                .env("AGENT_TEMPDIRECTORY", workspace.join("temp"))
                .env("PIPELINE_WORKSPACE", &workspace)
                .env("COMMAND", "npm ci")
                .env("MODE", "auto")
                .env("REGREEN_VERSION", env!("CARGO_PKG_VERSION"))
                .env("REGREEN_SHA256", sha256);
            let ended = bash.output().unwrap();
            said += &String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat());
            if !ended.status.success() {
                return (ended.status.code(), said);
            }
        }
        (Some(0), said)
    }
}

#[test]
fn the_scripts_of_circleci_azure_and_buildkite_keep_a_failure_and_what_is_known_of_it() {
    let stage = Stage::new("observe");
    let release = Release::of(&stage);
    let fails = "echo 'error[E0425]: cannot find value `x` in this scope'; echo ' --> src/a.rs:3:1'
                 echo 'error: could not compile `a` (lib) due to 1 previous error'; exit 7";
    let path = program(&stage, "npm", fails);
    for system in System::all() {
        let name = system.name;
        assert_eq!(system.variables["REGREEN_VERSION"], env!("CARGO_PKG_VERSION"), "{name}");
        let run = |home| {
            let (code, said) = system.run(&stage, home, &path, &release.sha256(&release.archive));
            assert_eq!(code, Some(7), "{name}: {said}");
            said
        };
        run("first");
        let folder = stage.path(if name == "azure" { "azure/temp" } else { name });
        let report: Value =
            serde_json::from_slice(&fs::read(folder.join("regreen-report.json")).unwrap()).unwrap();
        assert_eq!(
            (&report["verdict"], &report["outcome"]),
            (&"code".into(), &"left-alone".into()),
            "{name}"
        );
        let said = run("second");
        assert_eq!(said.contains("imported: 1 incident(s)"), name != "buildkite", "{name}: {said}");
    }
}

#[test]
fn the_page_says_every_option_of_jenkins_step_and_what_the_hook_needs() {
    let page = fs::read_to_string(top().join("docs/other-ci.md")).unwrap();
    let section = |name: &str| page.split_once(name).unwrap().1.split("\n## ").next().unwrap();
    let step = fs::read_to_string(top().join("integrations/jenkins/vars/regreen.groovy")).unwrap();
    let named = step.split("options.").skip(1).map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next());
    let named: BTreeSet<&str> = named.flatten().collect();
    assert!(named.len() > 1, "{step}");
    for option in named {
        assert!(section("\n## Jenkins\n").contains(&format!("\n| `{option}` | ")), "{option}");
    }
    assert!(section("\n## Before a commit\n").contains("on your PATH"));
    // A step of a numbered list stands in it.
    let gitlab = section("\n## GitLab\n");
    let step = gitlab.lines().find(|line| line.contains("`stages:`")).unwrap();
    assert!(step.starts_with("4. "), "{step}");
}

/// The hook as pre-commit runs it, from a repository that has it.
#[test]
fn pre_commit_runs_the_hook() {
    let tool = top().canonicalize().unwrap().join("target/tools/pre-commit/bin/pre-commit");
    assert!(tool.exists(), "pre-commit is not there: run scripts/test once");
    let stage = Stage::new("observe");
    let made = |name: &str, files: &[(&str, &str)]| {
        let folder = stage.path(name);
        fs::create_dir_all(&folder).unwrap();
        for (file, text) in files {
            fs::write(folder.join(file), text).unwrap();
        }
        for words in [
            &["init", "-q"][..],
            &["add", "--all"],
            &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a"],
        ] {
            // Whoever runs this may sign what they commit, or have hooks of their own.
            let mut git = Command::new("git");
            git.args(words).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
            assert!(git.current_dir(&folder).status().unwrap().success());
        }
        folder
    };
    let hooks = fs::read_to_string(top().join(".pre-commit-hooks.yaml")).unwrap();
    let hooks = made("hooks", &[(".pre-commit-hooks.yaml", &hooks)]);
    let sound = "{\"name\":\"a\",\"version\":\"1.0.0\",\"lockfileVersion\":3,\"requires\":true,\"packages\":{\"\":{\"name\":\"a\",\"version\":\"1.0.0\"}}}\n";
    let manifest = ("package.json", "{\"name\":\"a\",\"version\":\"1.0.0\"}\n");
    let regreen = std::path::Path::new(env!("CARGO_BIN_EXE_regreen")).parent().unwrap();
    for (name, lockfile, ends) in [("sound", sound, true), ("broken", &sound[..60], false)] {
        let project = made(name, &[manifest, ("package-lock.json", lockfile), ("README", "x\n")]);
        let path = format!("{}:{}", regreen.display(), std::env::var("PATH").unwrap());
        let mut hook = Command::new(&tool);
        hook.args([
            "try-repo".as_ref(),
            hooks.as_os_str(),
            "regreen-lockfile-check".as_ref(),
            "--all-files".as_ref(),
            "--color=never".as_ref(),
        ]);
        let said = hook
            .current_dir(&project)
            .env_clear()
            .env("PATH", path)
            .env("HOME", stage.path("home"))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap();
        let out = String::from_utf8_lossy(&said.stdout).into_owned();
        assert_eq!(said.status.success(), ends, "{said:?}");
        assert!(
            out.contains("check lockfiles")
                && out.contains(if ends { "Passed" } else { "package-lock.json" }),
            "{out}"
        );
    }
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
}
