//! The client: what it is made of, and which file answers which call.

use std::{collections::BTreeMap, time::SystemTime};

use super::{api::Api, credential::Credential, host::Octocat, logs, runs};
use crate::{
    Actor, Annotation, BoxFuture, Budget, Cache, Calls, Change, Check, Comment, Cursor, Diagnosed, Forge,
    ForgeError, Issue, IssueText, Job, JobLog, JobRef, LogEntry, Marker, MaySend, Options, Page, Permission,
    Proposal, Repository, Rerun, Run, RunRef, wire::base::Base,
};

/// GitHub, with a credential. Calls need a tokio runtime.
#[derive(Debug)]
pub struct GitHub {
    pub(super) api: Api<Octocat>,
    /// What runs do not say of their repositories.
    pub(super) repositories: runs::Repositories,
}

impl GitHub {
    /// The public one.
    pub const PUBLIC: &'static str = "https://api.github.com";

    /// A client for the API at `base`: [`GitHub::PUBLIC`], or `https://HOST/api/v3` for an enterprise's own.
    ///
    /// # Errors
    /// [`ForgeError::Invalid`] where `base` is no address that a credential may be sent to.
    pub fn new(base: &str, credential: Credential, options: Options) -> Result<GitHub, ForgeError> {
        let api = Api::new(base, Octocat::new(credential), options)?;
        Ok(GitHub { api, repositories: runs::Repositories::default() })
    }

    /// The host that clones of what the API at `base` serves come from: `github.com` for [`GitHub::PUBLIC`]. `None` where
    /// `base` is no address of an API.
    pub fn host(base: &str) -> Option<String> {
        let base = Base::parse(base).ok()?;
        let host = base.uri().host()?.to_ascii_lowercase();
        // Where the API has a host of its own (github.com, SUBDOMAIN.ghe.com), that is called so.
        let own = base.uri().path().trim_matches('/').is_empty();
        Some(host.strip_prefix("api.").filter(|_| own).map_or(host.clone(), str::to_owned))
    }
}

impl Forge for GitHub {
    fn run<'a>(&'a self, run: &'a RunRef) -> BoxFuture<'a, Result<Run, ForgeError>> {
        Box::pin(self.run_now(run))
    }

    fn jobs<'a>(&'a self, run: &'a RunRef, attempt: u32) -> BoxFuture<'a, Result<Vec<Job>, ForgeError>> {
        Box::pin(self.jobs_of(run, attempt))
    }

    fn job<'a>(&'a self, job: &'a JobRef) -> BoxFuture<'a, Result<Job, ForgeError>> {
        Box::pin(self.one_job(job))
    }

    fn job_log<'a>(&'a self, job: &'a JobRef) -> BoxFuture<'a, Result<JobLog, ForgeError>> {
        Box::pin(logs::of_job(&self.api, job))
    }

    fn run_logs<'a>(
        &'a self,
        run: &'a RunRef,
        attempt: u32,
    ) -> BoxFuture<'a, Result<Vec<LogEntry>, ForgeError>> {
        Box::pin(logs::of_run(&self.api, run, attempt))
    }

    fn annotations<'a>(&'a self, job: &'a JobRef) -> BoxFuture<'a, Result<Vec<Annotation>, ForgeError>> {
        Box::pin(self.annotations_of(job))
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
        Box::pin(self.rerun_one(of, job))
    }

    fn rerun_failed_jobs<'a>(&'a self, of: &'a Diagnosed) -> BoxFuture<'a, Result<Rerun, ForgeError>> {
        Box::pin(self.rerun(of, "rerun-failed-jobs", &|| true))
    }

    fn rerun_failed_jobs_if<'a>(
        &'a self,
        of: &'a Diagnosed,
        may_send: MaySend<'a>,
    ) -> BoxFuture<'a, Result<Rerun, ForgeError>> {
        Box::pin(self.rerun(of, "rerun-failed-jobs", may_send))
    }

    fn rerun_all<'a>(&'a self, of: &'a Diagnosed) -> BoxFuture<'a, Result<Rerun, ForgeError>> {
        Box::pin(self.rerun(of, "rerun", &|| true))
    }

    fn cancel<'a>(&'a self, run: &'a RunRef) -> BoxFuture<'a, Result<(), ForgeError>> {
        Box::pin(self.stop(run))
    }

    fn caches<'a>(
        &'a self,
        repository: &'a Repository,
        key: Option<&'a str>,
        reference: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Vec<Cache>, ForgeError>> {
        Box::pin(self.caches_of(repository, key, reference))
    }

    fn delete_cache<'a>(
        &'a self,
        repository: &'a Repository,
        key: &'a str,
        reference: &'a str,
    ) -> BoxFuture<'a, Result<u64, ForgeError>> {
        Box::pin(self.delete_caches(repository, key, reference))
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
        Box::pin(self.put_comment(repository, number, marker, body))
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

    fn check_run<'a>(
        &'a self,
        repository: &'a Repository,
        check: &'a Check,
    ) -> BoxFuture<'a, Result<u64, ForgeError>> {
        Box::pin(self.put_check(repository, check))
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

#[cfg(test)]
mod tests {
    use super::GitHub;

    #[test]
    fn clones_come_from_the_host_that_the_api_belongs_to() {
        for (api, want) in [
            (GitHub::PUBLIC, Some("github.com")),
            ("https://ghe.example.com/api/v3", Some("ghe.example.com")),
            ("https://api.octo.ghe.com/", Some("octo.ghe.com")),
            ("https://api.example.com/api/v3", Some("api.example.com")),
            ("http://127.0.0.1:4010", Some("127.0.0.1")),
            ("http://ghe.example.com", None),
            ("", None),
        ] {
            assert_eq!(GitHub::host(api).as_deref(), want, "{api}");
        }
    }
}
