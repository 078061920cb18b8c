//! Stumbles, limits, nonsense, and addresses that lead astray.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use regreen_forge::{Bounds, Forge, ForgeError, GitLab, Options, Quota, Secret};
use regreen_lab::forge::{Trouble, What, gitlab};

use crate::{NAME, job_ref, options, repository, run_ref, stage};

#[tokio::test]
async fn reads_are_tried_again_when_the_host_stumbles() {
    let (host, client) = stage();
    let (pipeline, jobs) = host.world().add_failed(NAME, &[("build", b"the log")]);
    for what in [What::Status(500), What::Status(503), What::Cut, What::Garbage] {
        host.world().troubles.push(Trouble { times: 2, ..Trouble::once("GET", "/pipelines/", what.clone()) });
        let found = client.run(&run_ref(pipeline)).await;
        assert_eq!(found.as_ref().map(|run| run.reference.run_id), Ok(pipeline), "{what:?}");
    }
    for what in [What::Status(502), What::Cut] {
        host.world().troubles.push(Trouble::once("GET", "/trace", what.clone()));
        let log = client.job_log(&job_ref(jobs[0])).await.map(|log| log.bytes);
        assert_eq!(log.as_deref(), Ok(b"the log".as_slice()), "{what:?}");
    }
}

#[tokio::test]
async fn what_stays_broken_is_said_in_one_word() {
    let (host, client) = stage();
    let (pipeline, _) = host.world().add_failed(NAME, &[("build", b"x")]);
    let said = async |what| {
        host.world().troubles = vec![Trouble::always("GET", "", what)];
        client.run(&run_ref(pipeline)).await.unwrap_err()
    };
    assert!(matches!(said(What::Status(500)).await, ForgeError::Unreachable { .. }));
    assert!(matches!(said(What::Garbage).await, ForgeError::Garbage { .. }));
    assert!(matches!(said(What::Body(b"{\"message\":[]}".to_vec())).await, ForgeError::Garbage { .. }));
    assert!(matches!(said(What::Status(401)).await, ForgeError::Denied { .. }));
    assert!(matches!(said(What::Status(404)).await, ForgeError::NotFound { .. }));
    assert!(matches!(
        said(What::Redirect("https://evil.example/".into())).await,
        ForgeError::NotFound { .. }
    ));
    // Four tries of what may pass, one of what won't.
    assert_eq!(host.world().calls.len(), 4 + 4 + 4 + 1 + 1 + 1);
    drop(host);
    assert!(matches!(client.run(&run_ref(pipeline)).await, Err(ForgeError::Unreachable { .. })));
}

#[tokio::test]
async fn a_host_that_says_nothing_is_not_waited_for_for_ever() {
    let (host, _) = stage();
    let (pipeline, _) = host.world().add_failed(NAME, &[("build", b"x")]);
    let impatient = Options { limit: Duration::from_millis(100), ..options() };
    let client = GitLab::new(&host.url(), Some(Secret::new("glpat-test")), impatient).unwrap();
    host.world().troubles.push(Trouble::once("GET", "/pipelines/", What::Hang));
    assert!(client.run(&run_ref(pipeline)).await.is_ok());
    host.world().troubles.push(Trouble::always("GET", "/pipelines/", What::Hang));
    assert!(matches!(client.run(&run_ref(pipeline)).await, Err(ForgeError::Unreachable { .. })));
}

