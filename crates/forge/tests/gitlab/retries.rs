//! Retries: each job once, after the pipeline has ended, for the commit and attempt that were diagnosed.

use std::time::Duration;

use regreen_forge::{Conclusion, Diagnosed, Forge, ForgeError, NotAllowed, Rerun, Status};
use regreen_lab::forge::{Trouble, What, gitlab::GitLab};

use crate::{NAME, diagnosed, job_ref, run_ref, stage};

fn why(result: Result<Rerun, ForgeError>) -> NotAllowed {
    match result {
        Err(ForgeError::NotAllowed { why, .. }) => why,
        other => panic!("{other:?}"),
    }
}

/// How many jobs there are of that name.
fn tries(host: &GitLab, pipeline: u64, name: &str) -> usize {
    let mut world = host.world();
    world.pipeline(NAME, pipeline).unwrap().jobs.iter().filter(|job| job.name == name).count()
}

fn finish(host: &GitLab, pipeline: u64, status: &str) {
    host.world().pipeline(NAME, pipeline).unwrap().finish(status);
}

/// An hour passes.
fn wait(host: &GitLab, pipeline: u64) {
    host.world().pipeline(NAME, pipeline).unwrap().age(Duration::from_secs(3600));
}

#[tokio::test]
async fn every_failed_job_runs_again_once_and_nothing_else_does() {
    let (host, client) = stage();
    let jobs: [(&str, &[u8]); 5] =
        [("build", b"x"), ("docs", b"x"), ("lint", b"x"), ("fine", b""), ("gone", b"")];
    let (pipeline, _) = host.world().add_failed(NAME, &jobs);
    {
        let mut world = host.world();
        let found = world.pipeline(NAME, pipeline).unwrap();
        found.jobs[2].allow_failure = true;
        found.jobs[3].status = "success".to_owned();
        found.jobs[4].status = "canceled".to_owned();
    }
    let of = diagnosed(&host, pipeline);
    assert_eq!(client.rerun_failed_jobs(&of).await, Ok(Rerun { attempt: 2, found: false }));
    assert_eq!(why(client.rerun_failed_jobs(&of).await), NotAllowed::OtherAttempt { attempt: 2 });
    let counts = ["build", "docs", "lint", "fine", "gone"].map(|name| tries(&host, pipeline, name));
    assert_eq!((counts, host.world().count("POST", "/retry")), ([2, 2, 1, 1, 1], 2));
    let now = client.run(&run_ref(pipeline)).await.unwrap();
    assert_eq!((now.attempt, now.status, now.conclusion), (2, Status::Running, None));
    let second = Diagnosed { attempt: 2, ..of };
    assert_eq!(why(client.rerun_failed_jobs(&second).await), NotAllowed::NotEnded);
    finish(&host, pipeline, "failed");
    wait(&host, pipeline);
    assert_eq!(client.rerun_failed_jobs(&second).await, Ok(Rerun { attempt: 3, found: false }));
    finish(&host, pipeline, "success");
    // The one that may fail, the others as they are now and as they were.
    let at = async |attempt| {
        let jobs = client.jobs(&run_ref(pipeline), attempt).await.unwrap();
        let build = jobs.iter().find(|job| job.name == "build").unwrap();
        (build.attempt, build.conclusion.unwrap(), jobs.len())
    };
    assert_eq!(at(1).await, (1, Conclusion::Failure, 6));
    assert_eq!(at(2).await, (2, Conclusion::Failure, 6));
    assert_eq!(at(3).await, (3, Conclusion::Success, 6));
    let none = client.jobs(&run_ref(pipeline), 4).await;
    assert!(matches!(none, Err(ForgeError::NotFound { .. })), "{none:?}");
}

#[tokio::test]
async fn what_is_not_as_diagnosed_is_not_repeated() {
    let (host, client) = stage();
    let (pipeline, jobs) = host.world().add_failed(NAME, &[("build", b"x")]);
    let (_, others) = host.world().add_failed(NAME, &[("build", b"x")]);
    let of = diagnosed(&host, pipeline);
    let other = Diagnosed { head_sha: "0".repeat(40), ..of.clone() };
    assert!(matches!(why(client.rerun_failed_jobs(&other).await), NotAllowed::OtherCommit { .. }));
    assert!(matches!(client.rerun_job(&of, &job_ref(others[0])).await, Err(ForgeError::Invalid { .. })));
    host.world().pipeline(NAME, pipeline).unwrap().jobs[1].status = "running".to_owned();
    host.world().pipeline(NAME, pipeline).unwrap().settle();
    assert_eq!(why(client.rerun_failed_jobs(&of).await), NotAllowed::NotEnded);
    // A pipeline whose status lags behind its jobs has not ended either.
    host.world().pipeline(NAME, pipeline).unwrap().shown = Some("failed".to_owned());
    assert_eq!(why(client.rerun_job(&of, &job_ref(jobs[0])).await), NotAllowed::NotEnded);
    assert_eq!(host.world().count("POST", ""), 0);
}

