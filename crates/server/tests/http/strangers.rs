//! Whoever is not proven takes no room from those who are.

use std::time::Duration;

use regreen_server::Limits;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpSocket, TcpStream},
    time::{Instant, sleep},
};

use super::{Memory, Running, answer, push, send, start, status};

/// The head of a request that nobody can tell from a proven one before its body is there.
fn announces(bytes: usize) -> String {
    format!(
        "POST /hooks/github HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-GitHub-Event: push\r\n\
         X-GitHub-Delivery: s\r\nX-Hub-Signature-256: sha256={}\r\nContent-Length: {bytes}\r\n\r\n",
        "0".repeat(64)
    )
}

async fn opens(running: &Running, from: &str, request: &[u8]) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
    let mut stream = socket.connect(running.address.parse().unwrap()).await.unwrap();
    stream.write_all(request).await.unwrap();
    stream
}

#[tokio::test]
async fn what_is_only_announced_takes_no_room() {
    let running = start(Limits::default(), Memory::new(100)).await;
    let mut strangers = Vec::new();
    for _ in 0..40 {
        strangers.push(opens(&running, "127.0.0.1", announces(25 << 20).as_bytes()).await);
    }
    // They are all being waited for.
    sleep(Duration::from_millis(50)).await;
    for id in ["one", "two"] {
        assert_eq!(status(&send(&running, &push(id, b"{}")).await), "202");
    }
    drop(strangers);
    assert_eq!(running.end().await.1.kept(), 2);
}

#[tokio::test]
async fn one_address_does_not_take_it_all() {
    let limits = Limits { body: 1000, bodies_of_one: 1000, ..Limits::default() };
    let running = start(limits, Memory::new(1000)).await;
    let held = opens(&running, "127.0.0.1", &[announces(1000).as_bytes(), &[b' '; 900]].concat()).await;
    let large = push("large", &[b' '; 900]);
    let begun = Instant::now();
    // Until the first one's bytes have come.
    while status(&send(&running, &large).await) != "503" {
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
    assert_eq!(status(&answer(opens(&running, "127.0.0.2", &large).await).await), "202");
    drop(held);
    let begun = Instant::now();
    while status(&send(&running, &large).await) != "202" {
        assert!(begun.elapsed() < Duration::from_secs(10), "its room is given back");
    }
    running.end().await;
}

#[tokio::test]
async fn one_address_does_not_take_all_connections() {
    let running = start(Limits { connections_of_one: 2, ..Limits::default() }, Memory::new(100)).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        held.push(opens(&running, "127.0.0.1", b"POST").await);
    }
    sleep(Duration::from_millis(50)).await;
    let third = TcpStream::connect(&running.address).await.unwrap();
    assert_eq!(answer(third).await, "", "closed at once, without a word");
    let other = opens(&running, "127.0.0.2", &push("one", b"{}")).await;
    assert_eq!(status(&answer(other).await), "202");
    drop(held);
    running.end().await;
}

#[tokio::test]
async fn who_sends_drop_by_drop_is_cut_long_before_the_time_for_a_body_is_over() {
    let limits = Limits { grace: Duration::from_millis(200), rate: 100 << 10, ..Limits::default() };
    let running = start(limits, Memory::new(100)).await;
    let begun = Instant::now();
    let stream = opens(&running, "127.0.0.1", announces(25 << 20).as_bytes()).await;
    let (read, mut write) = stream.into_split();
    let drops = tokio::spawn(async move {
        while write.write_all(b" ").await.is_ok() {
            sleep(Duration::from_millis(5)).await
        }
    });
    let stream = tokio::io::AsyncReadExt::take(read, 1000);
    let mut text = Vec::new();
    let _reset = tokio::io::AsyncReadExt::read_to_end(&mut { stream }, &mut text).await;
    assert_eq!(status(&String::from_utf8_lossy(&text)), "408");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    drops.abort();
    running.end().await;
}

#[tokio::test]
async fn nothing_is_read_of_whom_the_headers_alone_say_that_nobody_can_prove_it() {
    let running = start(Limits::default(), Memory::new(100)).await;
    for head in [
        "POST /hooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 26214400\r\n\r\n",
        "POST /hooks/gitlab HTTP/1.1\r\nHost: x\r\nX-Gitlab-Token: no\r\nContent-Length: 26214400\r\n\r\n",
    ] {
        let begun = Instant::now();
        assert_eq!(status(&send(&running, head.as_bytes()).await), "401");
        assert!(begun.elapsed() < Duration::from_secs(2));
    }
    running.end().await;
}
