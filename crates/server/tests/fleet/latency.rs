//! How long a failure waits for its diagnosis: from the end of its jobs, whatever it waited for.

use std::time::Duration;

use regreen_domain::Mode;
use regreen_forge::Conclusion;

use crate::{
    RUN, Stage,
    host::{CODE, JobsEnded},
};

/// What is on record of one that its host tells about like this: when its jobs ended, and the time to its diagnosis.
async fn told(ended: JobsEnded) -> (Option<i64>, Option<u64>, Stage) {
    let stage = Stage::new(Mode::Observe).await;
    *stage.host.jobs_ended.lock().unwrap() = ended;
    stage.host.fail(RUN, &[("test", CODE)]);
    let node = stage.start_one();
    stage.hook("one", RUN, 1, Conclusion::Failure).await;
    let incident = stage.closed().await;
    node.abort();
    (incident.command_ended_at, incident.timings.detect, stage)
}

#[tokio::test]
async fn a_run_that_waited_in_the_queue_was_found_as_late_as_that() {
    let (ended, detect, stage) = told(JobsEnded::Before(Duration::from_secs(90))).await;
    let detect = detect.unwrap();
    assert!(ended.is_some() && (90_000..150_000).contains(&detect), "{detect}");
    let figures = stage.ledger.metrics(crate::real_time(), None).await.unwrap();
    assert_eq!(figures.detect.map(|spread| (spread.n, spread.p95)), Some((1, detect)));
}

#[tokio::test]
async fn where_nobody_knows_when_the_jobs_ended_nobody_knows_how_late_that_was() {
    let (ended, detect, stage) = told(JobsEnded::Unsaid).await;
    assert_eq!((ended, detect), (None, None));
    assert_eq!(stage.ledger.metrics(crate::real_time(), None).await.unwrap().detect, None);
}

#[tokio::test]
async fn a_host_whose_clock_is_ahead_is_late_by_nothing() {
    let (ended, detect, _) = told(JobsEnded::After(Duration::from_secs(90))).await;
    assert_eq!((ended.is_some(), detect), (true, Some(0)));
}
