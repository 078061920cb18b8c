//! Looking at a remote: does it answer? Never with credentials, never following a log's word.

mod wait;

use std::{
    fmt, io,
    time::{Duration, SystemTime},
};

use ureq::{
    Agent, Timeout,
    http::HeaderMap,
    tls::{RootCerts, TlsConfig},
};

use wait::Headers;

/// What a remote said to one plain `GET`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It answered and can serve: any status below 500 but 429 (a 401 or 404 shows that it is up).
    Serves {
        /// HTTP status.
        status: u16,
    },
    /// It answered that it can't serve now.
    Unwell {
        /// HTTP status: 429, 5xx, or 403 where the quota is used up.
        status: u16,
        /// How long it asks to be left alone, by `Retry-After` or by when its limit is reset.
        retry_after: Option<Duration>,
    },
    /// No answer: refused, reset, timed out, not resolved.
    Silent {
        /// How far it came.
        stage: Stage,
        /// What the client saw.
        why: String,
    },
    /// This is not about the remote's health: its certificate is not trusted, the address is no address.
    Unusable {
        /// What the client saw.
        why: String,
    },
}

/// How far a question came before nothing came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The name of the host has no address.
    Name,
    /// No connection to that address, or no encryption on it.
    Connection,
    /// A connection, but no answer on it.
    Answer,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Name => "its name can't be resolved",
            Stage::Connection => "it can't be connected to",
            Stage::Answer => "it does not answer",
        })
    }
}

impl Answer {
    /// Whether it can serve now.
    pub fn serves(&self) -> bool {
        matches!(self, Answer::Serves { .. })
    }
}

/// Most redirects that are followed.
const REDIRECTS: u32 = 3;
/// Largest body that [`fetch`] takes, in bytes.
const LARGEST: u64 = 256 * 1024 * 1024;

/// What a remote's clock says, by the `Date` of its answer to one plain `HEAD`, and by the age of what a cache in between
/// answers for it (RFC 9111, section 4.2.3). `None` where it says nothing.
///
/// Where this machine's clock makes a sound certificate look unsound, an encrypted answer can't be had. Then the same host
/// is asked without encryption, at port 80 or the port of the address, for `/`: many say the time even where they serve
/// nothing like that. Its word is never more than a hint for a person.
pub async fn date(url: &str, limit: Duration) -> Option<SystemTime> {
    let url = url.to_owned();
    let asked = tokio::task::spawn_blocking(move || match head(&url, limit) {
        Ok(told) => told,
        Err(error) => match refusal(&error) {
            Answer::Silent { stage: Stage::Name | Stage::Connection, .. } => None,
            _ => head(&unencrypted(&url)?, limit).ok().flatten(),
        },
    });
    asked.await.ok().flatten()
}

fn head(url: &str, limit: Duration) -> Result<Option<SystemTime>, ureq::Error> {
    let request = agent(limit).head(url).config().max_redirects(0).max_redirects_will_error(false).build();
    let response = request.call()?;
    let of = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let told = of("date").and_then(|date| httpdate::parse_http_date(date.trim()).ok());
    let age = of("age").and_then(|age| age.trim().parse().ok()).unwrap_or_default();
    Ok(told.and_then(|told| told.checked_add(Duration::from_secs(age))))
}

