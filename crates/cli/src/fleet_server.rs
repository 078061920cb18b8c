//! `run --server`: the fleet's server as a job sees it. Whatever it does, the job goes on by its own rules.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use regreen_engine::{COUNSEL_VERSION, Counsel, Counsellor, Event, Question, Voice};
use regreen_ledger::Incident;
use regreen_saga::BoxFuture;
use regreen_show::harmless::{harmless, short};
use tokio::{task::spawn_blocking, time::timeout};
use ureq::{
    Agent,
    http::Uri,
    tls::{RootCerts, TlsConfig},
};

use crate::{
    args::RunArgs,
    context::Context,
    credentials::secret_file,
    exit::{Failed, INVALID},
};

/// Longest that a job waits for the fleet's word: after that its own rules hold.
const ASKING: Duration = Duration::from_millis(500);
/// Longest that telling of an end may take.
const TELLING: Duration = Duration::from_secs(2);
/// Longest answer that is read, in bytes.
const LONGEST: u64 = 64 << 10;

/// The server.
pub struct FleetServer {
    agent: Agent,
    base: String,
    token: String,
    voice: Arc<dyn Voice>,
    /// It did not answer; it is not asked again by this process.
    is_silent: AtomicBool,
}

/// What came of a request.
enum Came {
    /// This status and body.
    Answer(u16, Vec<u8>),
    /// Nothing, for this reason.
    Nothing(String),
}

impl FleetServer {
    /// The server that was named, if one was.
    ///
    /// # Errors
    /// An address to which no token may be sent, or a file that can't be read.
    pub fn named(
        context: &Context,
        args: &RunArgs,
        voice: Arc<dyn Voice>,
    ) -> Result<Option<Arc<dyn Counsellor>>, Failed> {
        let Some(address) = args.server.as_deref().filter(|address| !address.is_empty()) else {
            return Ok(None);
        };
        let base = base(address).map_err(|why| Failed::new(INVALID, format!("--server: {why}")))?;
        let token = match &args.server_token_file {
            Some(path) => secret_file(context, path)?,
            None => context.secret("REGREEN_SERVER_TOKEN").unwrap_or_default(),
        };
        let (agent, token) = (agent(&base), token.trim().to_owned());
        Ok(Some(Arc::new(FleetServer { agent, base, token, voice, is_silent: AtomicBool::new(false) })))
    }

    async fn post(&self, path: &str, body: Vec<u8>, limit: Duration) -> Came {
        let (agent, url, token) = (self.agent.clone(), format!("{}{path}", self.base), self.token.clone());
        let exchange = move || {
            let request = agent.post(&url).config().timeout_global(Some(limit)).build();
            let request = request.header("content-type", "application/json");
            let request = match token.is_empty() {
                true => request,
                false => request.header("authorization", format!("Bearer {token}")),
            };
            let mut response = request.send(&body[..])?;
            let body = response.body_mut().with_config().limit(LONGEST).read_to_vec()?;
            Ok::<_, ureq::Error>((response.status().as_u16(), body))
        };
        // A resolver can't be stopped; it is not waited for.
        match timeout(limit, spawn_blocking(exchange)).await {
            Ok(Ok(Ok((status, body)))) => Came::Answer(status, body),
            Ok(Ok(Err(e))) => Came::Nothing(e.to_string()),
            Ok(Err(_)) => Came::Nothing("the client stopped".to_owned()),
            Err(_) => Came::Nothing(format!("it did not answer within {} ms", limit.as_millis())),
        }
    }

    fn warn(&self, what: &str, why: &str) {
        let why = short(&harmless(why), 200);
        self.voice.tell(Event::Warning(&format!("{what} {}: {why}", self.base)));
    }
}

impl Counsellor for FleetServer {
    fn ask<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Option<Counsel>> {
        Box::pin(async move {
            if self.is_silent.load(Ordering::Relaxed) {
                return None;
            }
            let body = serde_json::to_vec(question).ok()?;
            let why = match self.post("/api/v1/jobs/ask", body, ASKING).await {
                Came::Answer(200, body) => match serde_json::from_slice::<Counsel>(&body) {
                    Ok(counsel) if counsel.version == COUNSEL_VERSION => return Some(counsel),
                    Ok(counsel) => format!("it speaks version {}", counsel.version),
                    Err(e) => format!("its answer is not understood: {e}"),
                },
                Came::Answer(status, body) => refusal(status, &body),
                Came::Nothing(why) => why,
            };
            self.is_silent.store(true, Ordering::Relaxed);
            self.warn("this job's own rules hold; no word of the fleet came from", &why);
            None
        })
    }

