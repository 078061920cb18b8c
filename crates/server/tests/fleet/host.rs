//! A CI host in memory: one repository's runs, what was asked of it, and where it stops answering.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use regreen_forge::{
    Actor, Annotation, BoxFuture, Budget, Cache, Change, Check, Comment, Conclusion, Cursor, Diagnosed,
    Forge, ForgeError, Issue, IssueText, Job, JobLog, JobRef, LogEntry, Marker, NotAllowed, Page, Proposal,
    Repository, Rerun, Run, RunRef, Status, Step,
};

pub const NETWORK: &str = "\
2026-11-29T09:00:01.0000000Z ##[group]Run npm ci
2026-11-29T09:00:01.1000000Z npm ci
2026-11-29T09:00:01.3000000Z ##[endgroup]
2026-11-29T09:03:20.0000000Z npm error code ECONNRESET
2026-11-29T09:03:20.1000000Z npm error network request to https://registry.npmjs.org/left-pad/-/left-pad-1.3.0.tgz failed, reason: read ECONNRESET
2026-11-29T09:03:20.2000000Z npm error network This is a problem related to network connectivity.
2026-11-29T09:03:20.5000000Z ##[error]Process completed with exit code 1.
";

pub const CODE: &str = "\
2026-11-29T09:00:01.0000000Z ##[group]Run npm test
2026-11-29T09:00:01.1000000Z npm test
2026-11-29T09:00:01.3000000Z ##[endgroup]
2026-11-29T09:00:02.0000000Z FAIL src/cart.test.js
2026-11-29T09:00:02.1000000Z   \u{25cf} cart \u{203a} adds two items
2026-11-29T09:00:02.2000000Z     expect(received).toBe(expected) // Object.is equality
2026-11-29T09:00:02.3000000Z     Expected: 2
2026-11-29T09:00:02.4000000Z     Received: 1
2026-11-29T09:00:02.5000000Z       at Object.<anonymous> (src/cart.test.js:14:20)
2026-11-29T09:00:02.6000000Z Tests:       1 failed, 3 passed, 4 total
2026-11-29T09:00:02.7000000Z ##[error]Process completed with exit code 1.
";

/// The commit of a run.
pub fn commit(run: u64) -> String {
    format!("{run:040x}")
}

/// Where the host stops answering: at the call with this number, before or after it did what was asked.
#[derive(Debug, Clone, Copy)]
pub struct Silence {
    pub call: usize,
    pub after: bool,
}

#[derive(Default)]
struct AtHost {
    /// By run.
    runs: BTreeMap<u64, OneRun>,
    silence: Option<Silence>,
    stumble: Option<(usize, ForgeError)>,
    issues: Vec<(Repository, Issue)>,
    issue_writes: usize,
}

