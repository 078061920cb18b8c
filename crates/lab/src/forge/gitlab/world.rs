//! What the stand-in knows, and what was done to it.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use super::{
    members::{Account, Member},
    repository::MergeRequest,
    social::{Issue, Note, Status},
    variables::Variable,
};
use crate::forge::{Call, Trouble, git::Git};

/// Everything.
#[derive(Debug)]
pub struct World {
    /// By `group/…/name`.
    pub projects: BTreeMap<String, Project>,
    /// What goes wrong, in order; each applies to the first calls that it fits.
    pub troubles: Vec<Trouble>,
    /// Every call, in order, also those that went wrong.
    pub calls: Vec<Call>,
    /// The limit by the minute; `None` where answers tell of none.
    pub quota: Option<Quota>,
    /// The only token that is taken; `None` where any is, and none too.
    pub token: Option<String>,
    /// Who asks.
    pub login: String,
    /// Everybody, by their ids.
    pub accounts: BTreeMap<u64, Account>,
    /// The address that its links name.
    pub shown_as: String,
    /// Where traces lie, if not here: the answer leads there.
    pub traces_at: Option<String>,
    pub(super) last_id: u64,
}

/// The limit by the minute.
#[derive(Debug, Clone, Copy)]
pub struct Quota {
    /// Calls a minute.
    pub limit: u64,
    /// Calls left.
    pub remaining: u64,
    /// When it is full again, in seconds since 1970.
    pub reset: u64,
}

/// A project.
#[derive(Debug)]
pub struct Project {
    /// Its id.
    pub id: u64,
    /// `private`, `internal` or `public`.
    pub visibility: String,
    /// Whether its pipelines are shown to whoever sees the project.
    pub public_jobs: bool,
    /// Its members, its own and others, by their ids.
    pub members: BTreeMap<u64, Member>,
    /// Its default branch.
    pub default_branch: String,
    /// Its pipelines, downstream ones among them.
    pub pipelines: Vec<Pipeline>,
    /// Its issues.
    pub issues: Vec<Issue>,
    /// Notes on its issues and merge requests.
    pub notes: Vec<Note>,
    /// Verdicts beside its commits.
    pub statuses: Vec<Status>,
    /// Its merge requests.
    pub merge_requests: Vec<MergeRequest>,
    /// Its branches and what they hold.
    pub git: Git,
    /// Pipelines that were started: ref, variables.
    pub started: Vec<(String, String)>,
    /// Its CI/CD variables.
    pub variables: Vec<Variable>,
}

/// A pipeline.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// Its id.
    pub id: u64,
    /// The commit.
    pub sha: String,
    /// The branch, tag, or `refs/merge-requests/…`.
    pub reference: String,
    /// What started it.
    pub source: String,
    /// `pending`, `running`, `success`, `failed`, …; kept by [`Pipeline::settle`].
    pub status: String,
    /// Another status than its own is shown: it lags.
    pub shown: Option<String>,
    /// When it was made.
    pub created_at: SystemTime,
    /// Its jobs, the retried ones among them.
    pub jobs: Vec<Job>,
    /// Its trigger jobs.
    pub bridges: Vec<Bridge>,
    /// How jobs to come end, at once; where there is none, a job runs until [`Pipeline::finish`].
    pub next: Vec<String>,
}

/// A job.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its id.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Its stage.
    pub stage: String,
    /// `created`, `pending`, `running`, `success`, `failed`, `canceled`, `skipped`, `manual`.
    pub status: String,
    /// It may fail.
    pub allow_failure: bool,
    /// Why it failed, in GitLab's word.
    pub failure_reason: Option<String>,
    /// When it was made.
    pub created_at: SystemTime,
    /// When it ended.
    pub finished_at: Option<SystemTime>,
    /// Another job has taken its place.
    pub retried: bool,
    /// Who started it.
    pub user: String,
    /// Its log; empty where it was erased.
    pub trace: Vec<u8>,
}

/// A trigger job.
#[derive(Debug, Clone)]
pub struct Bridge {
    /// Its id.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// As a job's.
    pub status: String,
}

impl Default for World {
    fn default() -> Self {
        World {
            projects: BTreeMap::new(),
            troubles: Vec::new(),
            calls: Vec::new(),
            quota: None,
            token: None,
            login: "regreen-bot".to_owned(),
            accounts: BTreeMap::new(),
            shown_as: String::new(),
            traces_at: None,
            last_id: 4000,
        }
    }
}

impl World {
    /// A number that was not given before.
    pub fn new_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// A new project with a branch `main` that holds these files.
    pub fn add(&mut self, path: &str, files: &[(&str, &[u8])]) -> &mut Project {
        let id = self.new_id();
        let project = Project {
            id,
            visibility: "private".to_owned(),
            public_jobs: true,
            members: BTreeMap::new(),
            default_branch: "main".to_owned(),
            pipelines: Vec::new(),
            issues: Vec::new(),
            notes: Vec::new(),
            statuses: Vec::new(),
            merge_requests: Vec::new(),
            git: Git::with("main", files),
            started: Vec::new(),
            variables: Vec::new(),
        };
        self.projects.entry(path.to_owned()).insert_entry(project).into_mut()
    }

