//! Runs, jobs, and which of them failed.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use super::{
    answers::{self, conclusion, level, status},
    api::Scope,
    client::GitHub,
};
use crate::{
    Annotation, Cursor, ForgeError, Job, JobRef, Page, Repository, Run, RunRef, Step, wire::base::part,
};

/// GitHub lists no more than so many runs for one range of time.
const LISTED: u64 = 1000;
/// Runs, jobs and the like on one page: the most that GitHub gives.
const ON_A_PAGE: u64 = 100;

/// The default branches of repositories that were asked for lately.
#[derive(Debug, Default)]
pub(super) struct Repositories(Mutex<HashMap<String, (String, SystemTime)>>);

/// How long a default branch is believed.
const BELIEVED: Duration = Duration::from_secs(600);

/// Where the listing of runs goes on: at this page of the runs made up to then.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    until: Option<jiff::Timestamp>,
    page: u64,
}

impl Place {
    fn parse(cursor: Option<&Cursor>) -> Option<Place> {
        let Some(Cursor(text)) = cursor else { return Some(Place { until: None, page: 1 }) };
        let (until, page) = text.split_once(' ')?;
        let until = if until == "now" { None } else { Some(until.parse().ok()?) };
        Some(Place { until, page: page.parse().ok().filter(|page| (1..=LISTED / ON_A_PAGE).contains(page))? })
    }

    fn cursor(&self) -> Cursor {
        let until = self.until.map_or_else(|| "now".to_owned(), |until| until.to_string());
        Cursor(format!("{until} {}", self.page))
    }

    /// The place after a page of `count` runs of `total`, the oldest of them made `oldest`. GitHub lists only the newest
    /// thousand, so what is older is a listing of its own.
    fn after(&self, count: u64, total: u64, oldest: Option<jiff::Timestamp>) -> Option<Place> {
        if count < ON_A_PAGE || self.page * ON_A_PAGE >= total {
            return None;
        }
        if (self.page + 1) * ON_A_PAGE <= LISTED {
            return Some(Place { until: self.until, page: self.page + 1 });
        }
        let oldest = oldest?;
        // A thousand runs in one second would be listed for ever.
        let second = jiff::SignedDuration::from_secs(1);
        let until = if self.until == Some(oldest) { oldest.checked_sub(second).ok()? } else { oldest };
        Some(Place { until: Some(until), page: 1 })
    }
}

impl GitHub {
    pub(super) async fn default_branch(&self, repository: &Repository) -> Result<String, ForgeError> {
        let key = repository.to_string();
        let now = SystemTime::now();
        let known = || self.repositories.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((branch, asked)) = known().get(&key).cloned()
            && now.duration_since(asked).is_ok_and(|age| age < BELIEVED)
        {
            return Ok(branch);
        }
        let path = format!("/repos/{repository}");
        let found: answers::Repository = self.api.get(Scope::Of(repository), &key, &path).await?;
        known().insert(key, (found.default_branch.clone(), now));
        Ok(found.default_branch)
    }

    pub(super) async fn run_now(&self, run: &RunRef) -> Result<Run, ForgeError> {
        two_parts(&run.repository)?;
        let path = format!("/repos/{}/actions/runs/{}", run.repository, run.run_id);
        let found: answers::Run = self.api.get(Scope::Of(&run.repository), &named(run), &path).await?;
        let default_branch = self.default_branch(&run.repository).await?;
        if found.id != run.run_id {
            let why = "it is another run".to_owned();
            return Err(ForgeError::Garbage { what: named(run), why });
        }
        Ok(read_run(&run.repository, &default_branch, found))
    }