struct OneRun {
    attempt: u32,
    status: Status,
    conclusion: Option<Conclusion>,
    /// Name, log, how it ended in the latest attempt.
    jobs: Vec<(String, &'static str, Option<Conclusion>)>,
    reruns: usize,
    cancels: usize,
    fork: bool,
    steps: Vec<String>,
}

/// The host.
#[derive(Default)]
pub struct Host {
    /// In milliseconds since 1970; the machine's where there is none.
    pub clock: Mutex<Option<fn() -> i64>>,
    at: Mutex<AtHost>,
    pub calls: AtomicUsize,
}

impl Host {
    /// A run that has failed, with these jobs; those without a log went well.
    pub fn fail(&self, run: u64, jobs: &[(&str, &'static str)]) {
        let job = |(name, log): &(&str, &'static str)| {
            let ended = if log.is_empty() { Conclusion::Success } else { Conclusion::Failure };
            ((*name).to_owned(), *log, Some(ended))
        };
        let run_now = OneRun {
            attempt: 1,
            status: Status::Completed,
            conclusion: Some(Conclusion::Failure),
            jobs: jobs.iter().map(job).collect(),
            reruns: 0,
            cancels: 0,
            fork: false,
            steps: Vec::new(),
        };
        self.at.lock().unwrap().runs.insert(run, run_now);
    }

    pub fn make_fork(&self, run: u64) {
        self.at.lock().unwrap().runs.get_mut(&run).unwrap().fork = true;
    }

    /// Every job has this step.
    pub fn step(&self, run: u64, name: &str) {
        self.at.lock().unwrap().runs.get_mut(&run).unwrap().steps.push(name.to_owned());
    }

    /// Whether the host shows that the run has ended.
    pub fn show_end(&self, run: u64, ended: bool) {
        let status = if ended { Status::Completed } else { Status::Running };
        self.at.lock().unwrap().runs.get_mut(&run).unwrap().status = status;
    }

    /// The attempt that is under way ends, each job in its own way.
    pub fn end_each(&self, run: u64, conclusions: &[Conclusion]) {
        let mut at = self.at.lock().unwrap();
        let run = at.runs.get_mut(&run).unwrap();
        run.status = Status::Completed;
        run.conclusion = Some(Conclusion::Failure);
        for (job, ended) in run.jobs.iter_mut().zip(conclusions) {
            job.2 = Some(*ended);
        }
    }

    /// The call with this number ends in an error, and nothing is done.
    pub fn stumble(&self, call: usize, error: ForgeError) {
        self.at.lock().unwrap().stumble = Some((call, error));
    }

    /// A job that was left out because another failed.
    pub fn skip(&self, run: u64, name: &str) {
        let mut at = self.at.lock().unwrap();
        at.runs.get_mut(&run).unwrap().jobs.push((name.to_owned(), "", Some(Conclusion::Skipped)));
    }

    /// The attempt that is under way ends.
    pub fn end(&self, run: u64, conclusion: Conclusion) {
        let mut at = self.at.lock().unwrap();
        let run = at.runs.get_mut(&run).unwrap();
        assert_eq!(run.status, Status::Running);
        run.status = Status::Completed;
        run.conclusion = Some(conclusion);
        for job in run.jobs.iter_mut().filter(|job| job.2.is_none()) {
            job.2 = Some(conclusion);
        }
    }

    /// A run that went well at once.
    pub fn end_well(&self, run: u64) {
        self.at.lock().unwrap().runs.get_mut(&run).unwrap().conclusion = Some(Conclusion::Success);
    }

    /// Somebody sends a run off again.
    pub fn again_by_hand(&self, run: u64) {
        let mut at = self.at.lock().unwrap();
        let run = at.runs.get_mut(&run).unwrap();
        run.attempt += 1;
        run.status = Status::Running;
        run.jobs.iter_mut().for_each(|job| job.2 = None);
    }

    pub fn silence(&self, silence: Option<Silence>) {
        self.at.lock().unwrap().silence = silence;
    }

    /// Its issues, and how often one was written.
    pub fn issues(&self) -> (Vec<Issue>, usize) {
        let at = self.at.lock().unwrap();
        (at.issues.iter().map(|(_, issue)| issue.clone()).collect(), at.issue_writes)
    }

    /// A person closes an issue.
    pub fn close_by_hand(&self, number: u64) {
        self.at.lock().unwrap().issues[number as usize - 1].1.open = false;
    }

    pub fn reruns(&self, run: u64) -> usize {
        self.at.lock().unwrap().runs[&run].reruns
    }

    pub fn cancels(&self, run: u64) -> usize {
        self.at.lock().unwrap().runs[&run].cancels
    }

    /// Does what is asked, unless this is the call at which the host falls silent.
    async fn asked<T>(
        &self,
        act: impl FnOnce(&mut AtHost) -> Result<T, ForgeError>,
    ) -> Result<T, ForgeError> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let stumble = self.at.lock().unwrap().stumble.clone();
        if let Some((_, error)) = stumble.filter(|(at, _)| *at == call) {
            return Err(error);
        }
        let silence = self.at.lock().unwrap().silence.filter(|silence| silence.call == call);
        match silence {
            Some(Silence { after: false, .. }) => std::future::pending().await,
            Some(Silence { after: true, .. }) => {
                let _lost = act(&mut self.at.lock().unwrap());
                std::future::pending().await
            }
            None => act(&mut self.at.lock().unwrap()),
        }
    }
}

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
        pull_requests: Vec::new(),
        default_branch: "main".to_owned(),
        url: String::new(),
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
                completed_at: ended.map(|_| now),
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

    fn rerun_failed_jobs<'a>(&'a self, of: &'a Diagnosed) -> BoxFuture<'a, Result<Rerun, ForgeError>> {
        Box::pin(self.asked(move |at| {
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
            Ok(Rerun { attempt: run.attempt, found: false })
        }))
    }

    fn cancel<'a>(&'a self, run: &'a RunRef) -> BoxFuture<'a, Result<(), ForgeError>> {
        Box::pin(self.asked(move |at| {
            at.get(run.run_id)?.cancels += 1;
            Ok(())
        }))
    }

    fn find_issue<'a>(
        &'a self,
        repository: &'a Repository,
        marker: &'a Marker,
    ) -> BoxFuture<'a, Result<Option<Issue>, ForgeError>> {
        Box::pin(self.asked(move |at| {
            let fits = |(of, issue): &&(Repository, Issue)| of == repository && marker.is_in(&issue.body);
            Ok(at.issues.iter().find(fits).map(|(_, issue)| issue.clone()))
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
        comment(repository: &'a Repository, number: u64, marker: &'a Marker, body: &'a str) -> Comment;
        check_run(repository: &'a Repository, check: &'a Check) -> u64;
        propose_change(repository: &'a Repository, change: &'a Change) -> Proposal;
        dispatch(repository: &'a Repository, workflow: &'a str, reference: &'a str, inputs: &'a BTreeMap<String, String>) -> ();
    }

    fn actor(&self) -> BoxFuture<'_, Result<Actor, ForgeError>> {
        Box::pin(async { Err(missing()) })
    }

    fn budget(&self) -> Option<Budget> {
        None
    }
}
