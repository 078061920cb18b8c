//! Runs, jobs, logs, annotations, caches: what comes, whole and in order.

use std::time::{Duration, SystemTime};

use regreen_forge::{Conclusion, Forge, ForgeError, Level, NotAllowed, Status};
use regreen_lab::forge::Cache;

use crate::{NAME, client, job_ref, repository, run_ref, stage};

#[tokio::test]
async fn a_run_its_jobs_and_their_logs() {
    let (host, client) = stage();
    let log = b"2026-11-29T10:20:53.0000000Z npm error code EINTEGRITY\n";
    let (run, job) = host.world().add_failed(NAME, log);
    let found = client.run(&run_ref(run)).await.unwrap();
    assert_eq!(
        (found.attempt, found.status, found.conclusion),
        (1, Status::Completed, Some(Conclusion::Failure))
    );
    assert_eq!(
        (found.from_fork, found.default_branch.as_str(), found.event.as_str()),
        (false, "main", "push")
    );
    let jobs = client.jobs(&run_ref(run), 1).await.unwrap();
    assert_eq!((jobs.len(), jobs[0].attempt, jobs[0].took()), (1, 1, Some(Duration::from_secs(90))));
    assert_eq!(jobs[0].failed_step().map(|step| step.name.as_str()), Some("npm ci"));
    assert_eq!(client.job(&job_ref(job)).await.unwrap(), jobs[0]);
    let read = client.job_log(&job_ref(job)).await.unwrap();
    assert_eq!((read.bytes.as_slice(), read.left_out), (log.as_slice(), 0));
    let all = client.run_logs(&run_ref(run), 1).await.unwrap();
    assert_eq!(
        all.iter().map(|l| l.name.as_str()).collect::<Vec<_>>(),
        ["0_build.txt", "build/1_npm ci.txt"]
    );
    assert_eq!(all[0].bytes, log);
    // Where logs lie, no credential was seen: it would have been refused.
    let world = host.world();
    assert!(
        world.calls.iter().filter(|c| c.path.starts_with("/_logs")).all(|c| !c.authorized && c.status == 200)
    );
    assert!(world.calls.iter().filter(|c| c.path.starts_with("/repos")).all(|c| c.authorized));
}

#[tokio::test]
async fn what_is_not_there_and_what_is_gone() {
    let (host, client) = stage();
    assert!(matches!(client.run(&run_ref(7)).await, Err(ForgeError::NotFound { .. })));
    let (_, job) = host.world().add_failed(NAME, b"x");
    host.world().repositories.get_mut(NAME).unwrap().runs[0].jobs[0].log = None;
    let gone = client.job_log(&job_ref(job)).await;
    assert!(matches!(gone, Err(ForgeError::NotAllowed { why: NotAllowed::Gone, .. })), "{gone:?}");
}

#[tokio::test]
async fn forks_are_forks_also_where_the_branch_is_called_like_ours() {
    let (host, client) = stage();
    let (run, _) = host.world().add_failed(NAME, b"x");
    host.world().repositories.get_mut(NAME).unwrap().runs[0].from_fork = true;
    assert!(client.run(&run_ref(run)).await.unwrap().from_fork);
}

#[tokio::test]
async fn annotations_say_what_no_log_does() {
    let (host, client) = stage();
    let (_, job) = host.world().add_failed(NAME, b"");
    let lost = "The hosted runner lost communication with the server.";
    host.world().repositories.get_mut(NAME).unwrap().runs[0].jobs[0]
        .annotations
        .push(("failure".to_owned(), lost.to_owned()));
    let found = client.annotations(&job_ref(job)).await.unwrap();
    assert_eq!((found.len(), found[0].level, found[0].message.as_str()), (1, Level::Failure, lost));
}

#[tokio::test]
async fn of_a_long_log_the_end_comes() {
    let (host, client) = stage();
    let log: Vec<u8> = (0..300_000u32).flat_map(|n| format!("{n:>9}\n").into_bytes()).collect();
    let (_, job) = host.world().add_failed(NAME, &log);
    let read = client.job_log(&job_ref(job)).await.unwrap();
    assert_eq!((read.bytes.len(), read.left_out), (1 << 20, 3_000_000 - (1 << 20)));
    assert!(read.bytes.ends_with(b"   299999\n"));
}

