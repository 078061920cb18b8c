//! A collector is sent the figures, and one that is away is told of once.

use std::time::Duration;

use regreen_notify::Address;
use regreen_server::Otlp;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

use crate::{
    seed::lived_in,
    world::{BREAKER, WORTH, World},
};

/// What was sent: its head, and its body.
async fn taken(mut stream: TcpStream, status: &str) -> (String, Value) {
    let mut text = Vec::new();
    loop {
        let mut more = [0; 65536];
        let n = stream.read(&mut more).await.unwrap();
        text.extend_from_slice(&more[..n]);
        let all = String::from_utf8_lossy(&text).into_owned();
        let Some((head, body)) = all.split_once("\r\n\r\n") else { continue };
        let Ok(body) = serde_json::from_str::<Value>(body) else { continue };
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}");
        stream.write_all(answer.as_bytes()).await.unwrap();
        return (head.to_lowercase(), body);
    }
}

#[tokio::test]
async fn a_collector_is_sent_the_figures_and_told_of_once_where_it_does_not_take_them() {
    let world = World::new().await;
    lived_in(&world.ledger).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/v1/metrics", listener.local_addr().unwrap());
    let otlp = Otlp {
        address: Address::parse(&base).unwrap(),
        headers: vec![("x-collector".to_owned(), "a-secret-of-the-collector".to_owned())],
        every: Duration::from_millis(5),
        node: "n1".to_owned(),
        ledger: world.ledger.clone(),
        breaker: BREAKER,
        worth: WORTH,
        sinks: [("ops".to_owned(), "slack")].into(),
        log: world.lines.clone(),
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let sending = tokio::spawn(otlp.run(async move { drop(stopped.await) }));
    for status in ["503 Service Unavailable", "400 Bad Request", "200 OK"] {
        let (head, body) = taken(listener.accept().await.unwrap().0, status).await;
        assert!(head.starts_with("post /v1/metrics http/1.1"), "{head}");
        assert!(head.contains("x-collector: a-secret-of-the-collector"), "{head}");
        let metrics = body["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].as_array().unwrap();
        let healing = metrics.iter().find(|one| one["name"] == "regreen.healing").unwrap();
        assert_eq!(healing["gauge"]["dataPoints"][0]["asDouble"], 1.0);
    }
    let told = world.lines.all();
    let told: Vec<&String> = told.iter().filter(|line| line.contains("figures-not-sent")).collect();
    assert!(told.len() == 1 && !told[0].contains("a-secret"), "{told:?}");
    stop.send(()).unwrap();
    sending.await.unwrap();
}
