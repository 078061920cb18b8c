//! A small runner of GitHub workflows: jobs in the order of their needs, conditions, outputs, environments, and every `run` step
//! by a real bash in a workspace and a temporary folder of the job's own. Of `uses` steps it knows the cache; all others are
//! skipped, and named.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Map, Value, json};

use super::expression::{Scope, filled, holds, value};

/// A runner with what outlives a run: the cache.
pub struct Runner {
    folder: PathBuf,
    workflow: Value,
    /// By key, oldest first.
    cache: Vec<(String, PathBuf)>,
    runs: u64,
    /// Repository variables.
    pub vars: Value,
    /// What the runner itself sets.
    pub env: BTreeMap<String, String>,
}

/// What came of a run.
#[derive(Debug, Default)]
pub struct Ran {
    /// By job: `success`, `failure` or `skipped`.
    pub results: BTreeMap<String, String>,
    /// By job.
    pub outputs: BTreeMap<String, Map<String, Value>>,
    /// By job: what it printed, and its workspace.
    pub said: BTreeMap<String, String>,
    pub workspaces: BTreeMap<String, PathBuf>,
    /// The summary of all jobs.
    pub summary: String,
    /// Actions that were skipped.
    pub skipped: Vec<String>,
}

/// A job under way.
struct Job<'a> {
    workspace: PathBuf,
    temp: PathBuf,
    contexts: Value,
    env: BTreeMap<String, String>,
    permissions: &'a Value,
    /// Whether the host lets it save to the cache.
    saves: bool,
}

impl Runner {
    pub fn new(folder: &Path, workflow: &str) -> Runner {
        Runner {
            folder: folder.to_owned(),
            workflow: serde_norway::from_str(workflow).unwrap(),
            cache: Vec::new(),
            runs: 0,
            vars: json!({}),
            env: BTreeMap::new(),
        }
    }

    /// A runner of a composite action, as the one job `action`.
    pub fn of_action(folder: &Path, action: &str) -> Runner {
        let action: Value = serde_norway::from_str(action).unwrap();
        assert_eq!(action["runs"]["using"], "composite");
        let outputs = action["outputs"].as_object().unwrap();
        let outputs: Map<String, Value> =
            outputs.iter().map(|(name, output)| (name.clone(), output["value"].clone())).collect();
        let job = json!({ "permissions": {}, "outputs": outputs, "steps": action["runs"]["steps"] });
        Runner { workflow: json!({ "jobs": { "action": job } }), ..Runner::new(folder, "{}") }
    }

    /// Loses the cache.
    pub fn forget(&mut self) {
        self.cache.clear();
    }

    /// Runs it. `after` is told of every job that ran, with its permissions.
    pub fn run(&mut self, event_name: &str, event: &Value, mut after: impl FnMut(&str, &Value)) -> Ran {
        self.runs += 1;
        let mut ran = Ran::default();
        let workflow = self.workflow.clone();
        let jobs = workflow["jobs"].as_object().unwrap();
        while ran.results.len() < jobs.len() {
            let ready = |(name, job): &(&String, &Value)| {
                !ran.results.contains_key(*name)
                    && needs(job).iter().all(|need| ran.results.contains_key(need))
            };
            let (name, job) = jobs.iter().find(ready).unwrap();
            let success = needs(job).iter().all(|need| ran.results[need] == "success");
            let contexts = self.contexts(event_name, event, job, &ran);
            let condition = job["if"].as_str();
            let scope = Scope { contexts: &contexts, success };
            let decides_itself =
                condition.is_some_and(|text| text.contains("cancelled()") || text.contains("always()"));
            let runs =
                (success || decides_itself) && condition.is_none_or(|text| holds(&value(text, &scope)));
            let result = if runs { self.job(name, job, contexts, &mut ran) } else { "skipped" };
            ran.results.insert(name.clone(), result.to_owned());
            if runs {
                after(name, &job["permissions"]);
            }
        }
        ran
    }

    fn contexts(&self, event_name: &str, event: &Value, job: &Value, ran: &Ran) -> Value {
        let needed = |need: String| {
            let outputs = ran.outputs.get(&need).cloned().unwrap_or_default();
            let result = ran.results[&need].clone();
            (need, json!({ "outputs": outputs, "result": result }))
        };
        let needs: Map<String, Value> = needs(job).into_iter().map(needed).collect();
        json!({
            "github": {
                "event": event, "event_name": event_name, "token": "ghs_of_the_job",
                "run_id": 4000 + self.runs, "run_attempt": 1,
            },
            "vars": self.vars, "needs": needs, "inputs": event.get("inputs").cloned().unwrap_or_default(),
            "runner": { "os": "Linux", "arch": "X64" }, "steps": {}, "strategy": { "job-index": 0 },
        })
    }

