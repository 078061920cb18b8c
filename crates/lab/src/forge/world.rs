//! What the stand-in knows, and what was done to it.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use super::{
    fault::Trouble,
    git::{Git, Pull},
    social::{Check, Comment, Issue},
};

/// Everything.
#[derive(Debug)]
pub struct World {
    /// By `owner/name`.
    pub repositories: BTreeMap<String, Repository>,
    /// What goes wrong, in order; each applies to the first calls that it fits.
    pub troubles: Vec<Trouble>,
    /// Every call, in order, also those that went wrong.
    pub calls: Vec<Call>,
    /// The hourly limit.
    pub quota: Quota,
    /// The only token that is taken; `None` where any is, and none too.
    pub token: Option<String>,
    /// Whether repositories are open only to tokens of the app's installation.
    pub app_only: bool,
    /// Tokens of the installation, with when they expire.
    pub installation_tokens: Vec<(String, SystemTime)>,
    /// For how long they are good.
    pub token_life: Duration,
    /// Who asks, as `GET /user` says it.
    pub login: String,
    /// The address that its links name: a proxy's, where one stands before it.
    pub shown_as: String,
    /// Where logs lie, if not here.
    pub logs_at: Option<String>,
    /// Whether reads carry a tag, and are answered by 304 where nothing changed.
    pub tags: bool,
    pub(super) last_id: u64,
}

/// The hourly limit.
#[derive(Debug, Clone, Copy)]
pub struct Quota {
    /// Calls an hour.
    pub limit: u64,
    /// Calls left.
    pub remaining: u64,
    /// When it is full again, in seconds since 1970.
    pub reset: u64,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// `GET`, …
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Its body as text.
    pub body: String,
    /// Whether it carried a credential.
    pub authorized: bool,
    /// What was answered; 0 where nothing was.
    pub status: u16,
}

/// A repository.
#[derive(Debug)]
pub struct Repository {
    /// Its id.
    pub id: u64,
    /// Its default branch.
    pub default_branch: String,
    /// Its runs; listed by when they were made.
    pub runs: Vec<Run>,
    /// Its caches.
    pub caches: Vec<Cache>,
    /// Its issues.
    pub issues: Vec<Issue>,
    /// Comments on its issues and pull requests.
    pub comments: Vec<Comment>,
    /// Verdicts beside its commits.
    pub checks: Vec<Check>,
    /// Its pull requests.
    pub pulls: Vec<Pull>,
    /// Its branches and what they hold.
    pub git: Git,
    /// What accounts may do, by login: `admin`, `write`, `read`, `none`. Others may read.
    pub permissions: BTreeMap<String, String>,
    /// Workflows that were started: file, ref, inputs.
    pub dispatched: Vec<(String, String, String)>,
}

/// A run of a workflow.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its id.
    pub id: u64,
    /// The workflow's name.
    pub name: String,
    /// The commit.
    pub head_sha: String,
    /// The branch.
    pub head_branch: String,
    /// What started it.
    pub event: String,
    /// From 1.
    pub attempt: u32,
    /// `queued`, `in_progress`, `completed`.
    pub status: String,
    /// How it ended.
    pub conclusion: Option<String>,
    /// When it was made.
    pub created_at: SystemTime,
    /// From a fork.
    pub from_fork: bool,
    /// The jobs of all attempts.
    pub jobs: Vec<Job>,
    /// How the attempts to come end, at once; where there is none, an attempt runs until [`Repository::finish`].
    pub next: Vec<String>,
}

/// A job.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its id.
    pub id: u64,
    /// The attempt it is of.
    pub attempt: u32,
    /// Its name.
    pub name: String,
    /// How it ended; `None` while it runs.
    pub conclusion: Option<String>,
    /// Its steps.
    pub steps: Vec<Step>,
    /// How long it took, in seconds.
    pub seconds: u64,
    /// Its log; `None` where it is kept no longer.
    pub log: Option<Vec<u8>>,
    /// What was noted beside it: level and message.
    pub annotations: Vec<(String, String)>,
}

/// A step of a job.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// How it ended.
    pub conclusion: String,
}

/// A cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    /// Its id.
    pub id: u64,
    /// Its key.
    pub key: String,
    /// Its ref.
    pub reference: String,
    /// Its size.
    pub bytes: u64,
}

