//! The dashboard without a browser: who may read, what is forbidden to browsers, and that no news is lost.

use std::{io::Read as _, time::Duration};

use flate2::read::GzDecoder;
use regreen_ledger::NewToken;
use regreen_server::access::mint;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};

use super::{
    World,
    listeners::{Trial, listen},
    now, seed,
};

pub async fn ask(world: &World, path: &str, headers: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", world.port)).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

pub async fn answer(world: &World, path: &str, headers: &str) -> String {
    let mut text = Vec::new();
    let headers = format!("{headers}Connection: close\r\n");
    ask(world, path, &headers).await.read_to_end(&mut text).await.unwrap();
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test]
async fn only_who_may_reads_and_every_answer_forbids_what_is_not_of_here() {
    let world = World::new().await;
    let here = "Host: localhost:8787\r\n";
    for path in [
        "/",
        "/incidents",
        "/trends",
        "/patterns",
        "/patterns/suggested",
        "/playbooks",
        "/services",
        "/settings",
    ] {
        let page = answer(&world, path, here).await;
        assert!(page.starts_with("HTTP/1.1 200"), "{path}: {page}");
        assert!(page.contains("content-security-policy: default-src 'none'; style-src 'self'"), "{path}");
        assert!(page.contains("x-content-type-options: nosniff") && page.contains("cache-control: no-store"));
        assert!(
            !page.contains("style=\"") && !page.contains("<style") && !page.contains("onclick"),
            "{path}"
        );
        let passed_on = format!("{here}X-Forwarded-For: 10.0.0.7\r\n");
        for not_here in ["Host: rebound.example\r\n", &passed_on] {
            let led = answer(&world, path, not_here).await;
            assert!(led.starts_with("HTTP/1.1 303") && led.contains("location: /sign-in"), "{path}: {led}");
        }
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

/// The head of an answer, and its body.
async fn bytes(world: &World, path: &str, headers: &str) -> (String, Vec<u8>) {
    let mut all = Vec::new();
    let headers = format!("Host: localhost\r\n{headers}Connection: close\r\n");
    ask(world, path, &headers).await.read_to_end(&mut all).await.unwrap();
    let at = all.windows(4).position(|end| end == b"\r\n\r\n").unwrap();
    let body = all.split_off(at + 4);
    (String::from_utf8(all).unwrap(), body)
}

#[tokio::test]
async fn what_is_the_same_for_all_is_sent_packed_and_pages_are_not() {
    let world = World::new().await;
    let unpacks = "Accept-Encoding: gzip, deflate, br\r\n";
    let (head, page) = bytes(&world, "/", unpacks).await;
    assert!(!head.contains("content-encoding"), "its length would tell of what is in it: {head}");
    let page = String::from_utf8(page).unwrap();
    let assets: Vec<&str> = page.split('"').filter(|part| part.starts_with("/assets/")).collect();
    for ending in [".css", ".js"] {
        let asset = assets.iter().find(|path| path.ends_with(ending)).unwrap();
        let (plain, whole) = bytes(&world, asset, "").await;
        let (head, packed) = bytes(&world, asset, unpacks).await;
        assert!(
            !plain.contains("content-encoding") && head.contains("content-encoding: gzip"),
            "{plain}{head}"
        );
        for head in [plain, head] {
            assert!(head.contains("vary: accept-encoding") && head.contains("immutable"), "{head}");
        }
        let mut unpacked = Vec::new();
        GzDecoder::new(packed.as_slice()).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, whole, "{asset}");
        assert!(packed.len() * 2 < whole.len(), "{asset}: {} of {}", packed.len(), whole.len());
    }
}

/// A form that is sent, and what is answered.
pub async fn post(world: &World, path: &str, headers: &str, form: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", world.port)).await.unwrap();
    let head = format!("POST {path} HTTP/1.1\r\n{headers}Connection: close\r\n");
    let request = format!("{head}Content-Length: {}\r\n\r\n{form}", form.len());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = Vec::new();
    stream.read_to_end(&mut text).await.unwrap();
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test]
async fn a_token_is_shown_once_and_a_session_reads_from_elsewhere() {
    let world = World::new().await;
    let made = mint().unwrap();
    let new = NewToken {
        id: &made.id,
        name: "ann",
        role: "viewer",
        repository: "",
        digest: &made.digest,
        expires_at: None,
    };
    assert!(world.ledger.create_token(&new, "ann", now()).await.unwrap());
    let there = "Host: regreen.example\r\n";
    let led = answer(&world, "/incidents?state=healed", there).await;
    assert!(led.contains("location: /sign-in?then=%2Fincidents%3Fstate%3Dhealed"), "{led}");
    let form = answer(&world, "/sign-in?then=%2Fincidents%3Fstate%3Dhealed", there).await;
    assert!(form.starts_with("HTTP/1.1 200") && form.contains("referrer-policy: same-origin"), "{form}");
    assert!(form.contains("value=\"/incidents?state=healed\""), "{form}");
    let own = format!("{there}Origin: https://regreen.example\r\n");
    let wrong = post(&world, "/sign-in", &own, "token=rgr_no&then=%2Ftrends").await;
    assert!(wrong.starts_with("HTTP/1.1 401") && wrong.contains("role=\"alert\""), "{wrong}");
    assert!(!wrong.contains("rgr_no"), "{wrong}");
    let right = format!("token={}&then=%2Ftrends", made.text);
    let foreign = post(&world, "/sign-in", &format!("{there}Origin: https://evil.example\r\n"), &right).await;
    assert!(foreign.starts_with("HTTP/1.1 403") && !foreign.contains("set-cookie"), "{foreign}");
    let away = format!("token={}&then=%2F%2Fevil.example", made.text);
    assert!(post(&world, "/sign-in", &own, &away).await.contains("location: /\r\n"), "to another server");
    let signed = post(&world, "/sign-in", &own, &right).await;
    assert!(signed.starts_with("HTTP/1.1 303") && signed.contains("location: /trends\r\n"), "{signed}");
    let cookie = signed.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    assert!(cookie.contains("HttpOnly; SameSite=Strict; Secure"), "{cookie}");
    // A proxy may say another name; that the page came by TLS is in its origin all the same.
    let renamed = "Host: localhost\r\nOrigin: https://regreen.example\r\nSec-Fetch-Site: same-origin\r\n";
    assert!(post(&world, "/sign-in", renamed, &right).await.contains("; Secure"));
    let shown = format!("Cookie: {}\r\n", cookie.split(';').next().unwrap());
    let page = answer(&world, "/trends", &format!("{there}{shown}")).await;
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    let who = answer(&world, "/sign-in", &format!("{there}{shown}")).await;
    assert!(who.contains("token:ann") && who.contains("action=\"/sign-out\""), "{who}");
    assert!(post(&world, "/sign-out", &format!("{there}{shown}"), "").await.starts_with("HTTP/1.1 403"));
    let out = post(&world, "/sign-out", &format!("{own}{shown}"), "").await;
    assert!(out.starts_with("HTTP/1.1 303") && out.contains("Max-Age=0"), "{out}");
    assert!(answer(&world, "/trends", &format!("{there}{shown}")).await.starts_with("HTTP/1.1 303"));
    // A program is told, and led nowhere; that it was tried too often is no matter of permission.
    let token = format!("{there}Authorization: Bearer rgr_no\r\n");
    assert!(answer(&world, "/", &token).await.starts_with("HTTP/1.1 401"));
    for _ in 0..20 {
        post(&world, "/sign-in", &own, "token=rgr_no").await;
    }
    let often = answer(&world, "/", &token).await;
    assert!(often.starts_with("HTTP/1.1 429") && often.contains("That was tried too often"), "{often}");
    assert!(often.contains("retry-after: "), "{often}");
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
async fn many_listeners_that_come_and_go_lose_nothing() {
    let world = World::new().await;
    let trial = Trial { listeners: 40, per_second: 100, seconds: 1, away_every: 20 };
    let heard = listen(&world.ledger, world.port, trial).await;
    assert_eq!(
        (heard.written, heard.lost, heard.out_of_order),
        (100, 0, 0),
        "written in {:?}",
        heard.writing
    );
    assert!(heard.returned > 40 && heard.late.len() > 1_000, "{heard:?}");
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
