//! Reruns: once, after the run has ended, for the commit and attempt that were diagnosed.

use std::time::{Duration, SystemTime};

use regreen_forge::{Diagnosed, Forge, ForgeError, NotAllowed, Rerun};
use regreen_lab::forge::{Trouble, What};

use crate::{NAME, diagnosed, job_ref, run_ref, stage};

fn why(result: Result<Rerun, ForgeError>) -> NotAllowed {
    match result {
        Err(ForgeError::NotAllowed { why, .. }) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_run_is_repeated_once() {
    let (host, client) = stage();
    let (run, job) = host.world().add_failed(NAME, b"");
    let of = diagnosed(&host, run);
    assert_eq!(client.rerun_job(&of, &job_ref(job)).await, Ok(Rerun { attempt: 2, found: false }));
    assert_eq!(why(client.rerun_failed_jobs(&of).await), NotAllowed::OtherAttempt { attempt: 2 });
    assert_eq!(host.world().count("POST", "/rerun"), 1);
    let now = Diagnosed { attempt: 2, ..of.clone() };
    assert_eq!(why(client.rerun_all(&now).await), NotAllowed::NotEnded);
    host.world().repositories.get_mut(NAME).unwrap().finish(run, "failure");
    assert_eq!(client.rerun_all(&now).await, Ok(Rerun { attempt: 3, found: false }));
    host.world().repositories.get_mut(NAME).unwrap().finish(run, "failure");
    let third = Diagnosed { attempt: 3, ..of.clone() };
    let failed = client.rerun_failed_jobs(&third).await;
    assert_eq!(failed, Ok(Rerun { attempt: 4, found: false }));
    // The job of the first attempt, and of the fourth.
    let jobs = client.jobs(&run_ref(run), 4).await.unwrap();
    assert_eq!((jobs.len(), jobs[0].attempt), (1, 4));
    let first = client.jobs(&run_ref(run), 1).await.unwrap();
    assert_eq!((first[0].attempt, first[0].reference.job_id), (1, job));
}

#[tokio::test]
async fn nothing_is_sent_once_the_one_who_asked_wants_it_no_more() {
    let (host, client) = stage();
    let (run, _) = host.world().add_failed(NAME, b"");
    let of = diagnosed(&host, run);
    assert_eq!(why(client.rerun_failed_jobs_if(&of, &|| false).await), NotAllowed::Stopped);
    // It is asked after the host was, right before the request.
    let asked_after = || host.world().count("GET", "/actions/runs/") == 2;
    assert!(client.rerun_failed_jobs_if(&of, &asked_after).await.is_ok());
    // Sent, lost, and looked for; then it is no more wanted.
    host.world().repositories.get_mut(NAME).unwrap().finish(run, "failure");
    host.world().troubles.push(Trouble::once("POST", "/rerun-failed-jobs", What::Status(502)));
    let of = Diagnosed { attempt: 2, ..of };
    let once = std::sync::atomic::AtomicBool::new(true);
    let only_once = || once.swap(false, std::sync::atomic::Ordering::SeqCst);
    let lost = client.rerun_failed_jobs_if(&of, &only_once).await;
    assert!(matches!(lost, Err(ForgeError::Unknown { .. })), "{lost:?}");
    assert_eq!(host.world().count("POST", "/rerun"), 2);
}

#[tokio::test]
async fn a_page_in_place_of_an_answer_is_no_answer() {
    let (host, client) = stage();
    let (run, _) = host.world().add_failed(NAME, b"");
    host.world().troubles.push(Trouble::once("POST", "/rerun-failed-jobs", What::Garbage));
    // It was not done; it is looked for, not found, and sent once more.
    let of = diagnosed(&host, run);
    assert_eq!(client.rerun_failed_jobs(&of).await, Ok(Rerun { attempt: 2, found: false }));
    assert_eq!(host.world().count("POST", "/rerun"), 2);
}

#[tokio::test]
async fn what_is_not_as_diagnosed_is_not_repeated() {
    let (host, client) = stage();
    let (run, job) = host.world().add_failed(NAME, b"");
    let (_, others) = host.world().add_failed(NAME, b"");
    let of = diagnosed(&host, run);
    let other = Diagnosed { head_sha: "0".repeat(40), ..of.clone() };
    assert!(matches!(why(client.rerun_all(&other).await), NotAllowed::OtherCommit { .. }));
    assert!(matches!(client.rerun_job(&of, &job_ref(others)).await, Err(ForgeError::Invalid { .. })));
    let set = |change: &dyn Fn(&mut regreen_lab::forge::Run)| {
        change(&mut host.world().repositories.get_mut(NAME).unwrap().runs[0]);
    };
    set(&|run| run.created_at = SystemTime::now() - Duration::from_secs(31 * 86_400));
    assert_eq!(why(client.rerun_job(&of, &job_ref(job)).await), NotAllowed::TooOld { days: 30 });
    set(&|run| (run.created_at, run.attempt) = (SystemTime::now(), 51));
    let often = Diagnosed { attempt: 51, ..of };
    assert_eq!(why(client.rerun_all(&often).await), NotAllowed::TooOften { attempts: 51 });
    assert_eq!(host.world().count("POST", ""), 0);
}

#[tokio::test]
async fn a_rerun_whose_answer_was_lost_is_found_and_not_sent_again() {
    for lost in [What::DoneBut(500), What::DoneBut(502), What::DoneButCut] {
        let (host, client) = stage();
        let (run, job) = host.world().add_failed(NAME, b"");
        host.world().troubles.push(Trouble::once("POST", "/rerun", lost.clone()));
        let done = client.rerun_job(&diagnosed(&host, run), &job_ref(job)).await;
        // Cut within a body of no interest: the status alone says that it was done.
        assert!(matches!(done, Ok(Rerun { attempt: 2, .. })), "{lost:?}: {done:?}");
        let world = host.world();
        let attempt = world.repositories[NAME].runs[0].attempt;
        assert_eq!((world.count("POST", "/rerun"), attempt), (1, 2));
    }
}

#[tokio::test]
async fn a_rerun_that_did_not_arrive_is_sent_once_more_and_then_given_up() {
    let (host, client) = stage();
    let (run, job) = host.world().add_failed(NAME, b"");
    host.world().troubles.push(Trouble::once("POST", "/rerun", What::Status(502)));
    let of = diagnosed(&host, run);
    assert_eq!(client.rerun_job(&of, &job_ref(job)).await, Ok(Rerun { attempt: 2, found: false }));
    assert_eq!(host.world().count("POST", "/rerun"), 2);

    let (run, _) = host.world().add_failed(NAME, b"");
    host.world().troubles.push(Trouble::always("POST", "/rerun", What::Cut));
    let given_up = client.rerun_failed_jobs(&diagnosed(&host, run)).await;
    assert!(matches!(given_up, Err(ForgeError::Unknown { .. })), "{given_up:?}");
    assert_eq!(host.world().count("POST", "/rerun-failed-jobs"), 2);
}

#[tokio::test]
async fn a_run_is_stopped_while_it_runs() {
    let (host, client) = stage();
    let (run, _) = host.world().add_failed(NAME, b"");
    let ended = client.cancel(&run_ref(run)).await;
    assert!(matches!(ended, Err(ForgeError::NotAllowed { why: NotAllowed::Ended, .. })), "{ended:?}");
    client.rerun_all(&diagnosed(&host, run)).await.unwrap();
    client.cancel(&run_ref(run)).await.unwrap();
    let stopped = host.world().repositories[NAME].runs[0].conclusion.clone();
    assert_eq!(stopped.as_deref(), Some("cancelled"));
}

#[tokio::test]
async fn a_workflow_is_started_once_or_it_is_said_that_nobody_knows() {
    let (host, client) = stage();
    let inputs = [("version".to_owned(), "1".to_owned())].into();
    let repository = crate::repository();
    client.dispatch(&repository, "ci.yml", "main", &inputs).await.unwrap();
    let started = host.world().repositories[NAME].dispatched.clone();
    assert_eq!(started, [("ci.yml".to_owned(), "main".to_owned(), r#"{"version":"1"}"#.to_owned())]);
    host.world().troubles.push(Trouble::once("POST", "/dispatches", What::DoneBut(504)));
    let lost = client.dispatch(&repository, "ci.yml", "main", &inputs).await;
    assert!(matches!(lost, Err(ForgeError::Unknown { .. })), "{lost:?}");
    assert_eq!(host.world().repositories[NAME].dispatched.len(), 2);
}

#[tokio::test]
async fn a_rerun_that_may_have_arrived_is_not_said_to_have_had_no_effect() {
    let (host, client) = stage();
    let (run, _) = host.world().add_failed(NAME, b"");
    host.world().troubles = vec![
        Trouble::once("POST", "/rerun", What::Status(502)),
        Trouble::once("POST", "/rerun", What::SlowDown(Some(30))),
    ];
    let kept_back = client.rerun_all(&diagnosed(&host, run)).await;
    assert!(matches!(kept_back, Err(ForgeError::Unknown { .. })), "{kept_back:?}");
}
