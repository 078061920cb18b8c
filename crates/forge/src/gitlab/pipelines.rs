//! Pipelines, their jobs, and which of them failed.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use super::{
    answers::{self, MergeRequest},
    attempts,
    client::GitLab,
    reasons,
};
use crate::{
    Annotation, Conclusion, Cursor, ForgeError, Job, JobRef, Level, Page, Repository, Run, RunRef, Status,
    calls::api::Scope, wire::base::part,
};

/// Items on one page: the most that GitLab gives.
const ON_A_PAGE: u64 = 100;
/// How long it is believed what a project is like.
const BELIEVED: Duration = Duration::from_secs(600);
/// Longest query of a page that is gone on with later.
const LONGEST_CURSOR: usize = 1_000;

/// The projects that were asked for lately.
#[derive(Debug, Default)]
pub(super) struct Projects(Mutex<HashMap<String, (Project, SystemTime)>>);

#[derive(Debug, Clone)]
pub(super) struct Project {
    pub(super) default_branch: String,
    /// The file that says what pipelines do.
    pub(super) file: String,
}

/// A pipeline as it stands, with its jobs.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) run: Run,
    /// By id, each with its attempt.
    pub(super) jobs: Vec<(answers::Job, u32)>,
}

impl GitLab {
    pub(super) async fn project(&self, repository: &Repository) -> Result<Project, ForgeError> {
        let key = repository.to_string();
        let now = SystemTime::now();
        let known = || self.projects.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((project, asked)) = known().get(&key).cloned()
            && now.duration_since(asked).is_ok_and(|age| age < BELIEVED)
        {
            return Ok(project);
        }
        let found: answers::Project = self.api.get(Scope::Of(repository), &key, &at(repository, "")).await?;
        let file = found.ci_config_path.filter(|path| !path.is_empty());
        let project = Project {
            default_branch: found.default_branch.unwrap_or_default(),
            file: file.unwrap_or_else(|| ".gitlab-ci.yml".to_owned()),
        };
        known().insert(key, (project.clone(), now));
        Ok(project)
    }

    /// The jobs first and then the pipeline: what begins in between shows as one that runs, and never as one that ended.
    pub(super) async fn look(&self, run: &RunRef) -> Result<Seen, ForgeError> {
        let repository = &run.repository;
        let jobs = attempts::numbered(self.tries(run).await?);
        let path = at(repository, &format!("/pipelines/{}", run.run_id));
        let found: answers::Pipeline = self.api.get(Scope::Of(repository), &named(run), &path).await?;
        if found.id != run.run_id {
            let why = "it is another pipeline".to_owned();
            return Err(ForgeError::Garbage { what: named(run), why });
        }
        let project = self.project(repository).await?;
        let (request, from_fork) = self.origin(repository, &found).await?;
        let attempt = attempts::latest(&jobs);
        let mut now = status(&found.status);
        if now == Status::Completed && attempts::at(&jobs, attempt).into_iter().any(is_under_way) {
            // It does not show yet what was begun.
            now = Status::Running;
        }
        let ended = (now == Status::Completed).then(|| match found.status.as_str() {
            "failed" if found.yaml_errors.is_some() => Conclusion::StartupFailure,
            word => conclusion(word),
        });
        let source = found.source.unwrap_or_default();
        let run = Run {
            reference: run.clone(),
            name: found.name.filter(|name| !name.is_empty()).unwrap_or_else(|| "pipeline".to_owned()),
            workflow: project.file,
            head_sha: found.sha,
            branch: found.reference,
            attempt,
            status: now,
            conclusion: ended,
            created_at: found.created_at.0,
            started_at: found.started_at.map(|at| at.0),
            updated_at: found.updated_at.map(|at| at.0),
            from_fork,
            part_of_another: matches!(source.as_str(), "parent_pipeline" | "pipeline"),
            event: source,
            pull_requests: request.into_iter().collect(),
            default_branch: project.default_branch,
            url: found.web_url,
        };
        Ok(Seen { run, jobs })
    }

    /// The merge request that a pipeline is for, and whether its code may be somebody else's.
    async fn origin(
        &self,
        repository: &Repository,
        pipeline: &answers::Pipeline,
    ) -> Result<(Option<u64>, bool), ForgeError> {
        let reference = pipeline.reference.as_deref().unwrap_or_default();
        let source = pipeline.source.as_deref().unwrap_or_default();
        let Some(rest) = reference.strip_prefix("refs/merge-requests/") else {
            // Of a merge request that can't be told, or of another host's pull request, nobody knows.
            return Ok((None, matches!(source, "merge_request_event" | "external_pull_request_event")));
        };
        let Some(number) = rest.split('/').next().and_then(|number| number.parse::<u64>().ok()) else {
            return Ok((None, true));
        };
        let path = at(repository, &format!("/merge_requests/{number}"));
        let what = format!("merge request {number} of {repository}");
        let found: Option<MergeRequest> = self.api.find(Scope::Of(repository), &what, &path).await?;
        Ok(match found {
            Some(request) if request.is_own() => (Some(number), false),
            _ => (None, true),
        })
    }