/// The root of the same host and port without encryption; `None` of what was not encrypted.
fn unencrypted(url: &str) -> Option<String> {
    let rest = url.strip_prefix("https://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    Some(format!("http://{host}/"))
}

fn agent(limit: Duration) -> Agent {
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    // A little less than the whole, so that it is known how far it came.
    let until_connected = limit.mul_f64(0.9);
    Agent::new_with_config(
        Agent::config_builder()
            .timeout_global(Some(limit))
            .timeout_resolve(Some(until_connected))
            .timeout_connect(Some(until_connected))
            .max_redirects(REDIRECTS)
            .http_status_as_error(false)
            .user_agent(concat!("regreen/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .build(),
    )
}

/// One plain `GET` of `url`, answered within `limit`.
pub async fn ask(url: &str, limit: Duration) -> Answer {
    ask_following(url, limit, REDIRECTS).await
}

/// As [`ask`], and followed nowhere: who sends one elsewhere has answered.
pub async fn ask_only(url: &str, limit: Duration) -> Answer {
    ask_following(url, limit, 0).await
}

async fn ask_following(url: &str, limit: Duration, redirects: u32) -> Answer {
    let url = url.to_owned();
    let asked = tokio::task::spawn_blocking(move || {
        let request = agent(limit).get(&url).config();
        request.max_redirects(redirects).max_redirects_will_error(redirects > 0).build().call()
    });
    let asked = asked.await.map(|asked| match asked {
        Ok(response) => {
            let status = response.status().as_u16();
            let headers = headers(response.headers());
            let refused = status == 429 || status >= 500 || (status == 403 && headers.used_up());
            if !refused {
                return Answer::Serves { status };
            }
            Answer::Unwell { status, retry_after: headers.wait(SystemTime::now()) }
        }
        Err(error) => refusal(&error),
    });
    asked.unwrap_or_else(|e| Answer::Unusable { why: e.to_string() })
}

/// The body of one plain `GET` of `url`, of at most 256 MiB, for looking at what a registry serves now.
///
/// # Errors
/// What the remote said instead.
pub async fn fetch(url: &str, limit: Duration) -> Result<Vec<u8>, Answer> {
    let url = url.to_owned();
    let fetched = tokio::task::spawn_blocking(move || {
        let mut response = agent(limit).get(&url).call().map_err(|e| refusal(&e))?;
        let status = response.status().as_u16();
        if status != 200 {
            return Err(if status == 429 || status >= 500 {
                Answer::Unwell { status, retry_after: None }
            } else {
                Answer::Serves { status }
            });
        }
        response.body_mut().with_config().limit(LARGEST).read_to_vec().map_err(|e| refusal(&e))
    });
    fetched.await.unwrap_or_else(|e| Err(Answer::Unusable { why: e.to_string() }))
}

fn headers(all: &HeaderMap) -> Headers<'_> {
    let of = |name: &str| all.get(name).and_then(|value| value.to_str().ok());
    Headers {
        retry_after: of("retry-after"),
        rate_limit: of("ratelimit"),
        rate_limit_reset: of("ratelimit-reset"),
        x_remaining: of("x-ratelimit-remaining"),
        x_reset: of("x-ratelimit-reset"),
        date: of("date"),
    }
}

fn refusal(error: &ureq::Error) -> Answer {
    let why = error.to_string();
    let stage = match error {
        ureq::Error::BadUri(_) | ureq::Error::Tls(_) | ureq::Error::Rustls(_) => {
            return Answer::Unusable { why };
        }
        // A handshake's failure is wrapped: a certificate that is not trusted is no matter of waiting.
        ureq::Error::Io(e) if why.contains("certificate") && e.kind() == io::ErrorKind::InvalidData => {
            return Answer::Unusable { why };
        }
        ureq::Error::HostNotFound | ureq::Error::Timeout(Timeout::Resolve) => Stage::Name,
        // As the standard library words what the system's resolver says.
        ureq::Error::Io(_) if why.contains("failed to lookup address") => Stage::Name,
        ureq::Error::ConnectionFailed | ureq::Error::Timeout(Timeout::Connect) => Stage::Connection,
        ureq::Error::Io(e) if refuses(e.kind()) => Stage::Connection,
        _ => Stage::Answer,
    };
    Answer::Silent { stage, why }
}

fn refuses(kind: io::ErrorKind) -> bool {
    use io::ErrorKind as K;
    matches!(kind, K::ConnectionRefused | K::HostUnreachable | K::NetworkUnreachable | K::AddrNotAvailable)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use std::{
        io::{Read, Write},
        net::TcpListener,
    };

    use super::*;

    /// A server that gives one answer, once.
    fn answers(answer: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _asked = stream.read(&mut [0; 2048]);
            let _told = stream.write_all(answer.as_bytes());
        });
        url
    }

    async fn asked(answer: &'static str) -> Answer {
        ask(&answers(answer), Duration::from_secs(5)).await
    }

    #[tokio::test]
    async fn a_limit_is_told_from_a_refusal() {
        let unwell = |status, seconds: u64| Answer::Unwell {
            status,
            retry_after: (seconds > 0).then(|| Duration::from_secs(seconds)),
        };
        let limited = "HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(asked(limited).await, unwell(429, 7));
        let limited = "HTTP/1.1 403 Forbidden\r\nX-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 9\r\n\
                       Content-Length: 0\r\n\r\n";
        assert_eq!(asked(limited).await, unwell(403, 9));
        let refused = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(asked(refused).await, Answer::Serves { status: 403 });
        assert_eq!(asked("HTTP/1.1 503 Down\r\nContent-Length: 0\r\n\r\n").await, unwell(503, 0));
    }

    #[tokio::test]
    async fn the_time_that_a_remote_tells_is_that_of_its_answer() {
        let told = |answer| async move { date(&answers(answer), Duration::from_secs(5)).await };
        let at = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        let dated =
            "HTTP/1.1 404 Not Found\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(told(dated).await, at(784_111_777));
        // As it was when a cache in between took it up.
        let aged =
            "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nAge: 60\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(told(aged).await, at(784_111_837));
        let moved = "HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:9/\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
                     Content-Length: 0\r\n\r\n";
        assert_eq!(told(moved).await, at(784_111_777));
        assert_eq!(told("HTTP/1.1 200 OK\r\nDate: today\r\nContent-Length: 0\r\n\r\n").await, None);
        assert_eq!(date("http://127.0.0.1:9/", Duration::from_secs(5)).await, None);
    }

    #[tokio::test]
    async fn who_sends_one_elsewhere_has_answered() {
        let moved = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n";
        let limit = Duration::from_secs(5);
        assert_eq!(ask_only(&answers(moved), limit).await, Answer::Serves { status: 302 });
        assert!(matches!(ask(&answers(moved), limit).await, Answer::Silent { .. }));
    }

    #[test]
    fn without_encryption_only_the_host_is_asked() {
        let of = |url| unencrypted(url);
        assert_eq!(of("https://registry.example/-/ping?x#y").as_deref(), Some("http://registry.example/"));
        assert_eq!(of("https://user:pass@localhost:8443/a").as_deref(), Some("http://localhost:8443/"));
        assert_eq!(of("http://registry.example/"), None);
    }

    #[tokio::test]
    async fn it_is_known_how_far_a_question_came() {
        let stage = |answer| match answer {
            Answer::Silent { stage, .. } => stage,
            other => panic!("{other:?}"),
        };
        let limit = Duration::from_millis(300);
        assert_eq!(stage(ask("http://127.0.0.1:9/", limit).await), Stage::Connection);
        assert_eq!(stage(ask("http://registry.invalid/", Duration::from_secs(5)).await), Stage::Name);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        assert_eq!(stage(ask(&url, limit).await), Stage::Answer);
    }
}