    /// A person with this level in that project; 0: no member. Their id.
    pub fn add_person(&mut self, path: &str, username: &str, level: u64) -> u64 {
        let id = self.new_id();
        let (username, state) = (username.to_owned(), "active".to_owned());
        self.accounts.insert(id, Account { username, state, bot: false });
        if let Some(project) = self.projects.get_mut(path).filter(|_| level > 0) {
            project.members.insert(id, Member { level, expires_at: None });
        }
        id
    }

    /// A pipeline of that project that failed an hour ago, with a failed job for each of these names and logs, and a job in a
    /// later stage that was left out. Its id and those of the failed jobs.
    pub fn add_failed(&mut self, path: &str, jobs: &[(&str, &[u8])]) -> (u64, Vec<u64>) {
        let pipeline = self.new_id();
        let ids: Vec<u64> = jobs.iter().map(|_| self.new_id()).collect();
        let (later, login) = (self.new_id(), self.login.clone());
        let Some(project) = self.projects.get_mut(path) else { return (0, Vec::new()) };
        let created_at = SystemTime::now() - Duration::from_secs(3600);
        let job = |id: u64, name: &str, trace: &[u8]| Job {
            id,
            name: name.to_owned(),
            stage: "build".to_owned(),
            status: "failed".to_owned(),
            allow_failure: false,
            failure_reason: Some("script_failure".to_owned()),
            created_at,
            finished_at: Some(created_at + Duration::from_secs(90)),
            retried: false,
            user: "ann".to_owned(),
            trace: trace.to_vec(),
        };
        let mut all: Vec<Job> =
            ids.iter().zip(jobs).map(|(id, (name, trace))| job(*id, name, trace)).collect();
        all.push(Job {
            stage: "test".to_owned(),
            status: "skipped".to_owned(),
            failure_reason: None,
            finished_at: None,
            user: login,
            ..job(later, "test", b"")
        });
        project.pipelines.push(Pipeline {
            id: pipeline,
            sha: project.git.refs.get("main").cloned().unwrap_or_default(),
            reference: "main".to_owned(),
            source: "push".to_owned(),
            status: "failed".to_owned(),
            shown: None,
            created_at,
            jobs: all,
            bridges: Vec::new(),
            next: Vec::new(),
        });
        (pipeline, ids)
    }

    /// A pipeline.
    pub fn pipeline(&mut self, path: &str, id: u64) -> Option<&mut Pipeline> {
        self.projects.get_mut(path)?.pipelines.iter_mut().find(|pipeline| pipeline.id == id)
    }

    /// Calls of a method whose path contains that.
    pub fn count(&self, method: &str, path: &str) -> usize {
        self.calls.iter().filter(|call| call.method == method && call.path.contains(path)).count()
    }
}

impl Pipeline {
    /// Ends every job that is under way.
    pub fn finish(&mut self, status: &str) {
        for job in self.jobs.iter_mut().filter(|job| job.status == "pending" || job.status == "running") {
            job.end(status);
        }
        self.settle();
    }

    /// So much longer ago did everything happen.
    pub fn age(&mut self, by: Duration) {
        self.created_at -= by;
        for job in &mut self.jobs {
            job.created_at -= by;
            job.finished_at = job.finished_at.map(|at| at - by);
        }
    }

    /// The jobs that no other has taken the place of.
    pub fn latest(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter().filter(|job| !job.retried)
    }

    /// Puts the status in order, and with it what waits for a stage.
    pub fn settle(&mut self) {
        let any = |status: &str| self.latest().any(|job| job.status == status);
        let failed = self.latest().any(|job| job.status == "failed" && !job.allow_failure)
            || self.bridges.iter().any(|bridge| bridge.status == "failed");
        let (running, canceled) = (any("pending") || any("running"), any("canceled"));
        if !running {
            let ends = if failed || canceled { "skipped" } else { "success" };
            for job in self.jobs.iter_mut().filter(|job| !job.retried && job.status == "created") {
                job.end(ends);
            }
        }
        let status = match () {
            () if running => "running",
            () if failed => "failed",
            () if canceled => "canceled",
            () => "success",
        };
        status.clone_into(&mut self.status);
    }

    /// A new job in place of that one. `false` where GitLab would refuse.
    pub(super) fn retry(&mut self, id: u64, new_id: u64, login: &str) -> bool {
        let retryable = |job: &&mut Job| {
            job.id == id && !job.retried && matches!(&*job.status, "success" | "failed" | "canceled")
        };
        let Some(job) = self.jobs.iter_mut().find(retryable) else { return false };
        job.retried = true;
        let mut new = Job {
            id: new_id,
            status: "pending".to_owned(),
            failure_reason: None,
            created_at: SystemTime::now(),
            finished_at: None,
            retried: false,
            user: login.to_owned(),
            ..job.clone()
        };
        if !self.next.is_empty() {
            new.end(&self.next.remove(0));
        }
        self.jobs.push(new);
        for job in self.jobs.iter_mut().filter(|job| !job.retried && job.status == "skipped") {
            "created".clone_into(&mut job.status);
        }
        self.settle();
        true
    }
}

impl Job {
    fn end(&mut self, status: &str) {
        status.clone_into(&mut self.status);
        self.failure_reason = (status == "failed").then(|| "script_failure".to_owned());
        self.finished_at = (status != "skipped").then(SystemTime::now);
    }
}
