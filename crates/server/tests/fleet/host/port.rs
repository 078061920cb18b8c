//! What the host answers, as Regreen asks it.

use std::{
    collections::BTreeMap,
    sync::atomic::Ordering,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use regreen_forge::{
    Actor, Annotation, BoxFuture, Budget, Cache, Calls, Change, Check, Comment, Conclusion, Cursor,
    Diagnosed, Forge, ForgeError, Issue, IssueText, Job, JobLog, JobRef, LogEntry, Marker, MaySend,
    NotAllowed, Page, Permission, Proposal, Repository, Rerun, Run, RunRef, Status, Step,
};

use super::{AtHost, Host, JobsEnded, OneRun, commit};

fn missing() -> ForgeError {
    ForgeError::NotFound { what: "it".to_owned() }
}

impl AtHost {
    fn get(&mut self, run: u64) -> Result<&mut OneRun, ForgeError> {
        self.runs.get_mut(&run).ok_or_else(missing)
    }
}

fn run_of(reference: RunRef, run: &OneRun) -> Run {
    let head_sha = commit(reference.run_id);
    let url = format!("https://ci.example/{}/{}", reference.repository, reference.run_id);
    Run {
        reference,
        name: "CI".to_owned(),
        workflow: ".github/workflows/ci.yml".to_owned(),
        head_sha,
        branch: Some("main".to_owned()),
        event: "push".to_owned(),
        attempt: run.attempt,
        status: run.status,
        conclusion: run.conclusion,
        created_at: SystemTime::now(),
        started_at: None,
        updated_at: None,
        from_fork: run.fork,
        part_of_another: false,
        pull_requests: run.pull.into_iter().collect(),
        default_branch: "main".to_owned(),
        url,
    }
}

fn step(number: u64, name: &str) -> Step {
    let conclusion = Some(Conclusion::Success);
    Step { number, name: name.to_owned(), status: Status::Completed, conclusion }
}

macro_rules! not_asked {
    ($($name:ident($($arg:ident: $kind:ty),*) -> $answer:ty;)+) => {
        $(fn $name<'a>(&'a self, $($arg: $kind),*) -> BoxFuture<'a, Result<$answer, ForgeError>> {
            $(let _ = $arg;)*
            Box::pin(async { Err(missing()) })
        })+
    };
}

impl Forge for Host {
    fn run<'a>(&'a self, run: &'a RunRef) -> BoxFuture<'a, Result<Run, ForgeError>> {
        Box::pin(self.asked(|at| Ok(run_of(run.clone(), at.get(run.run_id)?))))
    }

    fn jobs<'a>(&'a self, run: &'a RunRef, attempt: u32) -> BoxFuture<'a, Result<Vec<Job>, ForgeError>> {
        let clock = *self.clock.lock().unwrap();
        let now = clock
            .map_or_else(SystemTime::now, |now| UNIX_EPOCH + Duration::from_millis(now().unsigned_abs()));
        let completed_at = match *self.jobs_ended.lock().unwrap() {
            JobsEnded::Now => Some(now),
            JobsEnded::Before(ago) => Some(now - ago),
            JobsEnded::After(ahead) => Some(now + ahead),
            JobsEnded::Unsaid => None,
        };
        Box::pin(self.asked(move |at| {
            let found = at.get(run.run_id)?;
            let job = |(n, (name, _, ended)): (usize, &(String, &str, Option<Conclusion>))| Job {
                reference: JobRef { repository: run.repository.clone(), job_id: run.run_id * 100 + n as u64 },
                run_id: run.run_id,
                name: name.clone(),
                attempt,
                head_sha: commit(run.run_id),
                status: if ended.is_some() { Status::Completed } else { Status::Running },
                conclusion: *ended,
                stage: None,
                steps: (1..).zip(&found.steps).map(|(number, name)| step(number, name)).collect(),
                started_at: Some(now - Duration::from_secs(60)),
                completed_at: ended.and(completed_at),
                labels: Vec::new(),
                runner: None,
                url: String::new(),
            };
            Ok(found.jobs.iter().enumerate().map(job).collect())
        }))
    }

    fn job_log<'a>(&'a self, job: &'a JobRef) -> BoxFuture<'a, Result<JobLog, ForgeError>> {
        Box::pin(self.asked(move |at| {
            let run = at.get(job.job_id / 100)?;
            let (_, log, _) = run.jobs.get((job.job_id % 100) as usize).ok_or_else(missing)?;
            Ok(JobLog { bytes: log.as_bytes().to_vec(), left_out: 0 })
        }))
    }

