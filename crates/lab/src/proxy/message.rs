//! As much of HTTP/1.1 as the proxy needs: one request in, one whole answer from the registry, one answer out.

use std::io;
use std::net::SocketAddr;

use axum::http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A request, read whole.
pub(super) struct Incoming {
    pub(super) method: String,
    /// With query.
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// An answer, read whole from the registry or made up.
pub(super) struct Outgoing {
    /// Status line and headers, with the blank line.
    pub(super) head: Vec<u8>,
    pub(super) body: Vec<u8>,
}

/// No honest package manager of the lab sends more.
const REQUEST_LIMIT: usize = 256 * 1024;

impl Incoming {
    /// Reads one request; `None` where the client went away before it had said one.
    pub(super) async fn read(client: &mut TcpStream) -> io::Result<Option<Incoming>> {
        let mut bytes = Vec::new();
        loop {
            if let Some((request, length)) = parse(&bytes)? {
                while bytes.len() < length {
                    if client.read_buf(&mut bytes).await? == 0 {
                        return Ok(None);
                    }
                }
                let body = bytes[request.body_at..length].to_vec();
                return Ok(Some(Incoming {
                    method: request.method,
                    target: request.target,
                    headers: request.headers,
                    body,
                }));
            }
            if client.read_buf(&mut bytes).await? == 0 {
                return Ok(None);
            }
        }
    }

    /// The path without the query.
    pub(super) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The registry's answer, from below `prefix`.
    pub(super) async fn forward(&self, upstream: SocketAddr, prefix: &str) -> io::Result<Outgoing> {
        let mut message = format!("{} {prefix}{} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            if !name.eq_ignore_ascii_case("connection") {
                message.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        message.push_str("connection: close\r\n\r\n");
        let mut registry = TcpStream::connect(upstream).await?;
        registry.write_all(message.as_bytes()).await?;
        registry.write_all(&self.body).await?;
        let mut answer = Vec::new();
        registry.read_to_end(&mut answer).await?;
        // The registry's own `connection: close` stays in the head: it holds for the client too.
        let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").map_or(answer.len(), |at| at + 4);
        let body = answer.split_off(end);
        Ok(Outgoing { head: answer, body })
    }
}

impl Outgoing {
    /// An error page of the registry.
    pub(super) fn status(code: u16, retry_after: Option<u32>) -> Outgoing {
        let reason =
            StatusCode::from_u16(code).ok().and_then(|status| status.canonical_reason()).unwrap_or("Status");
        let body = format!("{reason}\n").into_bytes();
        let retry = retry_after.map(|seconds| format!("retry-after: {seconds}\r\n")).unwrap_or_default();
        let head = format!(
            "HTTP/1.1 {code} {reason}\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n{retry}connection: close\r\n\r\n",
            body.len()
        );
        Outgoing { head: head.into_bytes(), body }
    }
}

struct Head {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body_at: usize,
}

/// The head, once it is whole, and the length of the whole request.
fn parse(bytes: &[u8]) -> io::Result<Option<(Head, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    let body_at = match request.parse(bytes).map_err(|error| invalid(&error.to_string()))? {
        httparse::Status::Complete(at) => at,
        httparse::Status::Partial if bytes.len() > REQUEST_LIMIT => {
            return Err(invalid("the request is too long"));
        }
        httparse::Status::Partial => return Ok(None),
    };
    let headers: Vec<(String, String)> = request
        .headers
        .iter()
        .map(|header| (header.name.to_owned(), String::from_utf8_lossy(header.value).into_owned()))
        .collect();
    let body = match headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
        Some((_, length)) => length.trim().parse::<usize>().map_err(|_| invalid("no such length"))?,
        None => 0,
    };
    if body > REQUEST_LIMIT {
        return Err(invalid("the request is too long"));
    }
    let head = Head {
        method: request.method.unwrap_or_default().to_owned(),
        target: request.path.unwrap_or_default().to_owned(),
        headers,
        body_at,
    };
    Ok(Some((head, body_at + body)))
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::parse;

    proptest! {
        #[test]
        fn no_request_makes_the_proxy_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn a_request_is_read_to_its_own_end(path in "/[a-z/]{0,20}", body in "[a-z]{0,40}", rest in "[a-z]{0,9}") {
            let head = format!("POST {path} HTTP/1.1\r\nhost: lab\r\ncontent-length: {}\r\n\r\n", body.len());
            let whole = format!("{head}{body}{rest}");
            let (parsed, length) = parse(whole.as_bytes()).expect("valid").expect("whole");
            prop_assert_eq!(parsed.target, path);
            prop_assert_eq!(parsed.body_at, head.len());
            prop_assert_eq!(length, head.len() + body.len());
            prop_assert!(parse(&whole.as_bytes()[..head.len() - 1]).expect("valid so far").is_none());
        }
    }
}
