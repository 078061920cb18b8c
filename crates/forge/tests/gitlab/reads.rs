//! Pipelines, jobs, logs, reasons: what comes, whole and in order.

use std::time::{Duration, SystemTime};

use regreen_forge::{Conclusion, Forge, ForgeError, NotAllowed, Status};
use regreen_lab::forge::gitlab::Bridge;

use crate::{NAME, job_ref, repository, run_ref, stage};

#[tokio::test]
async fn a_pipeline_its_jobs_and_their_logs() {
    let (host, client) = stage();
    let (pipeline, jobs) = host.world().add_failed(NAME, &[("build 1/2", b"npm error EINTEGRITY\n")]);
    let found = client.run(&run_ref(pipeline)).await.unwrap();
    assert_eq!(
        (found.attempt, found.status, found.conclusion),
        (1, Status::Completed, Some(Conclusion::Failure))
    );
    assert_eq!(
        (found.from_fork, found.part_of_another, found.default_branch.as_str(), found.event.as_str()),
        (false, false, "main", "push")
    );
    assert_eq!((found.workflow.as_str(), found.branch.as_deref()), (".gitlab-ci.yml", Some("main")));
    let listed = client.jobs(&run_ref(pipeline), 1).await.unwrap();
    let ends: Vec<_> = listed.iter().map(|job| (job.name.as_str(), job.conclusion.unwrap())).collect();
    assert_eq!(ends, [("build 1/2", Conclusion::Failure), ("test", Conclusion::Skipped)]);
    assert_eq!((listed[0].attempt, listed[0].stage.as_deref()), (1, Some("build")));
    assert_eq!(listed[0].took(), Some(Duration::from_secs(90)));
    assert_eq!(client.job(&job_ref(jobs[0])).await.unwrap(), listed[0]);
    let read = client.job_log(&job_ref(jobs[0])).await.unwrap();
    assert_eq!((read.bytes.as_slice(), read.left_out), (b"npm error EINTEGRITY\n".as_slice(), 0));
    // The job that was left out has none.
    let all = client.run_logs(&run_ref(pipeline), 1).await.unwrap();
    assert_eq!(all.iter().map(|log| log.name.as_str()).collect::<Vec<_>>(), ["0_build 1_2.txt"]);
    // The project's path is one part of the address.
    let world = host.world();
    let below = |path: &str| path.starts_with("/api/v4/projects/garden%2Ftools%2Frake");
    assert!(world.calls.iter().all(|call| below(&call.path) && call.authorized && call.status == 200));
}

#[tokio::test]
async fn what_may_fail_is_neutral_and_what_fails_elsewhere_has_failed() {
    let (host, client) = stage();
    let (pipeline, _) = host.world().add_failed(NAME, &[("build", b"x"), ("lint", b"x"), ("slow", b"x")]);
    {
        let mut world = host.world();
        let found = world.pipeline(NAME, pipeline).unwrap();
        found.jobs[1].allow_failure = true;
        found.jobs[2].failure_reason = Some("stuck_or_timeout_failure".to_owned());
        found.bridges.push(Bridge { id: 9, name: "downstream".to_owned(), status: "failed".to_owned() });
    }
    let jobs = client.jobs(&run_ref(pipeline), 1).await.unwrap();
    let end = |name: &str| jobs.iter().find(|job| job.name == name).unwrap().conclusion.unwrap();
    assert_eq!(
        (end("build"), end("lint"), end("slow")),
        (Conclusion::Failure, Conclusion::Neutral, Conclusion::TimedOut)
    );
    assert!(end("downstream").failed());
    // It has no log, and the host no word for it.
    let gone = client.job_log(&job_ref(9)).await;
    assert!(matches!(gone, Err(ForgeError::NotAllowed { why: NotAllowed::Gone, .. })), "{gone:?}");
    assert_eq!(client.annotations(&job_ref(9)).await, Ok(Vec::new()));
}

#[tokio::test]
async fn the_hosts_word_stands_beside_the_log() {
    let (host, client) = stage();
    let (pipeline, jobs) = host.world().add_failed(NAME, &[("build", b"")]);
    assert_eq!(client.annotations(&job_ref(jobs[0])).await, Ok(Vec::new()));
    for (reason, says) in [
        ("runner_system_failure", "There has been a runner system failure, please try again"),
        ("a_new_word", "The job failed: a new word"),
    ] {
        host.world().pipeline(NAME, pipeline).unwrap().jobs[0].failure_reason = Some(reason.to_owned());
        let found = client.annotations(&job_ref(jobs[0])).await.unwrap();
        assert_eq!((found.len(), found[0].message.as_str(), found[0].title.as_str()), (1, says, reason));
    }
    // An erased log is none.
    let gone = client.job_log(&job_ref(jobs[0])).await;
    assert!(matches!(gone, Err(ForgeError::NotAllowed { why: NotAllowed::Gone, .. })), "{gone:?}");
    assert!(matches!(client.run(&run_ref(7)).await, Err(ForgeError::NotFound { .. })));
}

