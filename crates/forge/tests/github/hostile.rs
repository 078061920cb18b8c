//! Redirects that lead inside, archives that lead out, listings that lead elsewhere.

use std::net::TcpListener;

use regreen_forge::{Bounds, Credential, Forge, ForgeError, GitHub, Options};
use regreen_lab::forge::{Trouble, What};

use crate::{NAME, job_ref, options, repository, run_ref, stage};

#[tokio::test]
async fn a_log_that_lies_inside_is_not_fetched() {
    let (host, client) = stage();
    let (_, job) = host.world().add_failed(NAME, b"x");
    // The stand-in itself is on the loopback interface; what is elsewhere inside is still not asked.
    for to in [
        "http://169.254.169.254/latest/meta-data/",
        "https://[fe80::1]/x",
        "https://10.0.0.1/x",
        "https://[::ffff:192.168.0.1]/x",
        "file:///etc/passwd",
        "https://user:password@127.0.0.1/x",
        "not an address",
        "",
    ] {
        let before = host.world().calls.len();
        host.world().troubles = vec![Trouble::always("GET", "/logs", What::Redirect(to.to_owned()))];
        let refused = client.job_log(&job_ref(job)).await;
        assert!(matches!(refused, Err(ForgeError::Garbage { .. })), "{to}: {refused:?}");
        assert_eq!(host.world().calls.len() - before, 1, "{to}");
    }
}

#[tokio::test]
async fn a_public_host_leads_to_no_address_inside() {
    // Its name is public, and what answers there is the stand-in: only the base's own addresses count as its own.
    let inside = TcpListener::bind("127.0.0.1:0").unwrap();
    let (host, client) = stage();
    let (_, job) = host.world().add_failed(NAME, b"x");
    let to = format!("http://{}/x", inside.local_addr().unwrap()).replace("127.0.0.1", "0.0.0.0");
    // 0.0.0.0 is another way to say this machine: of the same kind as the stand-in, so it is asked, and nobody answers.
    host.world().troubles = vec![Trouble::always("GET", "/logs", What::Redirect(to))];
    let quick = Options { limit: std::time::Duration::from_millis(20), ..options() };
    let impatient = GitHub::new(&host.url(), Credential::None, quick).unwrap();
    drop(client);
    let answer = impatient.job_log(&job_ref(job)).await;
    assert!(matches!(answer, Err(ForgeError::Unreachable { .. })), "{answer:?}");
}

#[tokio::test]
async fn redirects_in_a_circle_end() {
    let (host, client) = stage();
    let (_, job) = host.world().add_failed(NAME, b"x");
    let circle = format!("{}/_logs/round", host.url());
    host.world().troubles = vec![
        Trouble::always("GET", "/_logs/round", What::Redirect(circle.clone())),
        Trouble::always("GET", "/logs", What::Redirect(circle)),
    ];
    let ended = client.job_log(&job_ref(job)).await;
    assert!(matches!(ended, Err(ForgeError::Garbage { .. })), "{ended:?}");
}

#[tokio::test]
async fn a_bomb_is_not_unpacked_and_a_long_answer_not_read() {
    let (host, _) = stage();
    let (run, job) = host.world().add_failed(NAME, &vec![b'a'; 3_000_000]);
    let bounds = Bounds { longest_log: 2_000_000, unpacked: 2_000_000, log: 1000, ..Bounds::default() };
    let client = GitHub::new(&host.url(), Credential::None, Options { bounds, ..options() }).unwrap();
    let bomb = client.run_logs(&run_ref(run), 1).await;
    assert!(matches!(bomb, Err(ForgeError::TooLarge { limit: 2_000_000, .. })), "{bomb:?}");
    let long = client.job_log(&job_ref(job)).await;
    assert!(matches!(long, Err(ForgeError::TooLarge { limit: 2_000_000, .. })), "{long:?}");
}

#[tokio::test]
async fn the_next_page_is_not_looked_for_at_another_host() {
    let (host, client) = stage();
    host.world().shown_as = "https://evil.example".to_owned();
    for _ in 0..120 {
        let id = host.world().new_id();
        host.world().repositories.get_mut(NAME).unwrap().caches.push(regreen_lab::forge::Cache {
            id,
            key: format!("k{id}"),
            reference: "refs/heads/main".to_owned(),
            bytes: 1,
        });
    }
    let led_away = client.caches(&repository(), None, None).await;
    assert!(matches!(led_away, Err(ForgeError::Garbage { .. })), "{led_away:?}");
}
