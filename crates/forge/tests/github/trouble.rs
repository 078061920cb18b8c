//! Stumbles, limits and nonsense.

use std::time::{Duration, SystemTime};

use regreen_forge::{Credential, Forge, ForgeError, GitHub, Options, Quota, Secret};
use regreen_lab::forge::{Trouble, What};

use crate::{NAME, client, job_ref, options, run_ref, stage};

#[tokio::test]
async fn reads_are_tried_again_when_the_host_stumbles() {
    let (host, client) = stage();
    let (run, job) = host.world().add_failed(NAME, b"the log");
    for what in [What::Status(500), What::Status(503), What::Cut, What::Garbage] {
        host.world()
            .troubles
            .push(Trouble { times: 2, ..Trouble::once("GET", "/actions/runs/", what.clone()) });
        let found = client.run(&run_ref(run)).await;
        assert_eq!(found.as_ref().map(|r| r.reference.run_id), Ok(run), "{what:?}");
    }
    for (path, what) in [("/logs", What::Status(502)), ("/_logs", What::Cut), ("/_logs", What::Status(500))] {
        host.world().troubles.push(Trouble::once("GET", path, what.clone()));
        let log = client.job_log(&job_ref(job)).await.map(|log| log.bytes);
        assert_eq!(log.as_deref(), Ok(b"the log".as_slice()), "{path} {what:?}");
    }
    host.world().troubles =
        vec![Trouble::once("GET", "/_logs", What::Body(b"PK\x03\x04 and no more".to_vec()))];
    assert_eq!(client.run_logs(&run_ref(run), 1).await.map(|logs| logs.len()), Ok(2));
}

#[tokio::test]
async fn what_stays_broken_is_said_in_one_word() {
    let (host, client) = stage();
    let (run, _) = host.world().add_failed(NAME, b"");
    let said = async |what| {
        host.world().troubles = vec![Trouble::always("GET", "", what)];
        client.run(&run_ref(run)).await.unwrap_err()
    };
    assert!(matches!(said(What::Status(500)).await, ForgeError::Unreachable { .. }));
    assert!(matches!(said(What::Garbage).await, ForgeError::Garbage { .. }));
    assert!(matches!(said(What::Status(401)).await, ForgeError::Denied { .. }));
    assert!(matches!(said(What::Status(404)).await, ForgeError::NotFound { .. }));
    assert!(matches!(
        said(What::Redirect("https://evil.example/".into())).await,
        ForgeError::NotFound { .. }
    ));
    // Four tries of what may pass, one of what won't.
    assert_eq!(host.world().count("GET", "/actions/runs/"), 4 + 4 + 1 + 1 + 1);
    drop(host);
    assert!(matches!(client.run(&run_ref(run)).await, Err(ForgeError::Unreachable { .. })));
}

#[tokio::test]
async fn a_host_that_says_nothing_is_not_waited_for_for_ever() {
    let (host, _) = stage();
    let (run, _) = host.world().add_failed(NAME, b"");
    let impatient = Options { limit: Duration::from_millis(100), ..options() };
    let client = GitHub::new(&host.url(), Credential::None, impatient).unwrap();
    host.world().troubles.push(Trouble::once("GET", "/actions/runs/", What::Hang));
    assert!(client.run(&run_ref(run)).await.is_ok());
    host.world().troubles.push(Trouble::always("GET", "/actions/runs/", What::Hang));
    assert!(matches!(client.run(&run_ref(run)).await, Err(ForgeError::Unreachable { .. })));
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
async fn limits_are_obeyed_before_anything_is_sent() {
    let (host, client) = stage();
    let (run, job) = host.world().add_failed(NAME, b"");
    let run_ref = run_ref(run);
    host.world().troubles.push(Trouble::once("GET", "", What::SlowDown(Some(120))));
    let (seconds, quota) = limited(client.run(&run_ref).await);
    assert!((115..=120).contains(&seconds) && quota == Quota::Burst, "{seconds} {quota:?}");
    // While it lasts, nothing is asked, changes neither.
    let calls = host.world().calls.len();
    limited(client.run(&run_ref).await);
    let rerun = client.rerun_job(&crate::diagnosed(&host, run), &job_ref(job)).await;
    assert!(matches!(rerun, Err(ForgeError::RateLimited { .. })), "{rerun:?}");
    assert_eq!(host.world().calls.len(), calls);

    let client = crate::client(&host.url());
    host.world().troubles.push(Trouble::once("GET", "", What::SlowDown(None)));
    let (seconds, quota) = limited(client.run(&run_ref).await);
    assert!((55..=60).contains(&seconds) && quota == Quota::Burst, "{seconds} {quota:?}");

    let client = crate::client(&host.url());
    host.world().quota.remaining = 0;
    let (seconds, quota) = limited(client.run(&run_ref).await);
    assert!((3500..=3600).contains(&seconds) && quota == Quota::Hourly, "{seconds} {quota:?}");
}

#[tokio::test]
async fn a_fifth_of_the_hour_is_left_to_others() {
    let (host, _) = stage();
    let (run, _) = host.world().add_failed(NAME, b"");
    host.world().quota.remaining = 1005;
    let client = client(&host.url());
    let mut sent = 0;
    let refused = loop {
        // Something else each time, so that it counts.
        match client.run(&run_ref(run + 1000 + sent)).await {
            Err(ForgeError::NotFound { .. }) => sent += 1,
            other => break other,
        }
    };
    assert_eq!(limited(refused).1, Quota::Reserve);
    assert_eq!((sent, host.world().quota.remaining), (5, 1000));
    assert_eq!(client.budget().map(|b| (b.limit, b.remaining)), Some((5000, 1000)));
}

#[tokio::test]
async fn no_message_and_no_debug_form_shows_the_token() {
    let (host, _) = stage();
    let client =
        GitHub::new(&host.url(), Credential::Token(Secret::new("ghp_verysecret")), options()).unwrap();
    host.world().token = Some("another".to_owned());
    let error = client.run(&run_ref(1)).await.unwrap_err();
    let shown = format!("{error} {error:?} {client:?}");
    assert!(shown.contains("Bad credentials") && !shown.contains("verysecret"), "{shown}");
}
