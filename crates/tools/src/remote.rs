//! Looking at a remote: does it answer? Never with credentials, never following a log's word.

use std::time::Duration;

use ureq::{
    Agent,
    tls::{RootCerts, TlsConfig},
};

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
        /// HTTP status: 429 or 5xx.
        status: u16,
        /// `Retry-After`, where it was given in seconds.
        retry_after: Option<Duration>,
    },
    /// No answer: refused, reset, timed out, not resolved.
    Silent {
        /// What the client saw.
        why: String,
    },
    /// This is not about the remote's health: its certificate is not trusted, the address is no address.
    Unusable {
        /// What the client saw.
        why: String,
    },
}

impl Answer {
    /// Whether it can serve now.
    pub fn serves(&self) -> bool {
        matches!(self, Answer::Serves { .. })
    }
}

/// Largest body that [`fetch`] takes, in bytes.
const LARGEST: u64 = 256 * 1024 * 1024;

fn agent(limit: Duration) -> Agent {
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    Agent::new_with_config(
        Agent::config_builder()
            .timeout_global(Some(limit))
            .max_redirects(3)
            .http_status_as_error(false)
            .user_agent(concat!("regreen/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .build(),
    )
}

/// One plain `GET` of `url`, answered within `limit`.
pub async fn ask(url: &str, limit: Duration) -> Answer {
    let url = url.to_owned();
    let asked = tokio::task::spawn_blocking(move || match agent(limit).get(&url).call() {
        Ok(response) => {
            let status = response.status().as_u16();
            if status != 429 && status < 500 {
                return Answer::Serves { status };
            }
            let retry_after = response
                .headers()
                .get("retry-after")
                .and_then(|v| v.to_str().ok())
                .and_then(|v| v.trim().parse().ok())
                .map(Duration::from_secs);
            Answer::Unwell { status, retry_after }
        }
        Err(error) => refusal(&error),
    });
    asked.await.unwrap_or_else(|e| Answer::Unusable { why: e.to_string() })
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

fn refusal(error: &ureq::Error) -> Answer {
    let why = error.to_string();
    match error {
        ureq::Error::BadUri(_) | ureq::Error::Tls(_) | ureq::Error::Rustls(_) => Answer::Unusable { why },
        _ => Answer::Silent { why },
    }
}
