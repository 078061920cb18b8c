//! How object stores are asked: by the HTTP client and the TLS that everything here uses, not by a second one.

use std::{io::Read as _, pin::Pin, time::Duration};

use async_trait::async_trait;
use http_body::Body as _;
use object_store::{
    ClientConfigKey, ClientOptions,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse,
        HttpService,
    },
};
use ureq::{
    Agent, Error, Proxy, Timeout,
    config::AutoHeaderValue,
    http::{Method, Request, Response},
    tls::{RootCerts, TlsConfig},
};

/// Longest that one request may take.
const LONGEST: Duration = Duration::from_secs(20);
/// Most bytes of an answer: a log, packed, or a page of a listing.
const MOST: u64 = 16 << 20;

/// Makes clients. What would weaken TLS is not heeded, whatever a store's variables say.
#[derive(Debug)]
pub(super) struct ByUreq;

#[derive(Debug)]
struct Client {
    agent: Agent,
    /// Whether it may go in the clear: to a stand-in, or to where a machine gets its credentials.
    in_the_clear: bool,
}

impl HttpConnector for ByUreq {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let mut config = Agent::config_builder()
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_global(Some(LONGEST))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            // Nothing that a signature would not cover, and bytes as they are stored.
            .accept_encoding(AutoHeaderValue::None)
            .user_agent(concat!("regreen/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls);
        if let Some(url) = options.get_config_value(&ClientConfigKey::ProxyUrl) {
            let wrong = |e: Error| object_store::Error::Generic { store: "proxy", source: Box::new(e) };
            config = config.proxy(Some(Proxy::new(&url).map_err(wrong)?));
        }
        let allowed = options.get_config_value(&ClientConfigKey::AllowHttp);
        let in_the_clear = allowed.as_deref() == Some("true");
        Ok(HttpClient::new(Client { agent: config.build().into(), in_the_clear }))
    }
}

#[async_trait]
impl HttpService for Client {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        if parts.uri.scheme_str() != Some("https") && !self.in_the_clear {
            let why = std::io::Error::other("it would go in the clear, which nobody has allowed");
            return Err(HttpError::new(HttpErrorKind::Unknown, why));
        }
        let request = Request::from_parts(parts, all(body).await?);
        let agent = self.agent.clone();
        let answered = tokio::task::spawn_blocking(move || exchange(&agent, request)).await;
        answered.unwrap_or_else(|e| Err(HttpError::new(HttpErrorKind::Unknown, e)))
    }
}

async fn all(mut body: HttpRequestBody) -> Result<Vec<u8>, HttpError> {
    let mut bytes = Vec::with_capacity(body.content_length());
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        if let Ok(data) = frame?.into_data() {
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes)
}

fn exchange(agent: &Agent, request: Request<Vec<u8>>) -> Result<HttpResponse, HttpError> {
    let bare = matches!(*request.method(), Method::GET | Method::HEAD | Method::DELETE);
    let answered = match bare {
        true => agent.run(request.map(drop)),
        false => agent.run(request),
    };
    let (parts, mut body) = answered.map_err(broken)?.into_parts();
    let mut bytes = Vec::new();
    let cut = |e| HttpError::new(HttpErrorKind::Interrupted, e);
    body.as_reader().take(MOST + 1).read_to_end(&mut bytes).map_err(cut)?;
    if bytes.len() as u64 > MOST {
        let why = std::io::Error::other("the answer is larger than any log");
        return Err(HttpError::new(HttpErrorKind::Decode, why));
    }
    Ok(Response::from_parts(parts, bytes.into()))
}

fn broken(error: Error) -> HttpError {
    let kind = match &error {
        Error::Timeout(Timeout::Connect | Timeout::Resolve)
        | Error::HostNotFound
        | Error::ConnectionFailed => HttpErrorKind::Connect,
        Error::Timeout(_) => HttpErrorKind::Timeout,
        Error::Io(e) if e.kind() == std::io::ErrorKind::ConnectionRefused => HttpErrorKind::Connect,
        Error::Io(_) => HttpErrorKind::Interrupted,
        _ => HttpErrorKind::Unknown,
    };
    HttpError::new(kind, error)
}