#[tokio::test]
async fn a_merge_requests_pipeline_is_a_forks_where_its_source_is() {
    let (host, client) = stage();
    let (pipeline, _) = host.world().add_failed(NAME, &[("build", b"x")]);
    let of_request = |reference: &str, source: Option<u64>| {
        let mut world = host.world();
        let found = world.pipeline(NAME, pipeline).unwrap();
        found.source = "merge_request_event".to_owned();
        reference.clone_into(&mut found.reference);
        let project = world.projects.get_mut(NAME).unwrap();
        let own = project.id;
        project.merge_requests = vec![regreen_lab::forge::gitlab::MergeRequest {
            iid: 3,
            source_project: source.unwrap_or(own),
            source: "sharper".to_owned(),
            target: "main".to_owned(),
            state: "opened".to_owned(),
            closed_at: None,
            title: String::new(),
            description: String::new(),
        }];
    };
    of_request("refs/merge-requests/3/head", None);
    let own = client.run(&run_ref(pipeline)).await.unwrap();
    assert_eq!((own.from_fork, own.pull_requests), (false, vec![3]));
    for (reference, source) in [
        ("refs/merge-requests/3/merge", Some(77)),
        // One that is gone, one that can't be told, and a branch that a merge request's event names.
        ("refs/merge-requests/4/head", None),
        ("refs/merge-requests/x", None),
        ("sharper", None),
    ] {
        of_request(reference, source);
        let found = client.run(&run_ref(pipeline)).await.unwrap();
        assert_eq!((found.from_fork, found.pull_requests.len()), (true, 0), "{reference}");
    }
    host.world().pipeline(NAME, pipeline).unwrap().source = "parent_pipeline".to_owned();
    assert!(client.run(&run_ref(pipeline)).await.unwrap().part_of_another);
}

#[tokio::test]
async fn of_a_long_log_the_end_comes_also_from_elsewhere_and_without_the_token() {
    let (host, client) = stage();
    let log: Vec<u8> = (0..300_000u32).flat_map(|n| format!("{n:>9}\n").into_bytes()).collect();
    let (_, jobs) = host.world().add_failed(NAME, &[("build", &log)]);
    let url = host.url();
    for traces_at in [None, Some(url)] {
        host.world().traces_at = traces_at;
        let read = client.job_log(&job_ref(jobs[0])).await.unwrap();
        assert_eq!((read.bytes.len(), read.left_out), (1 << 20, 3_000_000 - (1 << 20)));
        assert!(read.bytes.ends_with(b"   299999\n"));
    }
    let world = host.world();
    let elsewhere: Vec<_> = world.calls.iter().filter(|call| call.path.starts_with("/_traces")).collect();
    assert!(!elsewhere.is_empty() && elsewhere.iter().all(|call| !call.authorized && call.status == 200));
}

#[tokio::test]
async fn every_failed_pipeline_is_listed_past_pages_and_those_that_were_repeated_too() {
    let (host, client) = stage();
    let now = SystemTime::now();
    let (mut wanted, mut ids) = (0, Vec::new());
    {
        let mut world = host.world();
        for n in 0..150u64 {
            let (id, _) = world.add_failed(NAME, &[("build", b"x")]);
            let pipeline = world.pipeline(NAME, id).unwrap();
            match n {
                // Too old; it may fail; it went well when it was repeated.
                0..10 => pipeline.age(Duration::from_secs(86_400)),
                10..15 => {
                    pipeline.jobs[0].allow_failure = true;
                    pipeline.settle();
                }
                15..20 => {
                    pipeline.next = vec!["success".to_owned()];
                    ids.push((id, pipeline.jobs[0].id));
                    wanted += 1;
                }
                _ => wanted += 1,
            }
        }
    }
    for (pipeline, _) in &ids {
        client.rerun_failed_jobs(&crate::diagnosed(&host, *pipeline)).await.unwrap();
    }
    let since = now - Duration::from_secs(2 * 3600);
    let (mut seen, mut from, mut pages) = (std::collections::BTreeSet::new(), None, 0);
    loop {
        let page = client.failed_runs_since(&repository(), since, from.as_ref()).await.unwrap();
        pages += 1;
        seen.extend(page.runs.into_iter().map(|run| (run.reference.run_id, run.attempt)));
        match page.next {
            Some(next) => from = Some(next),
            None => break,
        }
    }
    assert_eq!((seen.len(), pages), (wanted, 2));
    assert!(ids.iter().all(|(id, _)| seen.contains(&(*id, 2))));
    for odd in ["", "a b", "x#y", "http://evil.example/"] {
        let cursor = regreen_forge::Cursor(odd.to_owned());
        let refused = client.failed_runs_since(&repository(), since, Some(&cursor)).await;
        assert!(matches!(refused, Err(ForgeError::Invalid { .. })), "{odd}");
    }
}

#[tokio::test]
async fn what_gitlab_can_not_do_is_said() {
    let (host, client) = stage();
    let (pipeline, _) = host.world().add_failed(NAME, &[("build", b"x")]);
    let why = |error: ForgeError| match error {
        ForgeError::NotAllowed { why: NotAllowed::Unsupported { how }, .. } => how,
        other => panic!("{other:?}"),
    };
    let caches = why(client.caches(&repository(), None, None).await.unwrap_err());
    assert!(caches.contains("tells of no caches"), "{caches}");
    why(client.delete_cache(&repository(), "npm-a", "refs/heads/main").await.unwrap_err());
    why(client.rerun_all(&crate::diagnosed(&host, pipeline)).await.unwrap_err());
    assert!(host.world().calls.is_empty());
}
