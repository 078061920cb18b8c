//! The trait that every CI host is behind.

use std::{collections::BTreeMap, future::Future, pin::Pin, time::SystemTime};

use super::{
    Actor, Annotation, Calls, Change, Check, Comment, Diagnosed, ForgeError, Issue, IssueText, Job, JobLog,
    JobRef, LogEntry, Marker, NotAllowed, Permission, Proposal, Repository, Rerun, Run, RunRef,
};

/// A boxed future, so that hosts can stand behind a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Asked right before a change is sent.
pub type MaySend<'a> = &'a (dyn Fn() -> bool + Send + Sync);

type Answer<'a, T> = BoxFuture<'a, Result<T, ForgeError>>;

/// A CI host.
///
/// *Reads* may be repeated at will; they are tried again by themselves, with backoff, when the host stumbles.
/// *Changes* are sent once. Where the answer is lost, it is looked whether the change is there; if looking doesn't tell,
/// the error is [`ForgeError::Unknown`]. Each call says whether it is idempotent: whether doing it twice (in two
/// processes, or after a crash) comes to the same as doing it once.
///
/// All calls may end in [`ForgeError::RateLimited`] before anything is sent.
pub trait Forge: Send + Sync {
    /// A run at its latest attempt. A read.
    fn run<'a>(&'a self, run: &'a RunRef) -> Answer<'a, Run>;

    /// The jobs of one attempt of a run, all of them, also those it took over from an earlier attempt. A read.
    fn jobs<'a>(&'a self, run: &'a RunRef, attempt: u32) -> Answer<'a, Vec<Job>>;

    /// A job. A read.
    fn job<'a>(&'a self, job: &'a JobRef) -> Answer<'a, Job>;

    /// The log of a job that has ended; of a long one its end. A read.
    ///
    /// # Errors
    /// [`NotAllowed::Gone`](super::NotAllowed::Gone) where the host keeps it no longer.
    fn job_log<'a>(&'a self, job: &'a JobRef) -> Answer<'a, JobLog>;

    /// All logs of one attempt of a run: one for each job and one for each of its steps, as the host packs them. A read.
    ///
    /// # Errors
    /// [`ForgeError::TooLarge`] where the archive, what comes out of it or the number of its entries is past the bounds;
    /// [`ForgeError::Garbage`] where it is cut off, or an entry's name leads out of it.
    fn run_logs<'a>(&'a self, run: &'a RunRef, attempt: u32) -> Answer<'a, Vec<LogEntry>>;

    /// What was noted beside a job's log. A read.
    fn annotations<'a>(&'a self, job: &'a JobRef) -> Answer<'a, Vec<Annotation>>;