    fn tell<'a>(&'a self, incident: &'a Incident, diff: Option<&'a str>) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let Ok(record) = incident.to_report() else { return };
            let limit = if self.is_silent.load(Ordering::Relaxed) { ASKING } else { TELLING };
            let whole = diff.and_then(|diff| with_diff(&record, diff));
            let body = whole.clone().unwrap_or_else(|| record.clone());
            let mut came = self.post("/api/v1/jobs/report", body.into_bytes(), limit).await;
            // A server of before knows of no diff, and one, or what stands before it, may find it too large.
            if whole.is_some() && matches!(came, Came::Answer(400 | 413, _)) {
                came = self.post("/api/v1/jobs/report", record.into_bytes(), limit).await;
            }
            let why = match came {
                Came::Answer(200 | 201, _) => return,
                Came::Answer(status, body) => refusal(status, &body),
                Came::Nothing(why) => why,
            };
            self.warn("the incident could not be told to", &why);
        })
    }
}

/// A client for this address, which follows nothing.
fn agent(base: &str) -> Agent {
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    let mut config = Agent::config_builder();
    if base.starts_with("http://") {
        // To this machine, in the clear: through no proxy, which would read the token.
        config = config.proxy(None);
    }
    config
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .user_agent(concat!("regreen/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls)
        .build()
        .into()
}

/// The record with what was changed in tracked files.
fn with_diff(record: &str, diff: &str) -> Option<String> {
    let mut told: serde_json::Map<String, serde_json::Value> = serde_json::from_str(record).ok()?;
    told.insert("diff".to_owned(), diff.into());
    serde_json::to_string(&told).ok()
}

/// What a server that refuses says.
fn refusal(status: u16, body: &[u8]) -> String {
    let problem: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let detail = problem.as_ref().and_then(|problem| problem.get("detail")?.as_str());
    match detail {
        Some(detail) => format!("it answers {status}: {detail}"),
        None => format!("it answers {status}"),
    }
}

/// The address without what follows its path; only where a token may be sent to it.
fn base(address: &str) -> Result<String, String> {
    let uri: Uri = address.parse().map_err(|_| format!("{address} is no address"))?;
    let (scheme, authority) = (uri.scheme_str().unwrap_or_default(), uri.authority());
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let is_here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if authority.is_none_or(|authority| authority.as_str().contains('@')) || uri.query().is_some() {
        return Err("it is an address such as https://regreen.example, without a user name".to_owned());
    }
    match scheme {
        "https" => {}
        "http" if is_here => {}
        _ => {
            return Err(
                "only https, and http to this very machine, so that nobody reads the token".to_owned()
            );
        }
    }
    Ok(address.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::TcpListener,
        sync::Mutex,
        thread,
        time::Instant,
    };

    use super::*;

    #[derive(Default)]
    struct Said(Mutex<Vec<String>>);

    impl Voice for Said {
        fn tell(&self, event: Event<'_>) {
            if let Event::Warning(text) = event {
                self.0.lock().unwrap().push(text.to_owned());
            }
        }
    }

    /// Takes a request, and then sends a byte now and then, or none.
    fn slow(drips: bool) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _request = stream.read(&mut [0; 1024]);
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 9000\r\n\r\n";
            let (begun, mut next) = (Instant::now(), answer.iter().chain(std::iter::repeat(&b' ')));
            while begun.elapsed() < 20 * ASKING {
                thread::sleep(ASKING / 50);
                if drips && stream.write_all(&[*next.next().unwrap()]).is_err() {
                    return;
                }
            }
        });
        port
    }

    #[tokio::test]
    async fn a_server_that_is_silent_or_drips_holds_a_job_up_for_half_a_second_once() {
        let question = Question {
            version: COUNSEL_VERSION,
            repository: "octo/shop".to_owned(),
            commit: None,
            job: None,
            class: "network-timeout".to_owned(),
            tool: None,
            host: None,
        };
        for drips in [false, true] {
            let said = Arc::new(Said::default());
            let base = format!("http://127.0.0.1:{}", slow(drips));
            let server = FleetServer {
                agent: agent(&base),
                base,
                token: "t".to_owned(),
                voice: said.clone(),
                is_silent: AtomicBool::new(false),
            };
            let begun = Instant::now();
            assert!(server.ask(&question).await.is_none());
            // The bound, and room for a machine that is busy; without the bound it would be twenty times as much.
            assert!((ASKING..8 * ASKING).contains(&begun.elapsed()), "{:?}, drips: {drips}", begun.elapsed());
            let asked_again = Instant::now();
            assert!(server.ask(&question).await.is_none());
            assert!(asked_again.elapsed() < ASKING, "it is not asked again");
            assert_eq!(said.0.lock().unwrap().len(), 1);
        }
    }

    #[test]
    fn a_token_goes_nowhere_where_it_can_be_read() {
        for good in
            ["https://regreen.example", "http://127.0.0.1:8787/", "http://[::1]:1", "http://localhost:80/x"]
        {
            assert!(base(good).is_ok(), "{good}");
        }
        for bad in [
            "http://regreen.example",
            "https://a:b@regreen.example",
            "regreen.example",
            "ftp://x",
            "",
            "https://x/?q=1",
        ] {
            assert!(base(bad).is_err(), "{bad}");
        }
        assert_eq!(base("http://127.0.0.1:8787/").unwrap(), "http://127.0.0.1:8787");
    }
}
