//! One call: what goes wrong with it, who asks, what is answered.

use std::{
    sync::{MutexGuard, PoisonError},
    time::SystemTime,
};

use axum::{
    body::{Body, Bytes},
    extract,
    http::{HeaderMap, Method, Response, StatusCode, Uri, header},
};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use super::{
    State, World, actions,
    fault::What,
    git,
    sample::{sample, time},
    social,
};

/// Largest body that is taken.
pub(super) const LARGEST: usize = 64 << 20;

/// An answer in the making.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Reply {
    pub(super) fn json(status: u16, body: Value) -> Reply {
        let json = ("content-type", "application/json; charset=utf-8".to_owned());
        Reply { status, body: body.to_string().into_bytes(), headers: vec![json] }
    }

    pub(super) fn empty(status: u16) -> Reply {
        Reply { status, body: Vec::new(), headers: Vec::new() }
    }

    pub(super) fn says(status: u16, message: &str) -> Reply {
        let documentation = "https://docs.github.com/rest";
        Reply::json(
            status,
            json!({ "message": message, "documentation_url": documentation, "status": status.to_string() }),
        )
    }

    pub(super) fn not_found() -> Reply {
        Reply::says(404, "Not Found")
    }
}

/// A call, taken apart.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) method: Method,
    /// Parts of the path, decoded.
    pub(super) parts: Vec<String>,
    query: Vec<(String, String)>,
    pub(super) body: Value,
}

impl Asked {
    pub(super) fn of(method: &Method, uri: &Uri, body: &[u8]) -> Asked {
        let parts = uri.path().split('/').filter(|part| !part.is_empty()).map(decoded).collect();
        let query = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(key), decoded(value))
        });
        Asked {
            method: method.clone(),
            parts,
            query: query.collect(),
            body: serde_json::from_slice(body).unwrap_or_default(),
        }
    }

    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn text(&self, name: &str) -> String {
        self.body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// One page of a listing, with the link to the next one.
    pub(super) fn page(
        &self,
        world: &World,
        items: Vec<Value>,
        wrap: impl Fn(u64, Vec<Value>) -> Value,
    ) -> Reply {
        self.page_at(&world.shown_as, items, wrap)
    }

    /// As [`Asked::page`], with links to that address.
    pub(super) fn page_at(
        &self,
        shown_as: &str,
        items: Vec<Value>,
        wrap: impl Fn(u64, Vec<Value>) -> Value,
    ) -> Reply {
        let number = |name, default: usize| self.query(name).and_then(|n| n.parse().ok()).unwrap_or(default);
        let (size, page) = (number("per_page", 30).clamp(1, 100), number("page", 1).max(1));
        let total = items.len();
        let listed: Vec<Value> = items.into_iter().skip((page - 1) * size).take(size).collect();
        let mut reply = Reply::json(200, wrap(total as u64, listed));
        if page * size < total {
            let mut query: Vec<String> = Vec::new();
            for (key, value) in self.query.iter().filter(|(key, _)| key != "page") {
                query.push(format!("{key}={}", encoded(value)));
            }
            query.push(format!("page={}", page + 1));
            let path: Vec<String> = self.parts.iter().map(|part| encoded(part)).collect();
            let link = format!("<{shown_as}/{}?{}>; rel=\"next\"", path.join("/"), query.join("&"));
            reply.headers.push(("link", link));
        }
        reply
    }
}