    fn job(&mut self, name: &str, job: &Value, mut contexts: Value, ran: &mut Ran) -> &'static str {
        let folder = self.folder.join(format!("{}-{name}", self.runs));
        let (workspace, temp) = (folder.join("workspace"), folder.join("temp"));
        fs::create_dir_all(&workspace).unwrap();
        fs::create_dir_all(&temp).unwrap();
        contexts["runner"]["temp"] = Value::from(temp.display().to_string());
        let mut env = self.env.clone();
        env.insert("RUNNER_TEMP".to_owned(), temp.display().to_string());
        env.insert("GITHUB_STEP_SUMMARY".to_owned(), folder.join("summary").display().to_string());
        ran.workspaces.insert(name.to_owned(), workspace.clone());
        // Outsiders can start runs by this event: without the word the job's token only reads the cache.
        let saves = contexts["github"]["event_name"] != "workflow_run" || job["cache-mode"] == "write";
        let permissions = &job["permissions"];
        let mut job_env = Job { workspace, temp, contexts, env, permissions, saves };
        assert!(!job_env.permissions.is_null(), "{name} says what it may do");
        job_env.add(&self.workflow["env"]);
        let mut result = "success";
        for step in job["steps"].as_array().unwrap() {
            let scope = Scope { contexts: &job_env.contexts, success: true };
            let condition = step["if"].as_str();
            let too_late = result == "failure" && !condition.is_some_and(|text| text.contains("always()"));
            let outcome = if too_late || condition.is_some_and(|text| !holds(&value(text, &scope))) {
                "skipped"
            } else if let Some(action) = step["uses"].as_str() {
                self.uses(action, step, &job_env, ran);
                "success"
            } else if job_env.step(step, ran.said.entry(name.to_owned()).or_default()) {
                "success"
            } else {
                result = "failure";
                "failure"
            };
            if let Some(id) = step["id"].as_str() {
                job_env.contexts["steps"][id]["outcome"] = Value::from(outcome);
            }
        }
        let scope = Scope { contexts: &job_env.contexts, success: true };
        let outputs = job["outputs"].as_object().cloned().unwrap_or_default();
        let filled = outputs
            .into_iter()
            .map(|(name, text)| (name, Value::from(filled(text.as_str().unwrap(), &scope))));
        ran.outputs.insert(name.to_owned(), filled.collect());
        ran.summary += &fs::read_to_string(folder.join("summary")).unwrap_or_default();
        result
    }

    fn uses(&mut self, action: &str, step: &Value, job: &Job<'_>, ran: &mut Ran) {
        let scope = Scope { contexts: &job.contexts, success: true };
        let (action, commit) = action.split_once('@').unwrap();
        assert!(commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit()), "{action} is pinned");
        let with = |name: &str| step["with"][name].as_str().map(|text| filled(text, &scope));
        match action {
            "actions/cache/save" => {
                let (key, path) = (with("key").unwrap(), with("path").unwrap());
                assert!(job.saves, "{key}: the job's token may only read the cache");
                assert!(self.cache.iter().all(|(known, _)| *known != key), "{key} is written twice");
                let kept = self.folder.join(format!("cache-{}", self.cache.len()));
                copy(&job.workspace.join(path), &kept);
                self.cache.push((key, kept));
            }
            // The latter saves at the end of a job what it did not find; nothing of that kind is made here.
            "actions/cache/restore" | "actions/cache" => {
                let (key, begins) = (with("key").unwrap(), with("restore-keys").unwrap_or_default());
                let exact = self.cache.iter().find(|(known, _)| *known == key);
                let newest = self
                    .cache
                    .iter()
                    .rev()
                    .find(|(known, _)| !begins.is_empty() && known.starts_with(&begins));
                if let Some((_, kept)) = exact.or(newest) {
                    copy(kept, &job.workspace.join(with("path").unwrap()));
                }
            }
            other => ran.skipped.push(other.to_owned()),
        }
    }
}

impl Job<'_> {
    fn add(&mut self, env: &Value) {
        for (name, text) in env.as_object().into_iter().flatten() {
            let scope = Scope { contexts: &self.contexts, success: true };
            let text = text.as_str().map_or_else(|| text.to_string(), |text| filled(text, &scope));
            self.env.insert(name.clone(), text);
        }
    }

    /// Whether it ended well.
    fn step(&mut self, step: &Value, said: &mut String) -> bool {
        let script = step["run"].as_str().unwrap();
        assert!(!script.contains("${{"), "nothing is filled into a script: {script}");
        let before = self.env.clone();
        self.add(&step["env"]);
        let output = self.temp.join("output");
        fs::write(&output, "").unwrap();
        let mut bash = Command::new("bash");
        bash.args(["--noprofile", "--norc", "-e"]).env_clear();
        // Only where the shell is named.
        if step["shell"] == "bash" {
            bash.args(["-o", "pipefail"]);
        }
        bash.args(["-c", script]);
        let scope = Scope { contexts: &self.contexts, success: true };
        let place = step["working-directory"].as_str().map_or_else(String::new, |text| filled(text, &scope));
        let place = self.workspace.join(place);
        bash.envs(&self.env).env("GITHUB_OUTPUT", &output).current_dir(place);
        self.env = before;
        let ended = bash.output().unwrap();
        said.push_str(&String::from_utf8_lossy(&ended.stdout));
        said.push_str(&String::from_utf8_lossy(&ended.stderr));
        if let Some(id) = step["id"].as_str() {
            let lines = fs::read_to_string(&output).unwrap();
            let outputs = lines.lines().map(|line| line.split_once('=').unwrap());
            let outputs: Map<String, Value> =
                outputs.map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
            self.contexts["steps"][id] = json!({ "outputs": outputs });
        }
        ended.status.success()
    }
}

fn needs(job: &Value) -> Vec<String> {
    match &job["needs"] {
        Value::String(one) => vec![one.clone()],
        Value::Array(all) => all.iter().map(|need| need.as_str().unwrap().to_owned()).collect(),
        _ => Vec::new(),
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
