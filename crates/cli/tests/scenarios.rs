//! The lab suite: every file of `scenarios/` is a really broken project, run through the real binary and the real
//! package manager. What can be healed must be; everything else must be left exactly as it was, and run once.
//!
//! With `REGREEN_LAB_RECORD=FILE` each run appends a line for `cargo xtask measure --lab FILE`.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::Instant,
};

use libtest_mimic::{Arguments, Failed, Trial};
use regreen_lab::{
    Lab, PackageManager, Project, Script,
    damage::{CacheDamage, LockfileDamage},
};
use serde::Deserialize;
use serde_json::Value;

#[path = "support/record.rs"]
mod record;

/// One scenario. Its id is the file's name.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Scenario {
    title: String,
    tool: Tool,
    /// The class that the fault is of.
    truth: String,
    /// Classes that an expert would accept too.
    #[serde(default)]
    also: Vec<String>,
    #[serde(default)]
    setting: Setting,
    /// The wrapped command; the project's own install where there is none.
    command: Option<Vec<String>>,
    #[serde(default)]
    lockfile: Option<LockfileDamage>,
    #[serde(default)]
    cache: Option<CacheDamage>,
    /// The registry's faults.
    #[serde(default)]
    registry: Script,
    /// A second registry, as the operator's mirror.
    #[serde(default)]
    mirror: bool,
    /// Whether the cache is filled before anything breaks.
    #[serde(default)]
    warm: bool,
    /// Files to commit before anything breaks.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// Whether the damage is committed.
    #[serde(default)]
    committed: bool,
    /// A branch off `origin/main`, on which an earlier commit holds another checksum than the present one.
    #[serde(default)]
    evil_history: bool,
    #[serde(default)]
    env: BTreeMap<String, String>,
    expect: Expect,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Tool {
    Npm,
    Cargo,
    Pip,
}

/// Where it happens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Setting {
    /// A CI job.
    #[default]
    Ci,
    /// A laptop.
    Laptop,
    /// A CI job of a pull request against `main`.
    PullRequest,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    outcome: String,
    #[serde(default)]
    because: Option<String>,
}

fn main() {
    let arguments = Arguments::from_args();
    let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let folder = Path::new(&here).join("tests/scenarios");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let trials = files
        .into_iter()
        .map(|path| {
            let id = path.file_stem().unwrap().to_string_lossy().into_owned();
            let scenario: Scenario = toml::from_str(&fs::read_to_string(&path).unwrap())
                .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            Trial::test(id.clone(), move || run(&id, &scenario).map_err(Failed::from))
        })
        .collect();
    libtest_mimic::run(&arguments, trials).exit();
}

fn run(id: &str, scenario: &Scenario) -> Result<(), String> {
    let folder = tempfile::Builder::new().prefix("regreen-scenario-").tempdir().unwrap();
    let manager = match scenario.tool {
        Tool::Npm => PackageManager::Npm,
        Tool::Cargo => PackageManager::Cargo,
        Tool::Pip => PackageManager::Pip,
    };
    let lab = Lab::start().map_err(|e| e.to_string())?;
    let mirror = scenario.mirror.then(|| Lab::start().unwrap());
    let project = Project::create(manager, folder.path(), &lab).map_err(|e| e.to_string())?;
    let argv: Vec<String> = match &scenario.command {
        Some(argv) => argv.clone(),
        None => project.install_argv().iter().map(|a| (*a).to_owned()).collect(),
    };
    stage(scenario, &project, &lab)?;
    let before = picture(&project.root());
    let counter = count_calls(folder.path(), &project, &argv);
    let started = Instant::now();
    let report = folder.path().join("report.json");
    let output = regreen(scenario, folder.path(), &project, &argv, &report, mirror.as_ref());
    let took = started.elapsed();
    let report: Value =
        fs::read_to_string(&report).ok().and_then(|t| serde_json::from_str(&t).ok()).unwrap_or_default();
    record::run(&scenario.truth, &scenario.also, &report);
    let runs = fs::read_to_string(&counter).unwrap_or_default().lines().count();
    let verdict = judge(scenario, &output, &report, runs, before == picture(&project.root()));
    let left = leftovers(folder.path());
    let verdict = if left.is_empty() { verdict } else { verdict.and(Err(format!("left behind: {left:?}"))) };
    verdict.map_err(|why| {
        let shown = String::from_utf8_lossy(&output.stderr).into_owned();
        format!("{id} ({}) after {took:.1?}: {why}\n{report:#}\n{shown}", scenario.title)
    })
}