    fn annotations<'a>(&'a self, _: &'a JobRef) -> BoxFuture<'a, Result<Vec<Annotation>, ForgeError>> {
        Box::pin(self.asked(|_| Ok(Vec::new())))
    }

    fn failed_runs_since<'a>(
        &'a self,
        repository: &'a Repository,
        _: SystemTime,
        _: Option<&'a Cursor>,
    ) -> BoxFuture<'a, Result<Page, ForgeError>> {
        Box::pin(self.asked(move |at| {
            let run = |(id, run): (&u64, &OneRun)| {
                run_of(RunRef { repository: repository.clone(), run_id: *id }, run)
            };
            Ok(Page { runs: at.runs.iter().map(run).collect(), next: None })
        }))
    }

    fn rerun_failed_jobs_if<'a>(
        &'a self,
        of: &'a Diagnosed,
        may_send: MaySend<'a>,
    ) -> BoxFuture<'a, Result<Rerun, ForgeError>> {
        Box::pin(async move {
            self.checks.fetch_add(1, Ordering::SeqCst);
            while self.at.lock().unwrap().held {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let attempt = self.at.lock().unwrap().get(of.run.run_id)?.attempt;
            if !may_send() && attempt != of.attempt {
                let what = "the rerun".to_owned();
                return Err(ForgeError::NotAllowed { what, why: NotAllowed::OtherAttempt { attempt } });
            }
            if !may_send() {
                let what = "the rerun".to_owned();
                return Err(ForgeError::NotAllowed { what, why: NotAllowed::Stopped });
            }
            self.rerun_failed_jobs(of).await
        })
    }

    fn rerun_failed_jobs<'a>(&'a self, of: &'a Diagnosed) -> BoxFuture<'a, Result<Rerun, ForgeError>> {
        Box::pin(self.asked(move |at| {
            let goes = at.reruns_go.pop_front();
            if let Some((error, false)) = goes {
                return Err(error);
            }
            let run = at.get(of.run.run_id)?;
            let no = |why| Err(ForgeError::NotAllowed { what: "the rerun".to_owned(), why });
            if run.attempt != of.attempt {
                return no(NotAllowed::OtherAttempt { attempt: run.attempt });
            }
            if run.status != Status::Completed {
                return no(NotAllowed::NotEnded);
            }
            run.attempt += 1;
            run.reruns += 1;
            run.status = Status::Running;
            run.conclusion = None;
            for job in run.jobs.iter_mut().filter(|job| job.2 != Some(Conclusion::Success)) {
                job.2 = None;
            }
            match goes {
                Some((error, _)) => Err(error),
                None => Ok(Rerun { attempt: run.attempt, found: false }),
            }
        }))
    }

    fn cancel<'a>(&'a self, run: &'a RunRef) -> BoxFuture<'a, Result<(), ForgeError>> {
        Box::pin(self.asked(move |at| {
            let goes = at.cancels_go.pop_front();
            if !matches!(goes, Some((_, false))) {
                at.get(run.run_id)?.cancels += 1;
            }
            goes.map_or(Ok(()), |(error, _)| Err(error))
        }))
    }

    fn find_issue<'a>(
        &'a self,
        repository: &'a Repository,
        marker: &'a Marker,
    ) -> BoxFuture<'a, Result<Option<Issue>, ForgeError>> {
        Box::pin(self.asked(move |at| {
            let fits = |(of, issue): &&(Repository, Issue)| {
                of == repository && marker.is_in(&issue.body) && !at.gone.contains(&issue.number)
            };
            let found = at.issues.iter().filter(|_| !at.unlabelled).find(fits);
            Ok(found.map(|(_, issue)| issue.clone()))
        }))
    }

    fn issue<'a>(
        &'a self,
        _: &'a Repository,
        number: u64,
    ) -> BoxFuture<'a, Result<Option<Issue>, ForgeError>> {
        Box::pin(self.asked(move |at| {
            let here = at.issues.get(number as usize - 1).filter(|_| !at.gone.contains(&number));
            Ok(here.map(|(_, issue)| issue.clone()))
        }))
    }

    fn owners<'a>(&'a self, _: &'a Repository) -> BoxFuture<'a, Result<Option<String>, ForgeError>> {
        Box::pin(self.asked(|at| Ok(at.owners.clone())))
    }

    fn assign<'a>(
        &'a self,
        _: &'a Repository,
        number: u64,
        people: &'a [String],
    ) -> BoxFuture<'a, Result<(), ForgeError>> {
        Box::pin(self.asked(move |at| {
            at.assigned.push((number, people.to_vec()));
            Ok(())
        }))
    }

    fn create_issue<'a>(
        &'a self,
        repository: &'a Repository,
        text: &'a IssueText,
    ) -> BoxFuture<'a, Result<Issue, ForgeError>> {
        Box::pin(self.asked(move |at| {
            let issue = Issue {
                number: at.issues.len() as u64 + 1,
                open: true,
                title: text.title.clone(),
                body: text.marker.mark(&text.body),
                url: String::new(),
            };
            at.issues.push((repository.clone(), issue.clone()));
            at.issue_writes += 1;
            Ok(issue)
        }))
    }

    fn update_issue<'a>(
        &'a self,
        _: &'a Repository,
        number: u64,
        text: &'a IssueText,
    ) -> BoxFuture<'a, Result<Issue, ForgeError>> {
        Box::pin(self.asked(move |at| {
            at.issue_writes += 1;
            let (_, issue) = at.issues.get_mut(number as usize - 1).ok_or_else(missing)?;
            issue.open = true;
            issue.title.clone_from(&text.title);
            issue.body = text.marker.mark(&text.body);
            Ok(issue.clone())
        }))
    }

    fn close_issue<'a>(&'a self, _: &'a Repository, number: u64) -> BoxFuture<'a, Result<(), ForgeError>> {
        Box::pin(self.asked(move |at| {
            at.issue_writes += 1;
            at.issues.get_mut(number as usize - 1).ok_or_else(missing)?.1.open = false;
            Ok(())
        }))
    }

    not_asked! {
        job(job: &'a JobRef) -> Job;
        run_logs(run: &'a RunRef, attempt: u32) -> Vec<LogEntry>;
        rerun_job(of: &'a Diagnosed, job: &'a JobRef) -> Rerun;
        rerun_all(of: &'a Diagnosed) -> Rerun;
        caches(repository: &'a Repository, key: Option<&'a str>, reference: Option<&'a str>) -> Vec<Cache>;
        delete_cache(repository: &'a Repository, key: &'a str, reference: &'a str) -> u64;
        propose_change(repository: &'a Repository, change: &'a Change) -> Proposal;
        dispatch(repository: &'a Repository, workflow: &'a str, reference: &'a str, inputs: &'a BTreeMap<String, String>) -> ();
    }

    fn check_run<'a>(
        &'a self,
        _: &'a Repository,
        check: &'a Check,
    ) -> BoxFuture<'a, Result<u64, ForgeError>> {
        Box::pin(self.asked(move |at| {
            if let Some(error) = at.checks_go.pop_front() {
                return Err(error);
            }
            at.checks.push(check.clone());
            Ok(1)
        }))
    }

    fn comment<'a>(
        &'a self,
        _: &'a Repository,
        number: u64,
        marker: &'a Marker,
        body: &'a str,
    ) -> BoxFuture<'a, Result<Comment, ForgeError>> {
        Box::pin(self.asked(move |at| {
            if let Some(error) = at.comments_go.pop_front() {
                return Err(error);
            }
            let said = at.said.entry((number, marker.as_str().to_owned())).or_default();
            if !Marker::is_newer(said, body) {
                body.clone_into(said);
            }
            Ok(Comment { id: 1, url: String::new() })
        }))
    }

    fn permission<'a>(
        &'a self,
        _: &'a Repository,
        login: &'a str,
    ) -> BoxFuture<'a, Result<Permission, ForgeError>> {
        Box::pin(self.asked(move |at| Ok(at.permissions.get(login).copied().unwrap_or(Permission::Read))))
    }

    fn takes_commands(&self) -> bool {
        true
    }

    fn actor(&self) -> BoxFuture<'_, Result<Actor, ForgeError>> {
        Box::pin(async { Ok(Actor { login: "regreen[bot]".to_owned() }) })
    }

    fn budget(&self) -> Option<Budget> {
        None
    }

    fn calls(&self) -> Option<&Calls> {
        Some(&self.counted)
    }
}
