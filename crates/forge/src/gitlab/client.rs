//! The client: what it is made of, and which file answers which call.

use std::{collections::BTreeMap, time::SystemTime};

use super::{host::Tanuki, pipelines::Projects};
use crate::{
    Actor, Annotation, BoxFuture, Budget, Cache, Calls, Change, Check, Comment, Cursor, Diagnosed, Forge,
    ForgeError, Issue, IssueText, Job, JobLog, JobRef, LogEntry, Marker, MaySend, NotAllowed, Options, Page,
    Permission, Proposal, Repository, Rerun, Run, RunRef, Secret, calls::api::Api,
};

/// Said of caches: what an operator can do instead.
const NO_CACHES: &str = "GitLab tells of no caches by its API: clear them on the project's pipelines page, or change the key in \
                         `.gitlab-ci.yml`, for instance by a variable in it, which `regreen cache forget --gitlab` counts up";

/// GitLab, with a token. Calls need a tokio runtime.
#[derive(Debug)]
pub struct GitLab {
    pub(super) api: Api<Tanuki>,
    /// What pipelines do not say of their projects.
    pub(super) projects: Projects,
}

impl GitLab {
    /// The public one.
    pub const PUBLIC: &'static str = "https://gitlab.com";

    /// A client for the installation at `url`: [`GitLab::PUBLIC`], or `https://HOST[/PATH]` of one's own; its API's address
    /// (`…/api/v4`) is taken too. The token is a personal, group or project access token; without one only what is public
    /// can be read.
    ///
    /// # Errors
    /// [`ForgeError::Invalid`] where `url` is no address that a token may be sent to.
    pub fn new(url: &str, token: Option<Secret>, options: Options) -> Result<GitLab, ForgeError> {
        let url = url.trim_end_matches('/');
        let url = url.strip_suffix("/api/v4").unwrap_or(url);
        let api = Api::new(&format!("{url}/api/v4"), Tanuki::new(token), options)?;
        Ok(GitLab { api, projects: Projects::default() })
    }
}

fn unsupported<T>(what: String, how: &'static str) -> Result<T, ForgeError> {
    Err(ForgeError::NotAllowed { what, why: NotAllowed::Unsupported { how } })
}

impl Forge for GitLab {
    fn run<'a>(&'a self, run: &'a RunRef) -> BoxFuture<'a, Result<Run, ForgeError>> {
        Box::pin(async { Ok(self.look(run).await?.run) })
    }

    fn jobs<'a>(&'a self, run: &'a RunRef, attempt: u32) -> BoxFuture<'a, Result<Vec<Job>, ForgeError>> {
        Box::pin(self.jobs_of(run, attempt))
    }

    fn job<'a>(&'a self, job: &'a JobRef) -> BoxFuture<'a, Result<Job, ForgeError>> {
        Box::pin(self.one_job(job))
    }

    fn job_log<'a>(&'a self, job: &'a JobRef) -> BoxFuture<'a, Result<JobLog, ForgeError>> {
        Box::pin(self.trace(job))
    }

