//! Each fault does on the wire what its name says.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use regreen_lab::{
    Answer, Edition, Fault, Lab, Outage, PackageManager, PathGlob, Release, Script, Until, artefact,
};

const TARBALL: &str = "/npm/regreen-lab-alpha/-/regreen-lab-alpha-1.1.0.tgz";

/// What a client saw: the bytes until the connection ended, and how it ended.
struct Seen {
    bytes: Vec<u8>,
    end: Result<(), ErrorKind>,
}

impl Seen {
    fn status(&self) -> u16 {
        std::str::from_utf8(&self.bytes[9..12]).unwrap().parse().unwrap()
    }

    fn head(&self) -> String {
        String::from_utf8_lossy(&self.bytes[..self.body_at()]).to_lowercase()
    }

    fn body(&self) -> &[u8] {
        &self.bytes[self.body_at()..]
    }

    fn body_at(&self) -> usize {
        self.bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4
    }
}

fn get(lab: &Lab, path: &str) -> Seen {
    let mut client = TcpStream::connect(lab.address()).unwrap();
    // Long enough for every answer, short enough to see that a stalled one doesn't come.
    client.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    write!(client, "GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", lab.address()).unwrap();
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    let end = loop {
        match client.read(&mut chunk) {
            Ok(0) => break Ok(()),
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
            Err(error) => break Err(error.kind()),
        }
    };
    Seen { bytes, end }
}

fn alpha(edition: Edition) -> Vec<u8> {
    artefact(PackageManager::Npm, Release::latest("regreen-lab-alpha").unwrap(), edition)
}

fn under(fault: Fault) -> Seen {
    let lab = Lab::start().unwrap();
    lab.set_script(Script::fault(PathGlob::NPM_TARBALLS, fault, Until::Forever));
    let seen = get(&lab, TARBALL);
    let requests = lab.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!((requests[0].path.as_str(), requests[0].answer), (TARBALL, Answer::Faulted(fault)));
    seen
}

#[test]
fn a_sound_registry_answers_and_names_the_host_that_was_asked() {
    let lab = Lab::start().unwrap();
    for path in ["/", "/npm/", "/npm/-/ping", "/cargo/", "/cargo/config.json", "/pip/", "/pip/simple/"] {
        let seen = get(&lab, path);
        assert_eq!((seen.status(), seen.end), (200, Ok(())), "{path}");
    }
    let seen = get(&lab, TARBALL);
    assert_eq!((seen.status(), seen.body()), (200, alpha(Edition::Honest).as_slice()));
    for path in ["/npm/regreen-lab-alpha", "/cargo/config.json", "/pip/simple/regreen-lab-alpha/"] {
        let body = String::from_utf8(get(&lab, path).body().to_vec()).unwrap();
        assert!(body.contains(&lab.address().to_string()), "{path}: {body}");
    }
    for path in ["/npm/left-pad", "/cargo/le/ft/left-pad", "/pip/simple/left-pad/", "/nowhere"] {
        assert_eq!(get(&lab, path).status(), 404, "{path}");
    }
    assert!(lab.requests().iter().all(|request| request.answer == Answer::Passed));
}

#[test]
fn reset_is_a_reset_and_close_is_a_close() {
    let seen = under(Fault::Reset);
    assert_eq!((seen.bytes.len(), seen.end), (0, Err(ErrorKind::ConnectionReset)));
    let seen = under(Fault::Close);
    assert_eq!((seen.bytes.len(), seen.end), (0, Ok(())));
}

#[test]
fn a_stalled_answer_does_not_come() {
    let seen = under(Fault::Stall);
    assert_eq!((seen.bytes.len(), seen.end), (0, Err(ErrorKind::WouldBlock)));
}

#[test]
fn half_a_body_then_a_reset_or_silence_or_an_end() {
    let whole = alpha(Edition::Honest);
    for (fault, end) in [
        (Fault::ResetBody, Err(ErrorKind::ConnectionReset)),
        (Fault::StallBody, Err(ErrorKind::WouldBlock)),
        (Fault::TruncateBody, Ok(())),
    ] {
        let seen = under(fault);
        assert!(seen.head().contains(&format!("content-length: {}\r\n", whole.len())), "{fault:?}");
        assert_eq!((seen.body(), seen.end), (&whole[..whole.len() / 2], end), "{fault:?}");
    }
}

#[test]
fn a_flipped_body_differs_in_one_byte() {
    let (whole, seen) = (alpha(Edition::Honest), under(Fault::FlipBody));
    assert_eq!(seen.body().len(), whole.len());
    assert_eq!(seen.body().iter().zip(&whole).filter(|(a, b)| a != b).count(), 1);
}

#[test]
fn a_status_comes_with_its_reason_and_retry_after() {
    let seen = under(Fault::Status { code: 429, retry_after: Some(7) });
    assert!(seen.head().starts_with("http/1.1 429 too many requests\r\n"), "{}", seen.head());
    assert!(seen.head().contains("retry-after: 7\r\n"));
    let seen = under(Fault::Status { code: 503, retry_after: None });
    assert!(seen.head().starts_with("http/1.1 503 service unavailable\r\n"));
    assert!(!seen.head().contains("retry-after"));
}

#[test]
fn tampering_strikes_the_file_alone_or_its_metadata_too() {
    let lab = Lab::start().unwrap();
    let honest = get(&lab, "/npm/regreen-lab-alpha").body().to_vec();
    lab.set_script(Script::fault(PathGlob::NPM_TARBALLS, Fault::Tampered, Until::Forever));
    assert_eq!(get(&lab, TARBALL).body(), alpha(Edition::Tampered));
    assert_eq!(get(&lab, "/npm/regreen-lab-alpha").body(), honest);
    lab.set_script(Script::fault(PathGlob::ANY, Fault::Tampered, Until::Forever));
    let tampered = get(&lab, "/npm/regreen-lab-alpha").body().to_vec();
    assert_ne!(tampered, honest);
    assert!(String::from_utf8(tampered).unwrap().contains(&lab.address().to_string()));
}

#[test]
fn a_registry_that_is_down_refuses_keeps_its_port_and_comes_back() {
    let lab = Lab::start().unwrap();
    for _ in 0..3 {
        lab.set_script(Script::down(Outage::Forever));
        let refused = TcpStream::connect(lab.address()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        lab.set_script(Script::sound());
        assert_eq!(get(&lab, "/").status(), 200);
    }
    lab.set_script(Script::down(Outage::Seconds(0.2)));
    assert!(TcpStream::connect(lab.address()).is_err());
    let patience = Instant::now() + Duration::from_secs(5);
    while TcpStream::connect(lab.address()).is_err() {
        assert!(Instant::now() < patience, "it doesn't come back");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(get(&lab, "/").status(), 200);
}

#[test]
fn a_fault_ends_after_its_times_or_with_its_script() {
    let lab = Lab::start().unwrap();
    let broken = Fault::Status { code: 502, retry_after: None };
    lab.set_script(Script::fault(PathGlob::ANY, broken, Until::Times(2)));
    let statuses: Vec<u16> = (0..3).map(|_| get(&lab, TARBALL).status()).collect();
    assert_eq!(statuses, [502, 502, 200]);
    lab.set_script(Script::fault(PathGlob::ANY, broken, Until::Forever));
    assert_eq!(get(&lab, TARBALL).status(), 502);
    lab.set_script(Script::sound());
    assert_eq!(get(&lab, TARBALL).status(), 200);
}