    pub(super) async fn jobs_of(&self, run: &RunRef, attempt: u32) -> Result<Vec<Job>, ForgeError> {
        two_parts(&run.repository)?;
        let path = format!(
            "/repos/{}/actions/runs/{}/attempts/{attempt}/jobs?per_page={ON_A_PAGE}",
            run.repository, run.run_id
        );
        let what = format!("the jobs of {}", named(run));
        let items = |page: answers::Jobs| page.jobs;
        let all = self.api.all(Scope::Of(&run.repository), &what, &path, items, |_| false).await?;
        Ok(all.into_iter().map(|job| read_job(&run.repository, job, attempt)).collect())
    }

    pub(super) async fn one_job(&self, job: &JobRef) -> Result<Job, ForgeError> {
        two_parts(&job.repository)?;
        let path = format!("/repos/{}/actions/jobs/{}", job.repository, job.job_id);
        let what = format!("job {} of {}", job.job_id, job.repository);
        let found: answers::Job = self.api.get(Scope::Of(&job.repository), &what, &path).await?;
        Ok(read_job(&job.repository, found, 1))
    }

    /// A job's id is that of its check run.
    pub(super) async fn annotations_of(&self, job: &JobRef) -> Result<Vec<Annotation>, ForgeError> {
        two_parts(&job.repository)?;
        let path =
            format!("/repos/{}/check-runs/{}/annotations?per_page={ON_A_PAGE}", job.repository, job.job_id);
        let what = format!("the annotations of job {} of {}", job.job_id, job.repository);
        let items = |page: Vec<answers::Annotation>| page;
        // GitHub keeps 50 of each step; more than a thousand are no help to anybody.
        let all = self
            .api
            .all(Scope::Of(&job.repository), &what, &path, items, |all| all.len() as u64 >= LISTED)
            .await?;
        let read = |found: answers::Annotation| Annotation {
            level: level(found.annotation_level.as_deref()),
            title: found.title.unwrap_or_default(),
            message: found.message.unwrap_or_default(),
            path: found.path,
            line: found.start_line,
        };
        Ok(all.into_iter().map(read).collect())
    }

    pub(super) async fn failed_since(
        &self,
        repository: &Repository,
        since: SystemTime,
        from: Option<&Cursor>,
    ) -> Result<Page, ForgeError> {
        two_parts(repository)?;
        let what = format!("the runs of {repository}");
        let invalid = |why: &str| ForgeError::Invalid { what: what.clone(), why: why.to_owned() };
        let place = Place::parse(from).ok_or_else(|| invalid("the cursor is none of a listing of runs"))?;
        let seconds = |time: jiff::Timestamp| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let since = jiff::Timestamp::try_from(since).map_err(|_| invalid("the time is out of range"))?;
        let created = match place.until {
            Some(until) => format!("{}..{}", seconds(since), seconds(until)),
            None => format!(">={}", seconds(since)),
        };
        let path = format!(
            "/repos/{repository}/actions/runs?status=completed&created={}&per_page={ON_A_PAGE}&page={}",
            part(&created),
            place.page
        );
        let url = self.api.base.at(&path);
        let (page, _): (answers::Runs, _) = self.api.page(Scope::Of(repository), &what, &url).await?;
        let default_branch = self.default_branch(repository).await?;
        let count = page.workflow_runs.len() as u64;
        let oldest = page.workflow_runs.iter().map(|run| run.created_at).min();
        let oldest = oldest.and_then(|at| jiff::Timestamp::try_from(at.0).ok());
        let next =
            place.after(count, page.total_count, oldest).filter(|next| next.until.is_none_or(|u| u >= since));
        let runs = page.workflow_runs.into_iter().map(|run| read_run(repository, &default_branch, run));
        let failed = |run: &Run| run.attempt > 1 || run.conclusion.is_some_and(crate::Conclusion::failed);
        Ok(Page { runs: runs.filter(failed).collect(), next: next.map(|next| next.cursor()) })
    }
}

/// What is called for people.
pub(super) fn named(run: &RunRef) -> String {
    format!("run {} of {}", run.run_id, run.repository)
}

