//! One exchange over HTTP: nothing is followed, nothing is tried again, and no more is read than was bargained for.

use std::{
    io::{self, Read},
    time::Duration,
};

use ureq::{
    Agent, Error, Timeout,
    http::{HeaderMap, Method, Request, Uri},
    tls::{RootCerts, TlsConfig},
    unversioned::{resolver::DefaultResolver, transport::DefaultConnector},
};

use super::address::{Guard, INSIDE};

/// How much of a body is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Keep {
    /// All of it; more bytes than this are an error.
    All(u64),
    /// The last bytes of it.
    End {
        /// So many.
        last: u64,
        /// More bytes than this in all are an error.
        ever: u64,
    },
}

/// What is asked.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) keep: Keep,
    /// How long it may take as a whole.
    pub(crate) limit: Duration,
}

/// What is answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// So many bytes before these were not kept.
    pub(crate) left_out: u64,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Broken {
    /// It never came as far as being sent.
    NotSent(String),
    /// It may not be asked for: its address is inside.
    Inside,
    /// It was sent, or may have been, and no whole answer came back.
    Lost(String),
    /// The answer is larger than this.
    TooLarge(u64),
}

/// The two ways out: to the host itself, and to where the host says that a log lies.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    host: Agent,
    elsewhere: Agent,
}

impl Http {
    pub(crate) fn new(base: &Uri) -> Http {
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let mut config = Agent::config_builder();
        if base.scheme_str() == Some("http") {
            // To this machine, in the clear: through no proxy, which would read the credential.
            config = config.proxy(None);
        }
        let config = config
            .timeout_resolve(Some(Duration::from_secs(10)))
            .timeout_connect(Some(Duration::from_secs(10)))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .user_agent(concat!("regreen/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .build();
        let guard = Guard { base: base.clone() };
        Http {
            host: Agent::with_parts(config.clone(), DefaultConnector::default(), DefaultResolver::default()),
            elsewhere: Agent::with_parts(config, DefaultConnector::default(), guard),
        }
    }

    /// Asks the host itself.
    pub(crate) async fn host(&self, ask: Ask) -> Result<Answer, Broken> {
        exchange(self.host.clone(), ask).await
    }

    /// Asks where the host pointed to.
    pub(crate) async fn elsewhere(&self, ask: Ask) -> Result<Answer, Broken> {
        exchange(self.elsewhere.clone(), ask).await
    }
}

async fn exchange(agent: Agent, ask: Ask) -> Result<Answer, Broken> {
    let whole = ask.limit + Duration::from_secs(5);
    let work = tokio::task::spawn_blocking(move || blocking(&agent, ask));
    match tokio::time::timeout(whole, work).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Err(Broken::Lost("the client stopped".to_owned())),
        // The resolver can't be stopped; whether anything was sent is not known.
        Err(_) => Err(Broken::Lost("no answer in time".to_owned())),
    }
}

fn blocking(agent: &Agent, ask: Ask) -> Result<Answer, Broken> {
    let Ask { method, url, headers, body, keep, limit } = ask;
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let request = request.body(body).map_err(|e| Broken::NotSent(e.to_string()))?;
    let (parts, body) = request.into_parts();
    let timed = |agent: &Agent, request: Request<Option<Vec<u8>>>| {
        let (parts, body) = request.into_parts();
        match body {
            Some(body) => {
                let request = Request::from_parts(parts, body);
                agent.run(agent.configure_request(request).timeout_global(Some(limit)).build())
            }
            None => {
                let request = Request::from_parts(parts, ());
                agent.run(agent.configure_request(request).timeout_global(Some(limit)).build())
            }
        }
    };
    let mut response = timed(agent, Request::from_parts(parts, body)).map_err(|e| broken(&e))?;
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let (body, left_out) = match keep {
        Keep::All(most) => (read_all(response.body_mut().as_reader(), most)?, 0),
        Keep::End { last, ever } => read_end(response.body_mut().as_reader(), last, ever)?,
    };
    Ok(Answer { status, headers, body, left_out })
}

fn read_all(source: impl Read, most: u64) -> Result<Vec<u8>, Broken> {
    let mut body = Vec::new();
    source.take(most.saturating_add(1)).read_to_end(&mut body).map_err(|e| cut(&e))?;
    if body.len() as u64 > most { Err(Broken::TooLarge(most)) } else { Ok(body) }
}

fn read_end(mut source: impl Read, last: u64, ever: u64) -> Result<(Vec<u8>, u64), Broken> {
    let keep = usize::try_from(last).unwrap_or(usize::MAX);
    let (mut body, mut left_out) = (Vec::new(), 0u64);
    let mut piece = vec![0; 64 * 1024];
    loop {
        let length = source.read(&mut piece).map_err(|e| cut(&e))?;
        if length == 0 {
            break;
        }
        body.extend_from_slice(piece.get(..length).unwrap_or_default());
        if left_out + body.len() as u64 > ever {
            return Err(Broken::TooLarge(ever));
        }
        // Seldom, so that a long log is not moved about again and again.
        if body.len() > keep.saturating_mul(2) {
            left_out += drop_front(&mut body, keep);
        }
    }
    left_out += drop_front(&mut body, keep);
    Ok((body, left_out))
}

fn drop_front(body: &mut Vec<u8>, keep: usize) -> u64 {
    let over = body.len().saturating_sub(keep);
    body.drain(..over);
    over as u64
}

fn cut(error: &io::Error) -> Broken {
    Broken::Lost(format!("the answer was cut off: {error}"))
}

fn broken(error: &Error) -> Broken {
    let why = error.to_string();
    match error {
        Error::Io(e) if e.kind() == io::ErrorKind::PermissionDenied && why.contains(INSIDE) => Broken::Inside,
        Error::HostNotFound
        | Error::ConnectionFailed
        | Error::BadUri(_)
        | Error::Tls(_)
        | Error::Rustls(_)
        | Error::Timeout(Timeout::Resolve | Timeout::Connect) => Broken::NotSent(why),
        Error::Io(e) if e.kind() == io::ErrorKind::ConnectionRefused => Broken::NotSent(why),
        // As the standard library words what the system's resolver says.
        Error::Io(_) if why.contains("failed to lookup address") => Broken::NotSent(why),
        _ => Broken::Lost(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_log_the_end_is_kept() {
        let log: Vec<u8> = (0..=255u8).cycle().take(1_000_000).collect();
        let (end, left_out) = read_end(&log[..], 1000, 2_000_000).unwrap();
        assert_eq!((end.len(), left_out), (1000, 999_000));
        assert_eq!(end, log[999_000..]);
        let (all, left_out) = read_end(&log[..], 1_000_000, 1_000_000).unwrap();
        assert_eq!((all.len(), left_out), (1_000_000, 0));
        assert!(matches!(read_end(&log[..], 10, 999_999), Err(Broken::TooLarge(999_999))));
        assert!(matches!(read_all(&log[..], 999_999), Err(Broken::TooLarge(999_999))));
        assert_eq!(read_all(&log[..], 1_000_000).unwrap().len(), 1_000_000);
    }
}