fn limited(result: Result<regreen_forge::Run, ForgeError>) -> (u64, Quota) {
    match result {
        Err(ForgeError::RateLimited { until, quota }) => {
            (until.duration_since(SystemTime::now()).unwrap().as_secs(), quota)
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn limits_are_obeyed_before_anything_is_sent_and_a_fifth_is_left_to_others() {
    let (host, client) = stage();
    let (pipeline, _) = host.world().add_failed(NAME, &[("build", b"x")]);
    let run = run_ref(pipeline);
    for (said, seconds) in [(Some(120), 115..=120), (None, 55..=60)] {
        let client = crate::client(&host.url());
        host.world().troubles.push(Trouble::once("GET", "", What::SlowDown(said)));
        let (wait, quota) = limited(client.run(&run).await);
        assert!(seconds.contains(&wait) && quota == Quota::Burst, "{wait} {quota:?}");
        // While it lasts, nothing is asked, changes neither.
        let calls = host.world().calls.len();
        let retry = client.rerun_failed_jobs(&crate::diagnosed(&host, pipeline)).await;
        assert!(matches!(retry, Err(ForgeError::RateLimited { .. })), "{retry:?}");
        assert_eq!(host.world().calls.len(), calls);
    }
    let reset = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 50;
    host.world().quota = Some(gitlab::Quota { limit: 100, remaining: 24, reset });
    let mut asked = 0;
    let refused = loop {
        match client.run(&run).await {
            Ok(_) => asked += 1,
            refused => break limited(refused),
        }
    };
    assert!((40..=50).contains(&refused.0) && refused.1 == Quota::Reserve, "{refused:?}");
    assert_eq!((asked, host.world().quota.unwrap().remaining), (1, 20));
    assert_eq!(client.budget().map(|budget| (budget.limit, budget.remaining)), Some((100, 20)));
}

#[tokio::test]
async fn a_log_that_lies_inside_is_not_fetched_and_no_token_goes_elsewhere() {
    let (host, client) = stage();
    let (_, jobs) = host.world().add_failed(NAME, &[("build", b"x")]);
    for to in [
        "http://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1/x",
        "file:///etc/passwd",
        "https://user:password@127.0.0.1/x",
        "",
    ] {
        let before = host.world().calls.len();
        host.world().troubles = vec![Trouble::always("GET", "/trace", What::Redirect(to.to_owned()))];
        let refused = client.job_log(&job_ref(jobs[0])).await;
        assert!(matches!(refused, Err(ForgeError::Garbage { .. })), "{to}: {refused:?}");
        assert_eq!(host.world().calls.len() - before, 1, "{to}");
    }
    let circle = format!("{}/_traces/round", host.url());
    host.world().troubles = vec![
        Trouble::always("GET", "/_traces/round", What::Redirect(circle.clone())),
        Trouble::always("GET", "/trace", What::Redirect(circle)),
    ];
    let ended = client.job_log(&job_ref(jobs[0])).await;
    assert!(matches!(ended, Err(ForgeError::Garbage { .. })), "{ended:?}");
    let world = host.world();
    assert!(world.calls.iter().all(|call| !call.path.starts_with("/_traces") || !call.authorized));
}

#[tokio::test]
async fn a_long_answer_is_not_read_and_the_next_page_not_looked_for_at_another_host() {
    let (host, client) = stage();
    let (pipeline, jobs) = host.world().add_failed(NAME, &[("build", &vec![b'a'; 3_000_000])]);
    let bounds = Bounds { longest_log: 2_000_000, log: 1000, ..Bounds::default() };
    let strict = GitLab::new(&host.url(), Some(Secret::new("glpat-test")), Options { bounds, ..options() });
    let long = strict.unwrap().job_log(&job_ref(jobs[0])).await;
    assert!(matches!(long, Err(ForgeError::TooLarge { limit: 2_000_000, .. })), "{long:?}");
    // Many logs, each within its bound, are bound together too.
    let bounds = Bounds { unpacked: 500_000, ..options().bounds };
    let strict = GitLab::new(&host.url(), Some(Secret::new("glpat-test")), Options { bounds, ..options() });
    let long = strict.unwrap().run_logs(&run_ref(pipeline), 1).await;
    assert!(matches!(long, Err(ForgeError::TooLarge { limit: 500_000, .. })), "{long:?}");
    {
        let mut world = host.world();
        world.shown_as = "https://evil.example".to_owned();
        let found = world.pipeline(NAME, pipeline).unwrap();
        let many: Vec<_> = (0..120u64)
            .map(|n| gitlab::Job { id: 90_000 + n, name: format!("job {n}"), ..found.jobs[1].clone() })
            .collect();
        found.jobs.extend(many);
    }
    let led_away = client.run(&run_ref(pipeline)).await;
    assert!(matches!(led_away, Err(ForgeError::Garbage { .. })), "{led_away:?}");
}

#[tokio::test]
async fn no_message_and_no_debug_form_shows_the_token_and_no_address_takes_it_in_the_clear() {
    let (host, _) = stage();
    let secret = || Some(Secret::new("glpat-verysecret"));
    let client = GitLab::new(&host.url(), secret(), options()).unwrap();
    let error = client.run(&run_ref(1)).await.unwrap_err();
    let shown = format!("{error} {error:?} {client:?}");
    assert!(shown.contains("401 Unauthorized") && !shown.contains("verysecret"), "{shown}");
    for wrong in ["http://gitlab.example.com", "gitlab.example.com", "https://a:b@gitlab.example.com", ""] {
        assert!(GitLab::new(wrong, secret(), options()).is_err(), "{wrong}");
    }
    // The API's own address and a trailing slash are the same installation.
    for same in [format!("{}/", host.url()), format!("{}/api/v4", host.url())] {
        let client = crate::client(&same);
        assert!(matches!(client.run(&run_ref(1)).await, Err(ForgeError::NotFound { .. })));
    }
    assert!(client.failed_runs_since(&repository(), UNIX_EPOCH, None).await.is_err());
}

#[tokio::test]
async fn what_a_project_is_like_is_believed_for_a_while() {
    let (host, client) = stage();
    let (pipeline, _) = host.world().add_failed(NAME, &[("build", b"x")]);
    let first = client.run(&run_ref(pipeline)).await.unwrap();
    assert_eq!(client.run(&run_ref(pipeline)).await.unwrap(), first);
    assert_eq!(host.world().calls.iter().filter(|call| call.path.ends_with("rake")).count(), 1);
}
