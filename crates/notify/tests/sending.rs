//! What really goes over the wire, to a server on this machine that answers what the test says.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::{
    io::{BufRead, BufReader, Read as _, Write as _},
    net::TcpListener,
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use regreen_notify::{
    Address, Email, Encryption, Kind, Notice, PagerDuty, Sink, SinkError, Slack, Teams, Webhook, signature,
};
use serde_json::Value;

fn notice() -> Notice {
    Notice {
        id: "needs-person/ab12".to_owned(),
        kind: Kind::NeedsPerson,
        at: 1_800_000_000_000,
        title: "octo/shop: the disk is full".to_owned(),
        lines: vec!["Nothing was done.".to_owned()],
        evidence: Some("No space left on device".to_owned()),
        repository: Some("octo/shop".to_owned()),
        class: Some("disk-space".to_owned()),
        confidence: Some(0.9),
        incident: Some("ab12".to_owned()),
        subject: "f00d".to_owned(),
        link: None,
    }
}

struct Request {
    head: String,
    body: String,
}

impl Request {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// A server that answers every request alike.
fn server(answer: &'static str) -> (Address, Receiver<Request>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = Address::parse(&format!("http://{}/hook", listener.local_addr().unwrap())).unwrap();
    let (told, heard) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut head = String::new();
            while reader.read_line(&mut head).unwrap() > 2 {}
            let mut request = Request { head, body: String::new() };
            let length: u64 = request.header("content-length").map_or(0, |text| text.parse().unwrap());
            reader.take(length).read_to_string(&mut request.body).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            if told.send(request).is_err() {
                break;
            }
        }
    });
    (address, heard)
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

#[test]
fn each_sink_posts_its_own_document_once() {
    let (address, heard) = server(OK);
    let sinks = [
        (Sink::Slack(Slack { address: address.clone() }), "/blocks/0/text/text"),
        (Sink::Teams(Teams { address: address.clone() }), "/attachments/0/content/body/0/inlines/0/text"),
        (Sink::Webhook(Webhook { address: address.clone(), secret: None }), "/data/title"),
        (
            Sink::PagerDuty(PagerDuty { address: Some(address), routing_key: "k".to_owned() }),
            "/payload/summary",
        ),
    ];
    for (sink, title) in sinks {
        sink.send(&notice()).unwrap();
        let request = heard.recv().unwrap();
        assert_eq!(request.header("content-type"), Some("application/json"));
        let body: Value = serde_json::from_str(&request.body).unwrap();
        let title = body.pointer(title).and_then(Value::as_str).unwrap();
        assert!(title.contains("the disk is full"), "{}: {title}", sink.kind());
        assert!(request.body.contains("No space left on device"), "{}", sink.kind());
        assert!(heard.try_recv().is_err());
    }
}

#[test]
fn a_webhook_can_be_proven_by_who_gets_it() {
    let (address, heard) = server(OK);
    let secret = b"0123456789abcdef".to_vec();
    Sink::Webhook(Webhook { address, secret: Some(secret.clone()) }).send(&notice()).unwrap();
    let request = heard.recv().unwrap();
    let sent_at: i64 = request.header("webhook-timestamp").unwrap().parse().unwrap();
    assert_eq!(request.header("webhook-id"), Some("needs-person/ab12"));
    let expected = signature(&secret, "needs-person/ab12", sent_at, &request.body);
    assert_eq!(request.header("webhook-signature"), Some(expected.as_str()));
    assert_ne!(signature(&secret, "needs-person/ab12", sent_at, "{}"), expected);
}

#[test]
fn what_an_answer_means() {
    let sent = |answer| {
        let (address, heard) = server(answer);
        let told = Sink::Slack(Slack { address }).send(&notice());
        drop(heard);
        told
    };
    let busy = sent("HTTP/1.1 429 Too Many Requests\r\nretry-after: 30\r\ncontent-length: 4\r\n\r\nbusy");
    assert_eq!(
        busy,
        Err(SinkError::Later { why: "429 busy".to_owned(), after: Some(Duration::from_secs(30)) })
    );
    let broken = sent("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n");
    assert!(matches!(broken, Err(SinkError::Later { .. })), "{broken:?}");
    let cut = sent("HTTP/1.1 2");
    assert!(matches!(cut, Err(SinkError::Later { .. })), "{cut:?}");
    let gone = sent("HTTP/1.1 404 Not Found\r\ncontent-length: 10\r\n\r\nno_service");
    assert_eq!(gone, Err(SinkError::Refused { why: "404 no_service".to_owned() }));
    // Where it points to is not asked.
    let elsewhere = sent("HTTP/1.1 307 Moved\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n");
    assert!(matches!(elsewhere, Err(SinkError::Refused { .. })), "{elsewhere:?}");
}

#[test]
fn no_error_tells_the_address() {
    let address = Address::parse("http://127.0.0.1:1/T000/B000/secret").unwrap();
    let told = Sink::Slack(Slack { address }).send(&notice()).unwrap_err().to_string();
    assert!(!told.contains("secret") && !told.contains("T000"), "{told}");
}

/// A mail server that takes everything, or answers `MAIL FROM` with this.
fn mail_server(refuses: Option<&'static str>) -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (told, heard) = channel();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        stream.write_all(b"220 here\r\n").unwrap();
        let (mut mail, mut in_mail) = (String::new(), false);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                break;
            }
            let answer: &str = match (in_mail, line.trim_end()) {
                (true, ".") => {
                    in_mail = false;
                    "250 taken\r\n"
                }
                (true, _) => {
                    mail.push_str(&line);
                    continue;
                }
                (false, "DATA") => {
                    in_mail = true;
                    "354 go on\r\n"
                }
                (false, "QUIT") => "221 bye\r\n",
                (false, line) if line.starts_with("MAIL") => refuses.unwrap_or("250 ok\r\n"),
                (false, line) => {
                    mail.push_str(if line.starts_with("RCPT") { line } else { "" });
                    "250 ok\r\n"
                }
            };
            if stream.write_all(answer.as_bytes()).is_err() {
                break;
            }
        }
        let _gone = told.send(mail);
    });
    (port, heard)
}

#[test]
fn a_mail_is_sent_or_its_refusal_told() {
    let mail_to = |port| {
        let to = ["Ops <ops@example.com>".to_owned()];
        let mail = Email::new("127.0.0.1", Some(port), Encryption::None, None, "regreen@example.com", &to);
        Sink::Email(Box::new(mail.unwrap())).send(&notice())
    };
    let (port, heard) = mail_server(None);
    mail_to(port).unwrap();
    let mail = heard.recv().unwrap();
    assert!(mail.contains("RCPT TO:<ops@example.com>"), "{mail}");
    assert!(mail.contains("Subject: [Regreen] Needs a person: octo/shop: the disk is full"), "{mail}");
    assert!(mail.contains("No space left on device"), "{mail}");
    let (port, _heard) = mail_server(Some("550 not you\r\n"));
    assert!(matches!(mail_to(port), Err(SinkError::Refused { .. })));
    let (port, _heard) = mail_server(Some("451 later\r\n"));
    assert!(matches!(mail_to(port), Err(SinkError::Later { .. })));
}