pub(super) async fn answer(
    extract::State(state): extract::State<State>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response<Body> {
    let bytes = axum::body::to_bytes(body, LARGEST).await.unwrap_or_default();
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    // What is not below it is nothing that this API knows; the logs are no part of it.
    let path = match path.strip_prefix(state.below) {
        Some(path) => path.to_owned(),
        None if path.starts_with("/_logs") => path.to_owned(),
        None => format!("/outside{path}"),
    };
    let uri: Uri = path.parse().unwrap_or_default();
    let (reply, trouble) = {
        let mut world = state.world.lock().unwrap_or_else(PoisonError::into_inner);
        let trouble = world.troubles.iter_mut().find(|trouble| trouble.fits(method.as_str(), &path));
        let trouble = trouble.map(|trouble| {
            trouble.times -= 1;
            trouble.what.clone()
        });
        let reply = reply(&mut world, &state.own, &method, &uri, &headers, &bytes, trouble.as_ref());
        world.calls.push(super::Call {
            method: method.to_string(),
            path,
            body: String::from_utf8_lossy(&bytes).into_owned(),
            authorized: headers.contains_key(header::AUTHORIZATION),
            status: if trouble == Some(What::Hang) { 0 } else { reply.status },
        });
        (reply, trouble)
    };
    if trouble == Some(What::Hang) {
        std::future::pending::<()>().await;
    }
    let cut = matches!(trouble, Some(What::Cut | What::DoneButCut));
    finished(reply, cut)
}

pub(super) fn finished(reply: Reply, cut: bool) -> Response<Body> {
    let length = reply.body.len();
    let body = if cut { Body::new(Broken(Some(Bytes::from(reply.body)))) } else { Body::from(reply.body) };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::IM_A_TEAPOT);
    for (name, value) in reply.headers {
        if let Ok(value) = value.parse() {
            response.headers_mut().append(name, value);
        }
    }
    if cut {
        response.headers_mut().insert(header::CONTENT_LENGTH, (length + 1).into());
    }
    response
}

/// A body that ends too early.
struct Broken(Option<Bytes>);

impl axum::body::HttpBody for Broken {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, std::io::Error>>> {
        std::task::Poll::Ready(Some(match self.0.take() {
            Some(bytes) => Ok(http_body::Frame::data(bytes.slice(..bytes.len() / 2))),
            None => Err(std::io::Error::other("the line was cut")),
        }))
    }
}

fn reply(
    world: &mut MutexGuard<'_, World>,
    own: &str,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
    trouble: Option<&What>,
) -> Reply {
    match trouble {
        Some(What::Status(status)) => return Reply::says(*status, "Server Error"),
        Some(What::Cut | What::Hang) => return Reply::says(200, "this is cut off"),
        Some(What::Garbage) => {
            return Reply { body: b"<html>502 Bad Gateway".to_vec(), ..Reply::json(200, Value::Null) };
        }
        Some(What::Body(bytes)) => return Reply { body: bytes.clone(), ..Reply::empty(200) },
        Some(What::Redirect(to)) => {
            return Reply { headers: vec![("location", to.clone())], ..Reply::empty(302) };
        }
        Some(What::SlowDown(seconds)) => {
            let message =
                "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
            let mut reply = Reply::says(403, message);
            reply.headers.extend(seconds.map(|seconds| ("retry-after", seconds.to_string())));
            return reply;
        }
        Some(What::UsedUp) => world.quota.remaining = 0,
        _ => {}
    }
    let asked = Asked::of(method, uri, body);
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if asked.parts.first().is_some_and(|part| part == "_logs") {
        return match authorization {
            Some(_) => Reply::says(400, "a credential was sent to where logs lie"),
            None => actions::stored(world, &asked),
        };
    }
    let mut reply = if world.quota.remaining == 0 {
        Reply::says(403, "API rate limit exceeded for user ID 1.")
    } else if let Some(refused) = refused(world, &asked, authorization) {
        refused
    } else {
        routed(world, own, &asked)
    };
    if let Some(What::DoneBut(status)) = trouble {
        reply = Reply::says(*status, "Server Error");
    }
    tagged(world, &asked, headers, &mut reply);
    reply
}