    /// All jobs of a pipeline, the retried ones among them.
    async fn tries(&self, run: &RunRef) -> Result<Vec<answers::Job>, ForgeError> {
        let rest = format!("/pipelines/{}/jobs?include_retried=true&per_page={ON_A_PAGE}", run.run_id);
        let what = format!("the jobs of {}", named(run));
        let path = at(&run.repository, &rest);
        let mut jobs = self.api.all(Scope::Of(&run.repository), &what, &path, |page| page, |_| false).await?;
        jobs.retain(|job: &answers::Job| job.pipeline.id == run.run_id);
        Ok(jobs)
    }

    /// The trigger jobs of a pipeline: they are listed apart.
    async fn bridges(&self, run: &RunRef) -> Result<Vec<answers::Job>, ForgeError> {
        let rest = format!("/pipelines/{}/bridges?per_page={ON_A_PAGE}", run.run_id);
        let what = format!("the trigger jobs of {}", named(run));
        let path = at(&run.repository, &rest);
        self.api.all(Scope::Of(&run.repository), &what, &path, |page| page, |_| false).await
    }

    pub(super) async fn jobs_of(&self, run: &RunRef, attempt: u32) -> Result<Vec<Job>, ForgeError> {
        let numbered = attempts::numbered(self.tries(run).await?);
        if attempt == 0 || attempt > attempts::latest(&numbered) {
            return Err(ForgeError::NotFound { what: format!("attempt {attempt} of {}", named(run)) });
        }
        let of = |(job, attempt): &(answers::Job, u32)| read(&run.repository, job, *attempt);
        let mut jobs: Vec<Job> = attempts::at(&numbered, attempt).into_iter().map(of).collect();
        for bridge in self.bridges(run).await? {
            let mut job = read(&run.repository, &bridge, 1);
            if job.conclusion.is_some_and(Conclusion::failed) {
                // What failed is in another pipeline, or could not be begun: there is no log here that could say.
                job.conclusion = Some(Conclusion::StartupFailure);
            }
            jobs.push(job);
        }
        Ok(jobs)
    }

    pub(super) async fn one_job(&self, job: &JobRef) -> Result<Job, ForgeError> {
        let found = self.found_job(job).await?;
        let run = RunRef { repository: job.repository.clone(), run_id: found.pipeline.id };
        let numbered = attempts::numbered(self.tries(&run).await?);
        let attempt = numbered.iter().find(|(one, _)| one.id == found.id).map_or(1, |(_, attempt)| *attempt);
        Ok(read(&job.repository, &found, attempt))
    }

    pub(super) async fn found_job(&self, job: &JobRef) -> Result<answers::Job, ForgeError> {
        let what = format!("job {} of {}", job.job_id, job.repository);
        let path = at(&job.repository, &format!("/jobs/{}", job.job_id));
        let found: answers::Job = self.api.get(Scope::Of(&job.repository), &what, &path).await?;
        if found.id != job.job_id {
            return Err(ForgeError::Garbage { what, why: "it is another job".to_owned() });
        }
        Ok(found)
    }

    /// The host's word for why a job failed.
    pub(super) async fn reason(&self, job: &JobRef) -> Result<Vec<Annotation>, ForgeError> {
        let found = match self.found_job(job).await {
            // A trigger job.
            Err(ForgeError::NotFound { .. }) => return Ok(Vec::new()),
            found => found?,
        };
        let said = found.failure_reason.as_deref().and_then(reasons::sentence);
        let about_the_job = |message| Annotation {
            level: Level::Failure,
            title: found.failure_reason.clone().unwrap_or_default(),
            message,
            path: ".github".to_owned(),
            line: 1,
        };
        Ok(said.map(about_the_job).into_iter().collect())
    }