#[tokio::test]
async fn somebody_elses_retry_is_not_added_to_and_ones_own_is_gone_on_with() {
    for (who, ends) in [("ann", None), ("regreen-bot", Some(Ok(Rerun { attempt: 2, found: false })))] {
        let (host, client) = stage();
        let (pipeline, jobs) = host.world().add_failed(NAME, &[("build", b"x"), ("docs", b"x")]);
        let of = diagnosed(&host, pipeline);
        // After the first of two, this process died; or a person did that.
        client.rerun_job(&of, &job_ref(jobs[0])).await.unwrap();
        host.world().pipeline(NAME, pipeline).unwrap().jobs.last_mut().unwrap().user = who.to_owned();
        let again = client.rerun_failed_jobs(&of).await;
        match ends {
            Some(want) => assert_eq!(again, want),
            None => assert_eq!(why(again), NotAllowed::OtherAttempt { attempt: 2 }),
        }
        let docs = if who == "ann" { 1 } else { 2 };
        assert_eq!((tries(&host, pipeline, "build"), tries(&host, pipeline, "docs")), (2, docs));
    }
}

#[tokio::test]
async fn a_retry_whose_answer_was_lost_is_found_and_not_sent_again() {
    for lost in [What::DoneBut(500), What::DoneBut(502), What::DoneButCut] {
        let (host, client) = stage();
        let (pipeline, _) = host.world().add_failed(NAME, &[("build", b"x"), ("docs", b"x")]);
        host.world().troubles.push(Trouble::once("POST", "/retry", lost.clone()));
        let done = client.rerun_failed_jobs(&diagnosed(&host, pipeline)).await;
        assert!(matches!(done, Ok(Rerun { attempt: 2, .. })), "{lost:?}: {done:?}");
        assert_eq!(host.world().count("POST", "/retry"), 2, "{lost:?}");
        assert_eq!((tries(&host, pipeline, "build"), tries(&host, pipeline, "docs")), (2, 2), "{lost:?}");
    }
}

#[tokio::test]
async fn a_retry_that_did_not_arrive_is_sent_once_more_and_one_that_comes_late_is_refused_by_the_host() {
    let (host, client) = stage();
    let (pipeline, jobs) = host.world().add_failed(NAME, &[("build", b"x")]);
    host.world().troubles.push(Trouble::once("POST", "/retry", What::Status(502)));
    let of = diagnosed(&host, pipeline);
    assert_eq!(client.rerun_failed_jobs(&of).await, Ok(Rerun { attempt: 2, found: false }));
    let sent = host.world().count("POST", "/retry");
    assert_eq!((sent, tries(&host, pipeline, "build")), (2, 2));
    // The first one comes after all: GitLab retries no job that was retried.
    assert!(!host.world().pipeline(NAME, pipeline).unwrap().latest().any(|job| job.id == jobs[0]));

    let (pipeline, _) = host.world().add_failed(NAME, &[("build", b"x")]);
    host.world().troubles.push(Trouble::always("POST", "/retry", What::Cut));
    let given_up = client.rerun_failed_jobs(&diagnosed(&host, pipeline)).await;
    assert!(matches!(given_up, Err(ForgeError::Unknown { .. })), "{given_up:?}");
}

#[tokio::test]
async fn a_limit_in_the_middle_is_waited_for_and_what_is_half_done_is_not_said_to_have_had_no_effect() {
    let (host, client) = stage();
    let (pipeline, jobs) = host.world().add_failed(NAME, &[("build", b"x"), ("docs", b"x")]);
    let second = format!("/jobs/{}/retry", jobs[1]);
    host.world().troubles.push(Trouble::once("POST", &second, What::SlowDown(Some(1))));
    let of = diagnosed(&host, pipeline);
    assert_eq!(client.rerun_failed_jobs(&of).await, Ok(Rerun { attempt: 2, found: false }));

    let (pipeline, jobs) = host.world().add_failed(NAME, &[("build", b"x"), ("docs", b"x")]);
    let second = format!("/jobs/{}/retry", jobs[1]);
    host.world().troubles.push(Trouble::always("POST", &second, What::Status(403)));
    let half = client.rerun_failed_jobs(&diagnosed(&host, pipeline)).await;
    assert!(matches!(half, Err(ForgeError::Unknown { .. })), "{half:?}");
    // Refused at once, it had none.
    let (pipeline, jobs) = host.world().add_failed(NAME, &[("build", b"x")]);
    let first = format!("/jobs/{}/retry", jobs[0]);
    host.world().troubles.push(Trouble::always("POST", &first, What::Status(403)));
    let refused = client.rerun_failed_jobs(&diagnosed(&host, pipeline)).await;
    assert!(matches!(refused, Err(ForgeError::Denied { .. })), "{refused:?}");
}

/// Says yes so often, and then no.
fn yes(times: usize) -> impl Fn() -> bool + Send + Sync {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    move || asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < times
}