/// The tag of what is read, `304` where it is what the client has, and the limit, which that does not count against.
fn tagged(world: &mut World, asked: &Asked, headers: &HeaderMap, reply: &mut Reply) {
    let mut counts = true;
    if world.tags && asked.method == Method::GET && reply.status == 200 {
        let hash = Sha1::digest(&reply.body);
        let tag = format!("W/\"{}\"", hash.iter().map(|b| format!("{b:02x}")).collect::<String>());
        if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
            (reply.status, counts) = (304, false);
            reply.body.clear();
            reply.headers.retain(|(name, _)| *name != "content-type");
        }
        reply.headers.push(("etag", tag));
    }
    if counts {
        world.quota.remaining = world.quota.remaining.saturating_sub(1);
    }
    let quota = world.quota;
    reply.headers.extend([
        ("x-ratelimit-limit", quota.limit.to_string()),
        ("x-ratelimit-remaining", quota.remaining.to_string()),
        ("x-ratelimit-reset", quota.reset.to_string()),
        ("x-ratelimit-resource", "core".to_owned()),
    ]);
}

fn refused(world: &World, asked: &Asked, authorization: Option<&str>) -> Option<Reply> {
    let token = authorization.and_then(|text| text.strip_prefix("Bearer "));
    let bad = || Some(Reply::says(401, "Bad credentials"));
    let app = asked.parts.first().is_some_and(|part| part == "app")
        || asked.parts.last().is_some_and(|part| part == "installation");
    if app {
        // `eyJ` is how the JSON of a JWT's header begins.
        let signed = token.is_some_and(|token| token.starts_with("eyJ") && token.split('.').count() == 3);
        return if signed { None } else { bad() };
    }
    if world.app_only {
        let live = |(known, until): &(String, SystemTime)| {
            token == Some(known.as_str()) && SystemTime::now() < *until
        };
        return if world.installation_tokens.iter().any(live) { None } else { bad() };
    }
    match &world.token {
        Some(known) if token != Some(known.as_str()) => bad(),
        _ => None,
    }
}

fn routed(world: &mut World, own: &str, asked: &Asked) -> Reply {
    let parts: Vec<&str> = asked.parts.iter().map(String::as_str).collect();
    let method = asked.method.as_str();
    match (method, parts.as_slice()) {
        ("GET", ["user"]) => {
            let login = world.login.clone();
            Reply::json(200, sample("user", json!({ "login": login })))
        }
        ("GET", ["app"]) => Reply::json(200, sample("app", json!({ "slug": "regreen", "name": "Regreen" }))),
        ("POST", ["app", "installations", _, "access_tokens"]) => {
            let token = format!("ghs_standin{}", world.installation_tokens.len());
            let until = SystemTime::now() + world.token_life;
            world.installation_tokens.push((token.clone(), until));
            Reply::json(201, json!({ "token": token, "expires_at": time(until) }))
        }
        (_, ["repos", owner, name, rest @ ..]) => {
            let name = format!("{owner}/{name}");
            if !world.repositories.contains_key(&name) {
                return Reply::not_found();
            }
            match rest {
                [] => {
                    let found = &world.repositories[&name];
                    let facts =
                        json!({ "id": found.id, "full_name": name, "default_branch": found.default_branch });
                    Reply::json(200, sample("repository", facts))
                }
                ["installation"] => Reply::json(200, sample("installation", json!({ "id": 1 }))),
                ["actions", rest @ ..] => actions::answer(world, own, &name, asked, rest),
                ["git" | "contents" | "compare" | "pulls", ..] => git::answer(world, &name, asked, rest),
                _ => social::answer(world, &name, asked, rest),
            }
        }
        _ => Reply::not_found(),
    }
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut i) = (Vec::new(), 0);
    while let Some(byte) = bytes.get(i) {
        let hex = text.get(i + 1..i + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (byte, hex) {
            (b'%', Some(value)) => {
                out.push(value);
                i += 3;
            }
            (byte, _) => {
                out.push(*byte);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(b).to_string(),
            _ => format!("%{b:02X}"),
        })
        .collect()
}
