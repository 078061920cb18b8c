//! A GitHub Enterprise Server: its API lies below a path, and every address that it gives does too.

use std::time::{Duration, SystemTime};

use regreen_forge::{Credential, Forge, ForgeError, GitHub, IssueText};
use regreen_lab::forge;

use crate::{
    NAME, client, credentials::key, diagnosed, job_ref, marker, options, repository, run_ref, stage_of,
};

#[tokio::test]
async fn everything_is_asked_below_the_path_of_the_address() {
    let (host, with_token) = stage_of(forge::GitHub::start_below("/api/v3").unwrap());
    let (run, job) = host.world().add_failed(NAME, b"npm error code ECONNRESET\n");
    let app = GitHub::new(&host.url(), Credential::app("12345", &key(true)).unwrap(), options()).unwrap();
    // With a slash at its end, as people write it.
    let slash = client(&format!("{}/", host.url()));
    for (client, app_only) in [(&with_token, false), (&slash, false), (&app, true)] {
        host.world().app_only = app_only;
        assert_eq!(client.run(&run_ref(run)).await.unwrap().reference.run_id, run);
        assert_eq!(client.jobs(&run_ref(run), 1).await.unwrap().len(), 1);
        assert_eq!(client.job_log(&job_ref(job)).await.unwrap().bytes, b"npm error code ECONNRESET\n");
        assert_eq!(client.run_logs(&run_ref(run), 1).await.unwrap().len(), 2);
    }
    host.world().app_only = false;
    // Page after page, by the links that it gives.
    for _ in 0..230 {
        host.world().add_failed(NAME, b"x");
    }
    let since = SystemTime::now() - Duration::from_secs(86_400);
    let (mut listed, mut cursor) = (0, None);
    loop {
        let page = with_token.failed_runs_since(&repository(), since, cursor.as_ref()).await.unwrap();
        listed += page.runs.len();
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(listed, 231);
    let text = IssueText {
        marker: marker("incident/0001"),
        title: "t".to_owned(),
        body: "b".to_owned(),
        labels: Vec::new(),
    };
    let made = with_token.create_issue(&repository(), &text).await.unwrap();
    with_token.comment(&repository(), made.number, &marker("incident/0001"), "a").await.unwrap();
    with_token.rerun_failed_jobs(&diagnosed(&host, run)).await.unwrap();
    assert!(host.world().calls.iter().all(|call| !call.path.starts_with("/outside")));
    // The address without the path is another thing, and nothing is found there.
    let wrong = client(host.url().strip_suffix("/api/v3").unwrap());
    assert!(matches!(wrong.run(&run_ref(run)).await, Err(ForgeError::NotFound { .. })));
}