#[tokio::test]
async fn it_is_asked_before_each_job_is_sent_and_before_one_is_sent_again() {
    let (host, client) = stage();
    let stopped = |done: &Result<Rerun, ForgeError>| match done {
        Err(ForgeError::NotAllowed { why, .. }) => *why == NotAllowed::Stopped,
        _ => false,
    };
    for (times, sent) in [(0, 0), (1, 1), (2, 2)] {
        let (pipeline, _) = host.world().add_failed(NAME, &[("a", b"x"), ("b", b"x"), ("c", b"x")]);
        let of = diagnosed(&host, pipeline);
        let before = host.world().count("POST", "/retry");
        let done = client.rerun_failed_jobs_if(&of, &yes(times)).await;
        assert_eq!(host.world().count("POST", "/retry") - before, sent);
        // What is half done is not said to have had no effect.
        let half = matches!(done, Err(ForgeError::Unknown { .. }));
        assert_eq!((stopped(&done), half), (times == 0, times > 0), "{done:?}");
        // Neither is it by whoever goes on with it.
        let again = client.rerun_failed_jobs_if(&of, &yes(0)).await;
        assert_eq!(stopped(&again), times == 0, "{again:?}");
        assert_eq!(host.world().count("POST", "/retry") - before, sent);
    }
    // A limit that was waited for, and an answer that was lost.
    for what in [What::SlowDown(Some(1)), What::Status(502)] {
        let (pipeline, jobs) = host.world().add_failed(NAME, &[("a", b"x"), ("b", b"x")]);
        let second = format!("/jobs/{}/retry", jobs[1]);
        host.world().troubles.push(Trouble::once("POST", &second, what.clone()));
        let done = client.rerun_failed_jobs_if(&diagnosed(&host, pipeline), &yes(2)).await;
        assert!(matches!(done, Err(ForgeError::Unknown { .. })), "{what:?}: {done:?}");
        let sent = host.world().count("POST", &second);
        assert_eq!((sent, tries(&host, pipeline, "b")), (1, 1), "{what:?}");
    }
    let (pipeline, _) = host.world().add_failed(NAME, &[("a", b"x")]);
    host.world().troubles.push(Trouble::once("POST", "/retry", What::Status(502)));
    let lost = client.rerun_failed_jobs_if(&diagnosed(&host, pipeline), &yes(1)).await;
    assert!(matches!(lost, Err(ForgeError::Unknown { .. })), "{lost:?}");
}

#[tokio::test]
async fn what_gitlab_retries_by_itself_is_no_attempt() {
    let (host, client) = stage();
    let (pipeline, jobs) = host.world().add_failed(NAME, &[("build", b"x")]);
    {
        let mut world = host.world();
        let id = world.new_id();
        let found = world.pipeline(NAME, pipeline).unwrap();
        let mut again = found.jobs[0].clone();
        found.jobs[0].retried = true;
        again.created_at = found.jobs[0].finished_at.unwrap();
        again.finished_at = Some(again.created_at + Duration::from_secs(90));
        again.id = id;
        found.jobs.push(again);
    }
    assert_eq!(client.run(&run_ref(pipeline)).await.unwrap().attempt, 1);
    let listed = client.jobs(&run_ref(pipeline), 1).await.unwrap();
    assert!(!listed.iter().any(|job| job.reference.job_id == jobs[0]), "{listed:?}");
    // Only the newest is repeated, and that is an attempt.
    let done = client.rerun_failed_jobs(&diagnosed(&host, pipeline)).await;
    assert_eq!((done, tries(&host, pipeline, "build")), (Ok(Rerun { attempt: 2, found: false }), 3));
}

#[tokio::test]
async fn a_pipeline_is_stopped_while_it_runs_and_started_by_its_variables() {
    let (host, client) = stage();
    let (pipeline, _) = host.world().add_failed(NAME, &[("build", b"x")]);
    let ended = client.cancel(&run_ref(pipeline)).await;
    assert!(matches!(ended, Err(ForgeError::NotAllowed { why: NotAllowed::Ended, .. })), "{ended:?}");
    client.rerun_failed_jobs(&diagnosed(&host, pipeline)).await.unwrap();
    client.cancel(&run_ref(pipeline)).await.unwrap();
    assert_eq!(host.world().pipeline(NAME, pipeline).unwrap().status, "canceled");

    let variables = [("CACHE_VERSION".to_owned(), "2".to_owned())].into();
    let repository = crate::repository();
    client.dispatch(&repository, "", "main", &variables).await.unwrap();
    let started = host.world().projects[NAME].started.clone();
    let want = r#"[{"key":"CACHE_VERSION","value":"2"}]"#;
    assert_eq!(started, [("main".to_owned(), want.to_owned())]);
    let other = client.dispatch(&repository, "ci.yml", "main", &variables).await;
    assert!(matches!(other, Err(ForgeError::Invalid { .. })), "{other:?}");
    host.world().troubles.push(Trouble::once("POST", "/pipeline", What::DoneBut(504)));
    let lost = client.dispatch(&repository, ".gitlab-ci.yml", "main", &variables).await;
    assert!(matches!(lost, Err(ForgeError::Unknown { .. })), "{lost:?}");
    assert_eq!(host.world().projects[NAME].started.len(), 2);
}