#[tokio::test]
async fn every_failed_run_is_listed_past_pages_and_past_the_first_thousand() {
    let (host, client) = stage();
    let now = SystemTime::now();
    {
        let mut world = host.world();
        for n in 0..1250u64 {
            world.add_failed(NAME, b"");
            let run = world.repositories.get_mut(NAME).unwrap().runs.last_mut().unwrap();
            // Several in one second, as a push of many workflows makes them.
            run.created_at = now - Duration::from_secs(60 + n / 3);
            if n % 2 == 1 {
                run.conclusion = Some("success".to_owned());
            }
            // It ended well when it was repeated.
            run.attempt = if n % 50 == 1 { 2 } else { 1 };
        }
    }
    let since = now - Duration::from_secs(3600);
    let (mut seen, mut from, mut pages) = (std::collections::BTreeSet::new(), None, 0);
    loop {
        let page = client.failed_runs_since(&repository(), since, from.as_ref()).await.unwrap();
        pages += 1;
        seen.extend(page.runs.into_iter().map(|run| run.reference.run_id));
        match page.next {
            Some(next) => from = Some(next),
            None => break,
        }
    }
    assert_eq!(seen.len(), 625 + 25);
    assert!(pages <= 14, "{pages}");
    // Later, only what is new.
    let page = client.failed_runs_since(&repository(), now - Duration::from_secs(61), None).await.unwrap();
    assert!(page.next.is_none() && page.runs.len() < 10, "{}", page.runs.len());
}

#[tokio::test]
async fn caches_by_the_beginning_of_their_key_and_gone_by_the_whole_of_it() {
    let (host, client) = stage();
    let cache = |id, key: &str, reference: &str| Cache {
        id,
        key: key.to_owned(),
        reference: reference.to_owned(),
        bytes: 7,
    };
    let (main, pull) = ("refs/heads/main", "refs/pull/7/merge");
    host.world().repositories.get_mut(NAME).unwrap().caches = vec![
        cache(1, "npm-a b", main),
        cache(2, "npm-a b", pull),
        cache(3, "npm-a bc", main),
        cache(4, "pip", main),
    ];
    let ids = |found: Vec<regreen_forge::Cache>| found.into_iter().map(|c| c.id).collect::<Vec<_>>();
    let repository = repository();
    assert_eq!(ids(client.caches(&repository, Some("npm-"), None).await.unwrap()), [1, 2, 3]);
    assert_eq!(ids(client.caches(&repository, Some("npm-"), Some(main)).await.unwrap()), [1, 3]);
    for (key, reference) in [("", main), (" ", main), ("npm-a b", ""), ("npm-a b", "main")] {
        let refused = client.delete_cache(&repository, key, reference).await;
        assert!(matches!(refused, Err(ForgeError::Invalid { .. })), "{key:?} {reference:?}");
    }
    assert_eq!(host.world().count("DELETE", ""), 0);
    assert_eq!(client.delete_cache(&repository, "npm-a b", main).await, Ok(1));
    assert_eq!(client.delete_cache(&repository, "npm-a b", main).await, Ok(0));
    assert_eq!(ids(client.caches(&repository, None, None).await.unwrap()), [2, 3, 4]);
}

#[tokio::test]
async fn what_did_not_change_is_not_sent_again() {
    let (host, client) = stage();
    let (run, _) = host.world().add_failed(NAME, b"");
    let first = client.run(&run_ref(run)).await.unwrap();
    let left = host.world().quota.remaining;
    assert_eq!(client.run(&run_ref(run)).await.unwrap(), first);
    assert_eq!(host.world().calls.last().unwrap().status, 304);
    assert_eq!(host.world().quota.remaining, left);
    host.world().repositories.get_mut(NAME).unwrap().runs[0].attempt = 2;
    assert_eq!(client.run(&run_ref(run)).await.unwrap().attempt, 2);
}

#[tokio::test]
async fn a_repository_of_more_parts_is_none_of_githubs() {
    let (host, _) = stage();
    let client = client(&host.url());
    let nested = regreen_forge::Repository::parse("a/b/actions").unwrap();
    let run = regreen_forge::RunRef { repository: nested, run_id: 1 };
    assert!(matches!(client.run(&run).await, Err(ForgeError::Invalid { .. })));
    assert!(host.world().calls.is_empty());
}

#[tokio::test]
async fn a_run_of_nobody_knows_whose_code_counts_as_a_forks() {
    let (host, client) = stage();
    let (run, _) = host.world().add_failed(NAME, b"x");
    // Of these the host names the repository of the code: also where the workflow is the base's.
    for (event, from_fork, foreign) in [
        ("push", false, false),
        ("pull_request", true, true),
        ("pull_request_target", true, true),
        ("pull_request_target", false, false),
        // Of these the head is always the repository itself.
        ("workflow_run", false, true),
        ("issue_comment", false, true),
        ("an_event_to_come", false, true),
    ] {
        let at = |run: &mut regreen_lab::forge::Run| {
            (run.event, run.from_fork) = (event.to_owned(), from_fork);
        };
        at(&mut host.world().repositories.get_mut(NAME).unwrap().runs[0]);
        assert_eq!(client.run(&run_ref(run)).await.unwrap().from_fork, foreign, "{event}");
    }
}