/// GitHub's repositories have an owner and a name; a longer one would be another address.
pub(super) fn two_parts(repository: &Repository) -> Result<(), ForgeError> {
    if repository.as_str().matches('/').count() == 1 {
        return Ok(());
    }
    let why = "at GitHub a repository is OWNER/NAME".to_owned();
    Err(ForgeError::Invalid { what: repository.to_string(), why })
}

fn read_run(repository: &Repository, default_branch: &str, run: answers::Run) -> Run {
    // A fork that was deleted is named no more.
    let own = run.repository.zip(run.head_repository).is_some_and(|(own, head)| own.id == head.id);
    Run {
        reference: RunRef { repository: repository.clone(), run_id: run.id },
        name: run.name.unwrap_or_default(),
        // `.github/workflows/ci.yml@main` where it is another repository's.
        workflow: run.path.split('@').next().unwrap_or_default().to_owned(),
        head_sha: run.head_sha,
        branch: run.head_branch,
        event: run.event,
        attempt: run.run_attempt.unwrap_or(1).max(1),
        status: run.status.as_deref().map_or(crate::Status::Unknown, status),
        conclusion: run.conclusion.as_deref().map(conclusion),
        created_at: run.created_at.0,
        started_at: run.run_started_at.map(|at| at.0),
        updated_at: run.updated_at.map(|at| at.0),
        from_fork: !own,
        part_of_another: false,
        pull_requests: run.pull_requests.into_iter().flatten().map(|pull| pull.number).collect(),
        default_branch: default_branch.to_owned(),
        url: run.html_url,
    }
}

/// `attempt` where GitHub does not say which one it is of.
fn read_job(repository: &Repository, job: answers::Job, attempt: u32) -> Job {
    let step = |step: answers::Step| Step {
        number: step.number,
        name: step.name,
        status: status(&step.status),
        conclusion: step.conclusion.as_deref().map(conclusion),
    };
    Job {
        reference: JobRef { repository: repository.clone(), job_id: job.id },
        run_id: job.run_id,
        name: job.name,
        attempt: job.run_attempt.unwrap_or(attempt).max(1),
        head_sha: job.head_sha,
        status: status(&job.status),
        conclusion: job.conclusion.as_deref().map(conclusion),
        stage: None,
        steps: job.steps.into_iter().map(step).collect(),
        started_at: job.started_at.map(|at| at.0),
        completed_at: job.completed_at.map(|at| at.0),
        labels: job.labels,
        runner: job.runner_name.filter(|name| !name.is_empty()),
        url: job.html_url.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> jiff::Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn past_a_thousand_the_listing_goes_on_with_what_is_older() {
        let first = Place::parse(None).unwrap();
        assert_eq!(first.after(99, 99, None), None);
        assert_eq!(first.after(100, 100, None), None);
        let second = first.after(100, 2500, Some(at("2026-11-01T00:00:00Z"))).unwrap();
        assert_eq!(second, Place { until: None, page: 2 });
        assert_eq!(Place::parse(Some(&second.cursor())), Some(second));
        let tenth = Place { until: None, page: 10 };
        let older = tenth.after(100, 2500, Some(at("2026-10-01T00:00:00Z"))).unwrap();
        assert_eq!(older, Place { until: Some(at("2026-10-01T00:00:00Z")), page: 1 });
        assert_eq!(Place::parse(Some(&older.cursor())), Some(older));
        // All thousand in the same second.
        let stuck = Place { until: Some(at("2026-10-01T00:00:00Z")), page: 10 };
        let on = stuck.after(100, 2500, Some(at("2026-10-01T00:00:00Z"))).unwrap();
        assert_eq!(on.until, Some(at("2026-09-30T23:59:59Z")));
        for odd in ["", "now", "now 0", "now 11", "now x", "yesterday 1"] {
            assert_eq!(Place::parse(Some(&Cursor(odd.to_owned()))), None, "{odd}");
        }
    }
}
