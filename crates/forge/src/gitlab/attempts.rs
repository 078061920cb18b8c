//! Attempts, made out from a pipeline's jobs: GitLab counts none.
//!
//! A job that is retried stays as it is, and a new one of the same name takes its place. So the jobs of a pipeline by their
//! ids, the retried ones among them, are a history that only grows. An *attempt* is a round of retries in it:
//!
//! - A job without one before it of its name is of attempt 1.
//! - A new job in place of one that *failed no more than a second before* was made by GitLab itself (`retry:` in the job's
//!   definition): no new round, it is of the attempt of the one before it.
//! - Any other new job begins a round, unless one was begun, or went on, less than a minute before, and the job before it is
//!   of an earlier one: several jobs that are retried together are one attempt.
//!
//! It is a function of what never changes any more (ids, names, when jobs were made and when failed ones ended), so
//! everybody who looks counts the same, and a later retry never changes the number of an earlier job. Where the two times
//! misjudge, an attempt is counted too many or too few. Nothing is repeated twice because of that: what is sent names jobs by
//! id, and GitLab retries none that was retried. It can only be that something is left alone.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use super::answers::Job;

/// GitLab retries a job by itself while it notes that it failed.
pub(super) const BY_ITSELF: Duration = Duration::from_secs(1);
/// Retries that follow each other no further apart are one round.
const TOGETHER: Duration = Duration::from_secs(60);

/// The jobs by their ids, each with its attempt.
pub(super) fn numbered(mut jobs: Vec<Job>) -> Vec<(Job, u32)> {
    jobs.sort_by_key(|job| job.id);
    jobs.dedup_by_key(|job| job.id);
    let mut numbered: Vec<(Job, u32)> = Vec::with_capacity(jobs.len());
    let mut newest: HashMap<String, usize> = HashMap::new();
    let (mut round, mut last): (u32, Option<SystemTime>) = (1, None);
    for job in jobs {
        let before = newest.get(&job.name).and_then(|at| numbered.get(*at));
        let made = job.created_at.0;
        let attempt = match before {
            None => 1,
            Some((before, attempt)) if by_itself(before, made) => *attempt,
            Some((_, attempt)) => {
                let together = last.is_some_and(|last| made <= last + TOGETHER);
                if !(together && *attempt < round) {
                    round = round.saturating_add(1);
                }
                last = Some(made);
                round
            }
        };
        newest.insert(job.name.clone(), numbered.len());
        numbered.push((job, attempt));
    }
    numbered
}

fn by_itself(before: &Job, made: SystemTime) -> bool {
    before.status == "failed" && before.finished_at.is_some_and(|ended| made <= ended.0 + BY_ITSELF)
}

/// The attempt that the pipeline is at.
pub(super) fn latest(numbered: &[(Job, u32)]) -> u32 {
    numbered.iter().map(|(_, attempt)| *attempt).max().unwrap_or(1)
}

/// The jobs as they stood in an attempt: of each name the newest up to it, by id.
pub(super) fn at(numbered: &[(Job, u32)], attempt: u32) -> Vec<&(Job, u32)> {
    let mut newest: HashMap<&str, &(Job, u32)> = HashMap::new();
    for one in numbered.iter().filter(|(_, of)| *of <= attempt) {
        newest.insert(&one.0.name, one);
    }
    let mut jobs: Vec<&(Job, u32)> = newest.into_values().collect();
    jobs.sort_by_key(|(job, _)| job.id);
    jobs
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Id, name, made and ended in seconds, status.
    fn job(id: u64, name: &str, made: u64, ended: Option<u64>, status: &str) -> Job {
        let time = |at: u64| format!("2026-11-29T{:02}:{:02}:{:02}.5Z", at / 3600, at / 60 % 60, at % 60);
        serde_json::from_value(json!({
            "id": id, "name": name, "status": status,
            "created_at": time(made), "finished_at": ended.map(time),
            "pipeline": { "id": 1, "sha": "a" },
        }))
        .unwrap()
    }

    fn attempts(jobs: &[Job]) -> Vec<u32> {
        numbered(jobs.to_vec()).into_iter().map(|(_, attempt)| attempt).collect()
    }

    #[test]
    fn what_is_retried_together_is_one_attempt_and_later_ones_are_more() {
        let first = [
            job(1, "build", 0, Some(90), "failed"),
            job(2, "lint", 0, Some(80), "failed"),
            job(3, "test", 0, None, "skipped"),
        ];
        assert_eq!(attempts(&first), [1, 1, 1]);
        let mut jobs = first.to_vec();
        jobs.push(job(4, "build", 200, Some(210), "failed"));
        jobs.push(job(5, "lint", 250, Some(290), "success"));
        assert_eq!(attempts(&jobs), [1, 1, 1, 2, 2]);
        // The same job again is another attempt, however soon.
        jobs.push(job(6, "build", 260, Some(300), "failed"));
        assert_eq!(attempts(&jobs)[5], 3);
        jobs.push(job(7, "lint", 900, None, "running"));
        assert_eq!(attempts(&jobs)[6], 4);
        let all = numbered(jobs);
        let ids = |attempt| at(&all, attempt).into_iter().map(|(job, _)| job.id).collect::<Vec<_>>();
        assert_eq!(
            (ids(1), ids(2), ids(3), ids(4)),
            (vec![1, 2, 3], vec![3, 4, 5], vec![3, 5, 6], vec![3, 6, 7])
        );
        assert_eq!(latest(&all), 4);
    }

    #[test]
    fn what_gitlab_retries_by_itself_is_no_attempt() {
        let mut jobs = vec![
            job(1, "build", 0, Some(90), "failed"),
            job(2, "lint", 0, Some(300), "failed"),
            job(3, "build", 90, Some(180), "failed"),
            job(4, "build", 181, Some(270), "failed"),
        ];
        assert_eq!(attempts(&jobs), [1, 1, 1, 1]);
        // Only the other one runs again: that is an attempt all the same, though it was tried less often.
        jobs.push(job(5, "lint", 600, Some(610), "failed"));
        jobs.push(job(6, "lint", 610, Some(700), "success"));
        assert_eq!(attempts(&jobs), [1, 1, 1, 1, 2, 2]);
        let all = numbered(jobs);
        assert_eq!(at(&all, 2).into_iter().map(|(job, _)| job.id).collect::<Vec<_>>(), [4, 6]);
    }

    #[test]
    fn a_later_retry_changes_no_number() {
        let mut jobs = Vec::new();
        let mut before: Vec<u32> = Vec::new();
        for n in 0..40u64 {
            let name = ["a", "b", "c"][(n * n % 3) as usize];
            jobs.push(job(
                n + 1,
                name,
                n * 37,
                Some(n * 37 + 36),
                if n % 5 == 0 { "success" } else { "failed" },
            ));
            let now = attempts(&jobs);
            assert_eq!(now[..before.len()], before[..]);
            assert!(now.last() >= before.last() || n < 3);
            before = now;
        }
    }
}