    fn run_logs<'a>(
        &'a self,
        run: &'a RunRef,
        attempt: u32,
    ) -> BoxFuture<'a, Result<Vec<LogEntry>, ForgeError>> {
        Box::pin(self.traces(run, attempt))
    }

    fn annotations<'a>(&'a self, job: &'a JobRef) -> BoxFuture<'a, Result<Vec<Annotation>, ForgeError>> {
        Box::pin(self.reason(job))
    }

    fn failed_runs_since<'a>(
        &'a self,
        repository: &'a Repository,
        since: SystemTime,
        from: Option<&'a Cursor>,
    ) -> BoxFuture<'a, Result<Page, ForgeError>> {
        Box::pin(self.failed_since(repository, since, from))
    }

    fn rerun_job<'a>(
        &'a self,
        of: &'a Diagnosed,
        job: &'a JobRef,
    ) -> BoxFuture<'a, Result<Rerun, ForgeError>> {
        Box::pin(self.retry_one(of, job))
    }

    fn rerun_failed_jobs<'a>(&'a self, of: &'a Diagnosed) -> BoxFuture<'a, Result<Rerun, ForgeError>> {
        Box::pin(self.retry_failed(of, &|| true))
    }

    fn rerun_failed_jobs_if<'a>(
        &'a self,
        of: &'a Diagnosed,
        may_send: MaySend<'a>,
    ) -> BoxFuture<'a, Result<Rerun, ForgeError>> {
        Box::pin(self.retry_failed(of, may_send))
    }

    fn rerun_all<'a>(&'a self, of: &'a Diagnosed) -> BoxFuture<'a, Result<Rerun, ForgeError>> {
        let what = format!("repeating pipeline {} of {}", of.run.run_id, of.run.repository);
        Box::pin(async { unsupported(what, "GitLab repeats jobs, and no pipeline as a whole") })
    }

    fn cancel<'a>(&'a self, run: &'a RunRef) -> BoxFuture<'a, Result<(), ForgeError>> {
        Box::pin(self.stop(run))
    }

    fn caches<'a>(
        &'a self,
        repository: &'a Repository,
        _: Option<&'a str>,
        _: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Vec<Cache>, ForgeError>> {
        Box::pin(async move { unsupported(format!("the caches of {repository}"), NO_CACHES) })
    }

    fn delete_cache<'a>(
        &'a self,
        repository: &'a Repository,
        _: &'a str,
        _: &'a str,
    ) -> BoxFuture<'a, Result<u64, ForgeError>> {
        Box::pin(async move { unsupported(format!("deleting a cache of {repository}"), NO_CACHES) })
    }

    fn find_issue<'a>(
        &'a self,
        repository: &'a Repository,
        marker: &'a Marker,
    ) -> BoxFuture<'a, Result<Option<Issue>, ForgeError>> {
        Box::pin(self.issue_of(repository, marker))
    }

    fn issue<'a>(
        &'a self,
        repository: &'a Repository,
        number: u64,
    ) -> BoxFuture<'a, Result<Option<Issue>, ForgeError>> {
        Box::pin(self.issue_by(repository, number))
    }

    fn owners<'a>(&'a self, repository: &'a Repository) -> BoxFuture<'a, Result<Option<String>, ForgeError>> {
        Box::pin(self.owners_of(repository))
    }

    fn assign<'a>(
        &'a self,
        repository: &'a Repository,
        number: u64,
        people: &'a [String],
    ) -> BoxFuture<'a, Result<(), ForgeError>> {
        Box::pin(self.assign_to(repository, number, people))
    }

    fn create_issue<'a>(
        &'a self,
        repository: &'a Repository,
        text: &'a IssueText,
    ) -> BoxFuture<'a, Result<Issue, ForgeError>> {
        Box::pin(self.make_issue(repository, text))
    }

    fn update_issue<'a>(
        &'a self,
        repository: &'a Repository,
        number: u64,
        text: &'a IssueText,
    ) -> BoxFuture<'a, Result<Issue, ForgeError>> {
        Box::pin(self.rewrite_issue(repository, number, text))
    }

    fn close_issue<'a>(
        &'a self,
        repository: &'a Repository,
        number: u64,
    ) -> BoxFuture<'a, Result<(), ForgeError>> {
        Box::pin(self.end_issue(repository, number))
    }

    fn comment<'a>(
        &'a self,
        repository: &'a Repository,
        number: u64,
        marker: &'a Marker,
        body: &'a str,
    ) -> BoxFuture<'a, Result<Comment, ForgeError>> {
        Box::pin(self.put_note(repository, "issues", number, marker, body))
    }

    fn comment_on_change<'a>(
        &'a self,
        repository: &'a Repository,
        number: u64,
        marker: &'a Marker,
        body: &'a str,
    ) -> BoxFuture<'a, Result<Comment, ForgeError>> {
        Box::pin(self.put_note(repository, "merge_requests", number, marker, body))
    }

    fn permission<'a>(
        &'a self,
        repository: &'a Repository,
        login: &'a str,
    ) -> BoxFuture<'a, Result<Permission, ForgeError>> {
        Box::pin(self.permission_of(repository, login))
    }

    fn takes_commands(&self) -> bool {
        true
    }

    fn runs_of_change<'a>(
        &'a self,
        repository: &'a Repository,
        number: u64,
    ) -> BoxFuture<'a, Result<Option<Vec<u64>>, ForgeError>> {
        Box::pin(async move { self.pipelines_of(repository, number).await.map(Some) })
    }

    fn check_run<'a>(
        &'a self,
        repository: &'a Repository,
        check: &'a Check,
    ) -> BoxFuture<'a, Result<u64, ForgeError>> {
        Box::pin(self.put_status(repository, check))
    }

    fn propose_change<'a>(
        &'a self,
        repository: &'a Repository,
        change: &'a Change,
    ) -> BoxFuture<'a, Result<Proposal, ForgeError>> {
        Box::pin(self.propose(repository, change))
    }

    fn dispatch<'a>(
        &'a self,
        repository: &'a Repository,
        workflow: &'a str,
        reference: &'a str,
        inputs: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<(), ForgeError>> {
        Box::pin(self.start(repository, workflow, reference, inputs))
    }

    fn actor(&self) -> BoxFuture<'_, Result<Actor, ForgeError>> {
        Box::pin(self.api.actor())
    }

    fn budget(&self) -> Option<Budget> {
        self.api.limits.budget()
    }

    fn calls(&self) -> Option<&Calls> {
        Some(&self.api.calls)
    }
}