    /// Runs made since then that ended in failure, or that ended well only when they were repeated; the newest first, some
    /// of them, and where to go on. Which attempts failed is for the caller to see by [`Forge::jobs`]. A run may come twice
    /// where new ones are made meanwhile. A read.
    fn failed_runs_since<'a>(
        &'a self,
        repository: &'a Repository,
        since: SystemTime,
        from: Option<&'a Cursor>,
    ) -> Answer<'a, Page>;

    /// Runs one job again, and those that need it.
    ///
    /// Sent at most once for an attempt: the run must have ended, and be at the commit and attempt that were diagnosed.
    /// Idempotent through this: the second time is [`NotAllowed::OtherAttempt`](super::NotAllowed::OtherAttempt).
    /// At GitLab jobs run again one by one: what one's own account began for this attempt and did not end is gone on with.
    fn rerun_job<'a>(&'a self, of: &'a Diagnosed, job: &'a JobRef) -> Answer<'a, Rerun>;

    /// Runs all failed jobs again, and those that need them. As [`Forge::rerun_job`].
    fn rerun_failed_jobs<'a>(&'a self, of: &'a Diagnosed) -> Answer<'a, Rerun>;

    /// As [`Forge::rerun_failed_jobs`], where `may_send` says yes right before each time that it is sent: looking at the run
    /// first takes a while where the host stumbles, and a kill switch is obeyed meanwhile.
    ///
    /// # Errors
    /// [`NotAllowed::Stopped`](super::NotAllowed::Stopped) where it says no.
    fn rerun_failed_jobs_if<'a>(&'a self, of: &'a Diagnosed, may_send: MaySend<'a>) -> Answer<'a, Rerun> {
        Box::pin(async move {
            if !may_send() {
                let what = format!("repeating run {} of {}", of.run.run_id, of.run.repository);
                return Err(ForgeError::NotAllowed { what, why: NotAllowed::Stopped });
            }
            self.rerun_failed_jobs(of).await
        })
    }

    /// Runs all jobs again. As [`Forge::rerun_job`]. GitLab can't.
    fn rerun_all<'a>(&'a self, of: &'a Diagnosed) -> Answer<'a, Rerun>;

    /// Stops a run. Idempotent: where it has ended it is [`NotAllowed::Ended`](super::NotAllowed::Ended).
    fn cancel<'a>(&'a self, run: &'a RunRef) -> Answer<'a, ()>;

    /// The repository's caches (GitLab tells of none) whose key begins with `key`, of one ref (`refs/heads/main`, `refs/pull/7/merge`) or of all. A read.
    fn caches<'a>(
        &'a self,
        repository: &'a Repository,
        key: Option<&'a str>,
        reference: Option<&'a str>,
    ) -> Answer<'a, Vec<Cache>>;

    /// Deletes the caches of exactly this key and ref; says how many. Idempotent: none is 0.
    ///
    /// # Errors
    /// [`ForgeError::Invalid`] where the key or the ref is empty.
    fn delete_cache<'a>(
        &'a self,
        repository: &'a Repository,
        key: &'a str,
        reference: &'a str,
    ) -> Answer<'a, u64>;

    /// Regreen's own issue of this marker, open or closed; of several the oldest. A read.
    fn find_issue<'a>(&'a self, repository: &'a Repository, marker: &'a Marker) -> Answer<'a, Option<Issue>>;

    /// Regreen's own issue of this number, whatever it says by now; `None` where it is gone, or another's. A read.
    fn issue<'a>(&'a self, repository: &'a Repository, number: u64) -> Answer<'a, Option<Issue>>;

    /// Makes an issue, unless there is one of this marker: then that one, as it is. Idempotent for one process at a time.
    fn create_issue<'a>(&'a self, repository: &'a Repository, text: &'a IssueText) -> Answer<'a, Issue>;

    /// Puts title and text of an issue, and opens it again where it was closed. Idempotent.
    fn update_issue<'a>(
        &'a self,
        repository: &'a Repository,
        number: u64,
        text: &'a IssueText,
    ) -> Answer<'a, Issue>;

    /// Closes an issue as done. Idempotent.
    fn close_issue<'a>(&'a self, repository: &'a Repository, number: u64) -> Answer<'a, ()>;

    /// The text that says whose which files are (`CODEOWNERS`), on the default branch, from the place where the host takes it
    /// first; `None` where there is none. A read.
    fn owners<'a>(&'a self, _: &'a Repository) -> Answer<'a, Option<String>> {
        Box::pin(async { Ok(None) })
    }

    /// Assigns an issue that was just made to these people. Who can't be assigned is passed over. Idempotent.
    fn assign<'a>(&'a self, _: &'a Repository, _: u64, _: &'a [String]) -> Answer<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    /// Puts a comment with this marker on an issue (GitHub: or a pull request): a new one, or in place of the text of the one that has
    /// it, unless that is [newer](Marker::is_newer). Idempotent for one process at a time.
    fn comment<'a>(
        &'a self,
        repository: &'a Repository,
        number: u64,
        marker: &'a Marker,
        body: &'a str,
    ) -> Answer<'a, Comment>;

    /// What an account may do in a repository. A read.
    ///
    /// # Errors
    /// [`NotAllowed::Unsupported`](super::NotAllowed::Unsupported) where the host's module can't ask.
    fn permission<'a>(&'a self, repository: &'a Repository, login: &'a str) -> Answer<'a, Permission> {
        let what = format!("what {login} may do in {repository}");
        Box::pin(async move {
            Err(ForgeError::NotAllowed {
                what,
                why: NotAllowed::Unsupported { how: "Regreen can't ask this host what an account may do" },
            })
        })
    }

    /// Whether people may command by comments there: that is so where [`Forge::permission`] can be asked.
    fn takes_commands(&self) -> bool {
        false
    }

    /// The runs of a pull request (merge request), where the host lists them; `None` where it is to be asked of each run. A read.
    fn runs_of_change<'a>(&'a self, _: &'a Repository, _: u64) -> Answer<'a, Option<Vec<u64>>> {
        Box::pin(async { Ok(None) })
    }

    /// As [`Forge::comment`], on a pull request (merge request): at GitLab its numbers are none of the issues'.
    fn comment_on_change<'a>(
        &'a self,
        repository: &'a Repository,
        number: u64,
        marker: &'a Marker,
        body: &'a str,
    ) -> Answer<'a, Comment> {
        self.comment(repository, number, marker, body)
    }

    /// Puts a verdict beside a commit: a new one, or in place of the one with this name and marker. Its id. Idempotent for one
    /// process at a time.
    fn check_run<'a>(&'a self, repository: &'a Repository, check: &'a Check) -> Answer<'a, u64>;

    /// Proposes a change: commits on a branch of its own, which only ever grows, and opens a pull request, or brings the one
    /// that is open up to date. Idempotent.
    ///
    /// # Errors
    /// [`NotAllowed::Changed`](super::NotAllowed::Changed) where the base branch holds another file than the change was made
    /// from, [`NotAllowed::Declined`](super::NotAllowed::Declined) where a person closed one that said the same.
    fn propose_change<'a>(&'a self, repository: &'a Repository, change: &'a Change) -> Answer<'a, Proposal>;

    /// Starts a workflow by its file's name on a branch or tag (GitLab: a pipeline, by its variables). Not idempotent: a lost
    /// answer is [`ForgeError::Unknown`].
    fn dispatch<'a>(
        &'a self,
        repository: &'a Repository,
        workflow: &'a str,
        reference: &'a str,
        inputs: &'a BTreeMap<String, String>,
    ) -> Answer<'a, ()>;

    /// Who Regreen is there. A read.
    fn actor(&self) -> Answer<'_, Actor>;

    /// What is left of the host's limit, as the last answer said it; `None` before the first, and where there is none.
    fn budget(&self) -> Option<Budget>;

    /// What is sent on behalf of which repository, tries included; `None` where that is not counted. What a log's address leads
    /// to elsewhere, and what is asked as an app of itself, is on nobody's behalf.
    fn calls(&self) -> Option<&Calls> {
        None
    }
}

/// Where a listing goes on. What it holds is the host's module's own matter; it may be kept and used by another process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub String);

/// Some runs, and where the listing goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The runs.
    pub runs: Vec<Run>,
    /// `None` at the end.
    pub next: Option<Cursor>,
}

/// A cache at the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    /// Its id at the host.
    pub id: u64,
    /// Its whole key.
    pub key: String,
    /// The ref it belongs to.
    pub reference: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was made.
    pub created_at: Option<SystemTime>,
    /// When it was last used.
    pub used_at: Option<SystemTime>,
}

/// A limit by the hour (GitLab: by the minute).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Calls an hour or minute.
    pub limit: u64,
    /// Calls that are left, for everybody who uses the same credential.
    pub remaining: u64,
    /// When it is full again.
    pub resets_at: SystemTime,
}