fn stage(scenario: &Scenario, project: &Project, lab: &Lab) -> Result<(), String> {
    let fail = |e: regreen_lab::LabError| e.to_string();
    for (path, text) in &scenario.files {
        let path = project.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        if text.starts_with("#!") {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
    let pull_request = scenario.setting == Setting::PullRequest;
    if pull_request {
        project.publish_as_base().map_err(fail)?;
        project.start_branch("feature").map_err(fail)?;
    }
    if !scenario.files.is_empty() {
        project.commit("files").map_err(fail)?;
    }
    if scenario.warm {
        project.warm_cache().map_err(fail)?;
    }
    if scenario.evil_history {
        // The base does not hold the package at all; the first commit of the branch brings it with the attacker's
        // checksum, the second puts the honest one in its place.
        let honest = fs::read(project.lockfile()).unwrap();
        project
            .git(&["rm", "-q", "--cached", project.lockfile().file_name().unwrap().to_str().unwrap()])
            .map_err(fail)?;
        project.git(&["commit", "-q", "-m", "base without a lockfile"]).map_err(fail)?;
        project.publish_as_base().map_err(fail)?;
        LockfileDamage::TamperedChecksum.apply(project).map_err(fail)?;
        project.commit("evil").map_err(fail)?;
        fs::write(project.lockfile(), honest).unwrap();
        project.commit("honest").map_err(fail)?;
    }
    if let Some(damage) = scenario.lockfile {
        damage.apply(project).map_err(fail)?;
    }
    if let Some(damage) = scenario.cache {
        damage.apply(project).map_err(fail)?;
        // What cargo had unpacked before the damage would hide damage to a crate.
        if matches!(damage, CacheDamage::Flipped | CacheDamage::Truncated | CacheDamage::IsFolder) {
            let _absent = fs::remove_dir_all(project.cache().join("registry/src"));
        }
    }
    if scenario.committed {
        project.commit("damage").map_err(fail)?;
    }
    lab.set_script(scenario.registry.clone());
    Ok(())
}

/// Puts a script in front of the wrapped program that counts the calls with exactly these arguments.
fn count_calls(folder: &Path, project: &Project, argv: &[String]) -> PathBuf {
    let counter = folder.join("calls");
    let shims = folder.join("shims");
    fs::create_dir(&shims).unwrap();
    let path = project.env().iter().find(|(k, _)| *k == "PATH").map(|(_, v)| v.clone()).unwrap();
    let real = env::split_paths(&path).map(|p| p.join(&argv[0])).find(|p| p.is_file());
    if let Some(real) = real {
        let script = format!(
            "#!/bin/sh\nif [ \"$*\" = '{}' ]; then echo call >> '{}'; fi\nexec '{}' \"$@\"\n",
            argv[1..].join(" "),
            counter.display(),
            real.display()
        );
        let shim = shims.join(&argv[0]);
        fs::write(&shim, script).unwrap();
        fs::set_permissions(&shim, fs::Permissions::from_mode(0o755)).unwrap();
    }
    counter
}

fn regreen(
    scenario: &Scenario,
    folder: &Path,
    project: &Project,
    argv: &[String],
    report: &Path,
    mirror: Option<&Lab>,
) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_regreen"));
    command.env_clear().envs(project.env().iter().map(|(k, v)| (k, v)));
    let path = project.env().iter().find(|(k, _)| *k == "PATH").map(|(_, v)| v.clone()).unwrap();
    let paths = std::iter::once(folder.join("shims")).chain(env::split_paths(&path));
    command.env("PATH", env::join_paths(paths).unwrap()).env("XDG_STATE_HOME", folder.join("state"));
    if scenario.setting != Setting::Laptop {
        command.env("CI", "true");
    }
    if scenario.setting == Setting::PullRequest {
        command.env("GITHUB_BASE_REF", "main");
    }
    command.envs(&scenario.env);
    command.arg("run").arg("--report").arg(report);
    if let Some(mirror) = mirror {
        let config = folder.join("operator.toml");
        let url = mirror.registry_url(project.manager());
        let tool = match project.manager() {
            PackageManager::Npm => "npm",
            PackageManager::Cargo => "cargo",
            PackageManager::Pip => "pip",
        };
        let url = url.trim_start_matches("sparse+");
        fs::write(&config, format!("[[mirror]]\ntool = \"{tool}\"\nurl = \"{url}\"\n")).unwrap();
        command.arg("--config").arg(config);
    }
    let argv: Vec<OsString> = argv.iter().map(OsString::from).collect();
    command.arg("--").args(argv).current_dir(project.root()).stdin(Stdio::null()).output().unwrap()
}

fn judge(
    scenario: &Scenario,
    output: &Output,
    report: &Value,
    runs: usize,
    same: bool,
) -> Result<(), String> {
    let want = &scenario.expect;
    let outcome = report["outcome"].as_str().unwrap_or("none");
    if outcome != want.outcome {
        return Err(format!("the outcome is `{outcome}`, not `{}`", want.outcome));
    }
    if let Some(because) = &want.because
        && report["because"].as_str() != Some(because)
    {
        return Err(format!("because of {}, not `{because}`", report["because"]));
    }
    let code = output.status.code().unwrap_or(-1);
    if outcome == "healed" {
        let class = report["class"].as_str().unwrap_or_default();
        let right = class == scenario.truth || scenario.also.iter().any(|a| a == class);
        return match (code, right) {
            (0, true) => Ok(()),
            (0, false) => Err(format!("healed as `{class}`, but it is `{}`", scenario.truth)),
            (code, _) => Err(format!("healed, but the exit code is {code}")),
        };
    }
    if code == 0 {
        return Err("not healed, but the exit code is 0".to_owned());
    }
    if runs > 1 {
        return Err(format!("the command ran {runs} times"));
    }
    if !same {
        return Err("the workspace is not as it was".to_owned());
    }
    Ok(())
}

/// Every file of the workspace with its bytes, without git's own, what tools install, and what npm logs.
fn picture(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut todo = vec![root.to_owned()];
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            match path.is_dir() {
                true if [".git", "node_modules", "target", ".venv", "__pycache__"]
                    .contains(&name.as_str()) => {}
                true => todo.push(path),
                false => drop(files.insert(path.clone(), fs::read(&path).unwrap())),
            }
        }
    }
    files
}

/// Copies and quarantines that outlived their run.
fn leftovers(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut todo = vec![folder.join("state"), folder.join("cache"), folder.join("app")];
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let in_before = path.parent().is_some_and(|p| p.ends_with("before"));
            if in_before || name == "open" || name == ".regreen-quarantine" || name.starts_with(".regreen-") {
                found.push(path.clone());
            }
            if path.is_dir() && !path.is_symlink() {
                todo.push(path);
            }
        }
    }
    found
}