    /// By the project's failed jobs: they are listed with those that were retried since, so that a pipeline which ended well
    /// only when it was repeated is found too, and downstream pipelines are.
    pub(super) async fn failed_since(
        &self,
        repository: &Repository,
        since: SystemTime,
        from: Option<&Cursor>,
    ) -> Result<Page, ForgeError> {
        let what = format!("the failed jobs of {repository}");
        let first =
            format!("scope%5B%5D=failed&per_page={ON_A_PAGE}&pagination=keyset&order_by=id&sort=desc");
        let query = match from {
            None => first,
            Some(Cursor(query)) if is_query(query) => query.clone(),
            Some(_) => {
                let why = "the cursor is none of a listing of jobs".to_owned();
                return Err(ForgeError::Invalid { what, why });
            }
        };
        let url = self.api.base.at(&at(repository, &format!("/jobs?{query}")));
        let (jobs, next): (Vec<answers::Job>, _) = self.api.page(Scope::Of(repository), &what, &url).await?;
        let next = next.as_deref().and_then(|next| next.split_once('?')).map(|(_, query)| query.to_owned());
        let next = next.filter(|next| is_query(next) && *next != query);
        let all_younger = jobs.iter().all(|job| job.created_at.0 >= since);
        let younger = jobs.iter().filter(|job| job.created_at.0 >= since && !job.allow_failure);
        let pipelines: BTreeSet<u64> = younger.map(|job| job.pipeline.id).collect();
        let mut runs = Vec::new();
        for run_id in pipelines.into_iter().rev() {
            let run = match self.look(&RunRef { repository: repository.clone(), run_id }).await {
                // It was deleted meanwhile.
                Err(ForgeError::NotFound { .. }) => continue,
                seen => seen?.run,
            };
            let failed = run.attempt > 1 || run.conclusion.is_some_and(Conclusion::failed);
            if failed && run.created_at >= since {
                runs.push(run);
            }
        }
        Ok(Page { runs, next: next.filter(|_| all_younger).map(Cursor) })
    }
}

/// Whether a text can be the query of a page.
fn is_query(text: &str) -> bool {
    let right = |b: u8| b.is_ascii_alphanumeric() || b"%&=_-.~+[]".contains(&b);
    !text.is_empty() && text.len() <= LONGEST_CURSOR && text.bytes().all(right)
}

/// What is called for people.
pub(super) fn named(run: &RunRef) -> String {
    format!("pipeline {} of {}", run.run_id, run.repository)
}

/// The address of a project and what is below it.
pub(super) fn at(repository: &Repository, rest: &str) -> String {
    format!("/projects/{}{rest}", part(repository.as_str()))
}

/// Whether a job has something before it. One that waits for a stage (`created`) has not in a pipeline that ended, unless
/// it was just retried.
fn is_under_way((job, attempt): &(answers::Job, u32)) -> bool {
    match job.status.as_str() {
        "created" => *attempt > 1,
        "pending"
        | "running"
        | "preparing"
        | "waiting_for_resource"
        | "waiting_for_callback"
        | "canceling" => true,
        _ => false,
    }
}

/// <https://docs.gitlab.com/api/pipelines/>, `status`; those of jobs are the same words.
fn status(word: &str) -> Status {
    match word {
        "created" | "preparing" | "pending" => Status::Queued,
        "running" | "canceling" => Status::Running,
        "manual" | "scheduled" | "waiting_for_resource" | "waiting_for_callback" => Status::Waiting,
        "success" | "failed" | "canceled" | "skipped" => Status::Completed,
        _ => Status::Unknown,
    }
}

fn conclusion(word: &str) -> Conclusion {
    match word {
        "success" => Conclusion::Success,
        "failed" => Conclusion::Failure,
        "canceled" => Conclusion::Cancelled,
        "skipped" => Conclusion::Skipped,
        _ => Conclusion::Unknown,
    }
}

/// Whether a job made its pipeline fail.
pub(super) fn has_failed(job: &answers::Job) -> bool {
    job.status == "failed" && !job.allow_failure
}

fn read(repository: &Repository, job: &answers::Job, attempt: u32) -> Job {
    let status = status(&job.status);
    let ended = match job.failure_reason.as_deref() {
        _ if job.status == "failed" && job.allow_failure => Conclusion::Neutral,
        Some("stuck_or_timeout_failure" | "job_execution_timeout") if job.status == "failed" => {
            Conclusion::TimedOut
        }
        _ => conclusion(&job.status),
    };
    Job {
        reference: JobRef { repository: repository.clone(), job_id: job.id },
        run_id: job.pipeline.id,
        name: job.name.clone(),
        attempt,
        head_sha: job.pipeline.sha.clone(),
        status,
        conclusion: (status == Status::Completed).then_some(ended),
        stage: job.stage.clone(),
        steps: Vec::new(),
        started_at: job.started_at.map(|at| at.0),
        completed_at: job.finished_at.map(|at| at.0),
        labels: job.tag_list.clone(),
        runner: job.runner.as_ref().and_then(|runner| runner.description.clone()),
        url: job.web_url.clone(),
    }
}
