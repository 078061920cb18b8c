//! A CI host in memory: one repository's runs, what was asked of it, and where it stops answering.

mod port;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use regreen_forge::{Calls, Check, Conclusion, ForgeError, Issue, Permission, Repository, Status};

pub const NETWORK: &str = regreen_lab::forge::NETWORK_LOSS;

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
    /// What every call ends in.
    refuses: Option<ForgeError>,
    /// What the next requests to repeat, and to cancel, end in; and whether they are done all the same.
    reruns_go: VecDeque<(ForgeError, bool)>,
    cancels_go: VecDeque<(ForgeError, bool)>,
    /// What accounts may do; others may look.
    permissions: BTreeMap<String, Permission>,
    /// Comments of Regreen's own, by number and marker.
    said: BTreeMap<(u64, String), String>,
    /// What the next comment ends in.
    comments_go: VecDeque<ForgeError>,
    /// Check runs of Regreen's own, as each was written, and what the next one ends in.
    checks: Vec<Check>,
    checks_go: VecDeque<ForgeError>,
    /// Requests to repeat are looked at for so long before they are sent.
    held: bool,
    issues: Vec<(Repository, Issue)>,
    issue_writes: usize,
    owners: Option<String>,
    assigned: Vec<(u64, Vec<String>)>,
    /// Issues can't be found by what Regreen put on them.
    unlabelled: bool,
    /// Issues that were deleted.
    gone: Vec<u64>,
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
    pull: Option<u64>,
}

/// When its jobs ended, as it says.
#[derive(Debug, Clone, Copy, Default)]
pub enum JobsEnded {
    /// The moment that they are asked about.
    #[default]
    Now,
    /// So long before.
    Before(Duration),
    /// By its clock so much later: that is ahead.
    After(Duration),
    /// It does not say.
    Unsaid,
}

/// The host.
#[derive(Default)]
pub struct Host {
    pub jobs_ended: Mutex<JobsEnded>,
    /// In milliseconds since 1970; the machine's where there is none.
    pub clock: Mutex<Option<fn() -> i64>>,
    at: Mutex<AtHost>,
    pub calls: AtomicUsize,
    /// The same, by the repository on whose behalf it is asked; each is said to be `octo/shop`.
    pub counted: Calls,
    /// Requests to repeat a run that were begun.
    pub checks: AtomicUsize,
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
            pull: None,
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

    /// Somebody runs it again.
    pub fn again(&self, run: u64) {
        let mut at = self.at.lock().unwrap();
        let run = at.runs.get_mut(&run).unwrap();
        (run.attempt, run.status, run.conclusion) = (run.attempt + 1, Status::Running, None);
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

    /// The next request to repeat a run ends in this, done or not.
    pub fn rerun_goes(&self, error: ForgeError, done: bool) {
        self.at.lock().unwrap().reruns_go.push_back((error, done));
    }

    /// The next request to cancel a run ends in this.
    pub fn cancel_goes(&self, error: ForgeError, done: bool) {
        self.at.lock().unwrap().cancels_go.push_back((error, done));
    }

    /// This account may do that.
    pub fn permit(&self, login: &str, may: Permission) {
        self.at.lock().unwrap().permissions.insert(login.to_owned(), may);
    }

    /// What Regreen said on this issue or pull request: each of its comments.
    pub fn said(&self, number: u64) -> Vec<String> {
        let at = self.at.lock().unwrap();
        at.said.iter().filter(|((on, _), _)| *on == number).map(|(_, text)| text.clone()).collect()
    }

    /// The next comment ends in this.
    pub fn comment_goes(&self, error: ForgeError) {
        self.at.lock().unwrap().comments_go.push_back(error);
    }

    /// Check runs, as they were written.
    pub fn checks_written(&self) -> Vec<Check> {
        self.at.lock().unwrap().checks.clone()
    }

    /// The next check run ends in this.
    pub fn check_goes(&self, error: ForgeError) {
        self.at.lock().unwrap().checks_go.push_back(error);
    }

    /// What its jobs print from now on.
    pub fn logs(&self, run: u64, log: &'static str) {
        let mut at = self.at.lock().unwrap();
        at.runs.get_mut(&run).unwrap().jobs.iter_mut().for_each(|job| job.1 = log);
    }

    /// The run belongs to this pull request.
    pub fn make_pull(&self, run: u64, number: u64) {
        self.at.lock().unwrap().runs.get_mut(&run).unwrap().pull = Some(number);
    }

    /// Whether requests to repeat a run hang where the host is looked at before they are sent.
    pub fn hold(&self, held: bool) {
        self.at.lock().unwrap().held = held;
    }

    /// The call with this number ends in an error, and nothing is done.
    pub fn stumble(&self, call: usize, error: ForgeError) {
        self.at.lock().unwrap().stumble = Some((call, error));
    }

    /// Every call ends in this from now on, and nothing is done.
    pub fn refuse(&self, error: Option<ForgeError>) {
        self.at.lock().unwrap().refuses = error;
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

    /// What its CODEOWNERS says.
    pub fn owned(&self, text: &str) {
        self.at.lock().unwrap().owners = Some(text.to_owned());
    }

    /// Whom issues were assigned to, in order.
    pub fn assigned(&self) -> Vec<(u64, Vec<String>)> {
        self.at.lock().unwrap().assigned.clone()
    }

    /// A person closes an issue.
    pub fn close_by_hand(&self, number: u64) {
        self.at.lock().unwrap().issues[number as usize - 1].1.open = false;
    }

    /// The account may put no labels on issues.
    pub fn keep_labels_off(&self) {
        self.at.lock().unwrap().unlabelled = true;
    }

    /// A person deletes an issue.
    pub fn delete_by_hand(&self, number: u64) {
        self.at.lock().unwrap().gone.push(number);
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
        self.counted.note(&crate::octo());
        let stumble = self.at.lock().unwrap().stumble.clone();
        if let Some((_, error)) = stumble.filter(|(at, _)| *at == call) {
            return Err(error);
        }
        if let Some(error) = self.at.lock().unwrap().refuses.clone() {
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
