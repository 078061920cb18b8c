//! The dashboard without a browser: who may read, what is forbidden to browsers, and that no news is lost.

use std::time::Duration;

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};

use super::{World, now, seed};

async fn ask(world: &World, path: &str, headers: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", world.port)).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

async fn answer(world: &World, path: &str, headers: &str) -> String {
    let mut text = Vec::new();
    let headers = format!("{headers}Connection: close\r\n");
    ask(world, path, &headers).await.read_to_end(&mut text).await.unwrap();
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test]
async fn only_who_may_reads_and_every_answer_forbids_what_is_not_of_here() {
    let world = World::new().await;
    let here = "Host: localhost:8787\r\n";
    for path in ["/", "/incidents", "/trends", "/patterns", "/playbooks", "/services", "/settings"] {
        let page = answer(&world, path, here).await;
        assert!(page.starts_with("HTTP/1.1 200"), "{path}: {page}");
        assert!(page.contains("content-security-policy: default-src 'none'; style-src 'self'"), "{path}");
        assert!(page.contains("x-content-type-options: nosniff") && page.contains("cache-control: no-store"));
        assert!(
            !page.contains("style=\"") && !page.contains("<style") && !page.contains("onclick"),
            "{path}"
        );
        assert!(
            answer(&world, path, "Host: rebound.example\r\n").await.starts_with("HTTP/1.1 401"),
            "{path}"
        );
        let passed_on = format!("{here}X-Forwarded-For: 10.0.0.7\r\n");
        assert!(answer(&world, path, &passed_on).await.starts_with("HTTP/1.1 401"), "{path}");
    }
    assert!(answer(&world, "/events", "Host: rebound.example\r\n").await.starts_with("HTTP/1.1 401"));
    for (path, status) in [
        ("/incidents/nobody", "404"),
        ("/nowhere", "404"),
        ("/incidents?class=no-such", "400"),
        ("/incidents?state=no-such", "400"),
        ("/incidents?since=yesterday", "400"),
        ("/incidents?after=x", "400"),
        ("/trends?days=8", "400"),
        ("/settings?before=x", "400"),
        ("/patterns/no-such", "404"),
    ] {
        let page = answer(&world, path, here).await;
        assert!(page.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {page}");
        assert!(page.contains("content-security-policy") && page.contains("<h1>"), "{path}");
    }
    let page = answer(&world, "/", here).await;
    let css =
        page.split("href=\"").find(|part| part.starts_with("/assets/")).unwrap().split('"').next().unwrap();
    let asset = answer(&world, css, "Host: rebound.example\r\n").await;
    assert!(asset.starts_with("HTTP/1.1 200") && asset.contains("immutable"), "{asset}");
}

/// The ids of the next so many news of a stream.
async fn ids(stream: TcpStream, many: usize) -> Vec<i64> {
    let mut lines = BufReader::new(stream).lines();
    let (mut ids, mut id) = (Vec::new(), None);
    while ids.len() < many {
        let line = timeout(Duration::from_secs(20), lines.next_line()).await.unwrap().unwrap().unwrap();
        match line.split_once(": ") {
            Some(("id", number)) => id = number.parse::<i64>().ok(),
            // It says where it begins; that is no news.
            Some(("event", "open")) => id = None,
            None if line.is_empty() => ids.extend(id.take()),
            _ => {}
        }
    }
    ids
}

#[tokio::test]
async fn a_reader_that_comes_back_has_lost_nothing() {
    let world = World::new().await;
    seed::begins(&world.ledger, "a", now()).await;
    let seq = world.ledger.audit_seq().await.unwrap();
    // One reads from the beginning; the other comes back after the second entry; neither was there when it happened.
    let here = "Host: localhost\r\n";
    let all = ask(&world, "/events?after=0", here).await;
    let back = ask(&world, "/events", &format!("{here}Last-Event-ID: 2\r\n")).await;
    let live = ask(&world, "/events", here).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    seed::goes_on(&world.ledger, "a", now()).await;
    let last = world.ledger.audit_seq().await.unwrap();
    let news = |from: i64| (from + 1..=last).collect::<Vec<_>>();
    assert_eq!(ids(all, news(0).len()).await, news(0));
    assert_eq!(ids(back, news(2).len()).await, news(2));
    assert_eq!(ids(live, news(seq).len()).await, news(seq));
}
