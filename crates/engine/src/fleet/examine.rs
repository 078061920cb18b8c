//! What the host and the logs say of a run: every job that failed, and why.

use std::time::UNIX_EPOCH;

use regreen_detect::{Circumstances, Detection, Detector};
use regreen_domain::{FailureClass, InfraClass, Verdict};
use regreen_forge::{Conclusion, ForgeError, Job, Level, NotAllowed, Repository, Run, RunRef, Status};
use regreen_logs::{Dropped, ReadOptions, read};

use crate::{
    error::EngineError,
    fleet::{Fleet, Hand},
};

/// A run was looked at.
pub(super) enum Examined {
    /// It failed.
    Found(Box<Found>),
    /// There is nothing to be done about it.
    Nothing {
        /// Why.
        why: String,
        /// It has ended, and well.
        ended_well: bool,
    },
    /// The host could not be asked.
    Later(ForgeError),
    /// The host does not show yet what it told by itself.
    Lags(String),
}

/// A run that failed.
pub(super) struct Found {
    pub(super) run: Run,
    /// Every job of the attempt.
    jobs: Vec<Job>,
    /// One for each job that failed, in order; at least one.
    pub(super) failed: Vec<(Job, Detection)>,
    /// Which of them decides.
    decisive: usize,
}

/// Which one speaks loudest against acting: a job that failed by its own code before one of an unknown cause, that before
/// what needs a person, that before what may be healed; of several of a sort the least sure.
fn decisive(failed: &[(Job, Detection)]) -> usize {
    let weight = |detection: &Detection| {
        let diagnosis = &detection.diagnosis;
        let sort = match diagnosis.class {
            _ if !diagnosis.failed => 1,
            FailureClass::Code(_) => 0,
            FailureClass::Unknown => 1,
            FailureClass::Infra(InfraClass::Advise(_)) => 2,
            FailureClass::Infra(InfraClass::Healable(_)) => 3,
        };
        (sort, diagnosis.confidence.value())
    };
    let all = failed.iter().map(|(_, detection)| weight(detection)).enumerate();
    let least = all.min_by(|(_, a), (_, b)| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    least.map_or(0, |(at, _)| at)
}

impl Found {
    /// The job's diagnosis that decides for all of them.
    pub(super) fn decisive(&self) -> &Detection {
        &self.failed[self.decisive].1
    }

    /// The names of the jobs that failed.
    pub(super) fn job_names(&self) -> Vec<&str> {
        self.failed.iter().map(|(job, _)| job.name.as_str()).collect()
    }

    /// Names of everything that may run again, steps and stages and all, and of what they are part of. The host repeats with a failed job
    /// those that depend on it, also where they ended well, and says of none on which it depends: so any may.
    pub(super) fn names_of_what_may_run_again(&self) -> impl Iterator<Item = &str> {
        let jobs = self.jobs.iter().flat_map(|job| {
            let name = std::iter::once(job.name.as_str()).chain(job.stage.as_deref());
            name.chain(job.steps.iter().map(|step| step.name.as_str()))
        });
        jobs.chain([self.run.name.as_str(), self.run.workflow.as_str()])
    }

    /// When the last failed job ended, in milliseconds since 1970.
    pub(super) fn ended_at(&self) -> Option<i64> {
        let last = self.failed.iter().filter_map(|(job, _)| job.completed_at).max()?;
        i64::try_from(last.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
    }
}

impl Fleet {
    /// Looks at an attempt of a run. The logs are kept for the incident of this id, whether or not it is on record yet.
    pub(super) async fn examine(
        &self,
        hand: &Hand<'_>,
        incident: &str,
        run: &RunRef,
        attempt: u32,
        told: bool,
    ) -> Result<Examined, EngineError> {
        let now = match self.forge.run(run).await {
            Ok(run) => run,
            Err(e) => return Ok(later(e)),
        };
        if told && (now.attempt < attempt || (now.attempt == attempt && now.status != Status::Completed)) {
            return Ok(Examined::Lags(format!(
                "the host does not show yet that attempt {attempt} has ended"
            )));
        }
        if now.attempt != attempt {
            return Ok(nothing(format!("the run is at attempt {} by now", now.attempt)));
        }
        if now.status != Status::Completed {
            return Ok(nothing("the run has not ended".to_owned()));
        }
        if !now.conclusion.is_some_and(Conclusion::failed) {
            return Ok(Examined::Nothing {
                why: "the run did not fail".to_owned(),
                ended_well: now.conclusion == Some(Conclusion::Success),
            });
        }
        if self.is_own(&now) {
            return Ok(nothing("it is a run of Regreen's own workflow".to_owned()));
        }
        if now.part_of_another {
            let why = "another run waits for it, and what that goes on with is not seen from here";
            return Ok(nothing(why.to_owned()));
        }
        let jobs = match self.forge.jobs(run, attempt).await {
            Ok(jobs) => jobs,
            Err(e) => return Ok(later(e)),
        };
        let failing: Vec<Job> =
            jobs.iter().filter(|job| job.conclusion.is_some_and(Conclusion::failed)).cloned().collect();
        if failing.is_empty() {
            return Ok(nothing("none of its jobs failed".to_owned()));
        }
        if failing.len() > self.config.most_jobs {
            let why = format!(
                "{} of its jobs failed, and at most {} are looked at",
                failing.len(),
                self.config.most_jobs
            );
            return Ok(nothing(why));
        }
        let mut failed = Vec::with_capacity(failing.len());
        for job in failing {
            let detection = match self.diagnose(&job).await? {
                Ok((detection, log)) => {
                    let before =
                        failed.iter().filter(|(other, _): &&(Job, _)| other.name == job.name).count();
                    self.keep_log(hand, incident, &job, before, &log).await?;
                    detection
                }
                Err(e) if e.has_to_wait() => return Ok(Examined::Later(e)),
                // A log that can't be had says nothing, and nothing is done then.
                Err(_) => self.read(Vec::new(), 0).await?,
            };
            let speaks_against = detection.diagnosis.class.verdict() != Verdict::Infrastructure;
            failed.push((job, detection));
            // The others can't change that, and each costs a call.
            if speaks_against {
                break;
            }
        }
        let decisive = decisive(&failed);
        Ok(Examined::Found(Box::new(Found { run: now, jobs, failed, decisive })))
    }

    /// Whether it is a run of Regreen's own workflow.
    pub(super) fn is_own(&self, run: &Run) -> bool {
        let is_own = |(of, file): &(Repository, String)| {
            *of == run.reference.repository.folded() && *file == run.workflow
        };
        self.config.own_workflow.as_ref().is_some_and(is_own)
    }

    /// What a job's log says, and the log as the host has it.
    async fn diagnose(&self, job: &Job) -> Result<Result<(Detection, Vec<u8>), ForgeError>, EngineError> {
        let (bytes, left_out) = match self.forge.job_log(&job.reference).await {
            Ok(log) => (log.bytes, log.left_out),
            // A runner that was lost leaves no log, and the host's word beside it.
            Err(ForgeError::NotFound { .. } | ForgeError::NotAllowed { why: NotAllowed::Gone, .. }) => {
                (Vec::new(), 0)
            }
            Err(e) => return Ok(Err(e)),
        };
        let found = self.read(bytes.clone(), left_out).await?;
        if found.diagnosis.failed && found.diagnosis.class != FailureClass::Unknown {
            return Ok(Ok((found, bytes)));
        }
        // What the host itself says of a job stands beside its log. A job can print such words too, so they count as its log.
        let notes = match self.forge.annotations(&job.reference).await {
            Ok(notes) => notes,
            Err(e) => return Ok(Err(e)),
        };
        let own = notes.iter().filter(|note| note.level == Level::Failure && note.path == ".github");
        let mut both = bytes.clone();
        for note in own {
            both.extend_from_slice(b"\n##[error]");
            both.extend(note.message.lines().next().unwrap_or_default().bytes());
        }
        Ok(Ok((self.read(both, left_out).await?, bytes)))
    }

    /// Diagnoses a log on a thread of its own: a long one takes a while, and webhooks are answered meanwhile.
    pub(super) async fn read(&self, bytes: Vec<u8>, left_out: u64) -> Result<Detection, EngineError> {
        let (known, masker) = (self.catalog.known(), self.masker.clone());
        let reading = move || {
            let dropped = Dropped { lines: 0, bytes: left_out };
            let log = read(&bytes, &ReadOptions { dropped, ..ReadOptions::default() });
            let detector = Detector::new(&known.catalog);
            let scan = detector.scan(&log, &Circumstances::default());
            detector.conclude(&scan, &[], &masker)
        };
        let done = tokio::task::spawn_blocking(reading).await;
        done.map_err(|_| EngineError::Refused("the log could not be read".to_owned()))
    }
}

fn nothing(why: String) -> Examined {
    Examined::Nothing { why, ended_well: false }
}

/// What is known when the host can't be asked about a run.
fn later(error: ForgeError) -> Examined {
    if error.has_to_wait() { Examined::Later(error) } else { nothing(error.to_string()) }
}