impl Default for World {
    fn default() -> Self {
        let hour = SystemTime::now() + Duration::from_secs(3600);
        let reset = hour.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        World {
            repositories: BTreeMap::new(),
            troubles: Vec::new(),
            calls: Vec::new(),
            quota: Quota { limit: 5000, remaining: 5000, reset },
            token: None,
            app_only: false,
            installation_tokens: Vec::new(),
            token_life: Duration::from_secs(3600),
            login: "octocat".to_owned(),
            shown_as: String::new(),
            logs_at: None,
            tags: true,
            last_id: 1000,
        }
    }
}

impl World {
    /// A number that was not given before.
    pub fn new_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// A new repository `owner/name` with a branch `main` that holds these files.
    pub fn add(&mut self, name: &str, files: &[(&str, &[u8])]) -> &mut Repository {
        let id = self.new_id();
        let repository = Repository {
            id,
            default_branch: "main".to_owned(),
            runs: Vec::new(),
            caches: Vec::new(),
            issues: Vec::new(),
            comments: Vec::new(),
            checks: Vec::new(),
            pulls: Vec::new(),
            git: Git::with("main", files),
            permissions: BTreeMap::new(),
            dispatched: Vec::new(),
        };
        self.repositories.entry(name.to_owned()).insert_entry(repository).into_mut()
    }

    /// A run of that repository that ended an hour ago, with one failed job that has this log. Its id and the job's.
    pub fn add_failed(&mut self, repository: &str, log: &[u8]) -> (u64, u64) {
        let (run, job) = (self.new_id(), self.new_id());
        let Some(repository) = self.repositories.get_mut(repository) else { return (0, 0) };
        let head_sha = repository.git.refs.get("main").cloned().unwrap_or_default();
        repository.runs.push(Run {
            id: run,
            name: "CI".to_owned(),
            head_sha,
            head_branch: "main".to_owned(),
            event: "push".to_owned(),
            attempt: 1,
            status: "completed".to_owned(),
            conclusion: Some("failure".to_owned()),
            created_at: SystemTime::now() - Duration::from_secs(3600),
            from_fork: false,
            jobs: vec![Job {
                id: job,
                attempt: 1,
                name: "build".to_owned(),
                conclusion: Some("failure".to_owned()),
                steps: vec![Step { name: "npm ci".to_owned(), conclusion: "failure".to_owned() }],
                seconds: 90,
                log: Some(log.to_vec()),
                annotations: Vec::new(),
            }],
            next: Vec::new(),
        });
        (run, job)
    }

    /// Calls of a method whose path contains that.
    pub fn count(&self, method: &str, path: &str) -> usize {
        self.calls.iter().filter(|call| call.method == method && call.path.contains(path)).count()
    }
}

impl Repository {
    /// Ends a run's latest attempt.
    pub fn finish(&mut self, run: u64, conclusion: &str) {
        if let Some(run) = self.runs.iter_mut().find(|r| r.id == run) {
            run.finish(conclusion);
        }
    }
}

impl Run {
    pub(super) fn finish(&mut self, conclusion: &str) {
        self.status = "completed".to_owned();
        self.conclusion = Some(conclusion.to_owned());
        for job in self.jobs.iter_mut().filter(|job| job.attempt == self.attempt) {
            job.conclusion.get_or_insert_with(|| conclusion.to_owned());
        }
    }

    /// A new attempt of these jobs of the latest one; the others are taken over.
    pub(super) fn again(&mut self, jobs: &[u64], mut new_id: impl FnMut() -> u64) {
        let again: Vec<Job> = self
            .jobs
            .iter()
            .filter(|job| jobs.contains(&job.id))
            .map(|job| Job {
                id: new_id(),
                attempt: self.attempt + 1,
                conclusion: None,
                annotations: Vec::new(),
                ..job.clone()
            })
            .collect();
        self.attempt += 1;
        self.jobs.extend(again);
        self.status = "in_progress".to_owned();
        self.conclusion = None;
        if !self.next.is_empty() {
            let conclusion = self.next.remove(0);
            self.finish(&conclusion);
        }
    }

    /// The jobs of an attempt: its own, and of the names that it did not repeat the latest before.
    pub(super) fn jobs_at(&self, attempt: u32) -> Vec<&Job> {
        let mut by_name: BTreeMap<&str, &Job> = BTreeMap::new();
        for job in self.jobs.iter().filter(|job| job.attempt <= attempt) {
            by_name.insert(&job.name, job);
        }
        let mut jobs: Vec<&Job> = by_name.into_values().collect();
        jobs.sort_by_key(|job| job.id);
        jobs
    }
}
