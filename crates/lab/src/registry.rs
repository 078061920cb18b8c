//! The registries behind the fault proxy: honest, fast and without state.
//!
//! Every path exists twice: as it is, and below `/tampered`, where the artefact *and* its metadata are an
//! attacker's. The proxy decides which of the two a client gets, so it can tamper with the file alone (the
//! metadata stays honest) or with both. Links name the host that the client asked for: the proxy.

mod cargo;
mod goproxy;
mod npm;
mod packagist;
mod pip;
mod rubygems;

pub(crate) use packagist::dist as composer_dist;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::routing::get;

use crate::packages::Edition;

/// The folder below which everything is tampered with.
pub(crate) const TAMPERED: &str = "/tampered";

/// All registries, honest and tampered.
pub(crate) fn router() -> Router {
    edition(Edition::Honest).nest(TAMPERED, edition(Edition::Tampered))
}

fn edition(edition: Edition) -> Router {
    Router::new()
        .route("/", get(alive))
        .merge(npm::router(edition))
        .merge(cargo::router(edition))
        .merge(pip::router(edition))
        .merge(packagist::router(edition))
        .merge(goproxy::router(edition))
        .merge(rubygems::router(edition))
}

/// What a health probe gets.
async fn alive() -> Response<Body> {
    answer("text/plain", "no-store", "the lab's registries are up\n")
}

fn answer(content_type: &'static str, cache_control: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static(cache_control));
    response
}

fn not_found() -> Response<Body> {
    let mut response = answer("text/plain", "no-store", "the lab has no such package\n");
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

/// The address that the client believes it talks to.
fn asked_host(headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    format!("http://{host}")
}

fn accepts(headers: &HeaderMap, content_type: &str) -> bool {
    headers.get_all(header::ACCEPT).iter().any(|accept| {
        accept.to_str().is_ok_and(|accept| accept.split([',', ';']).any(|part| part.trim() == content_type))
    })
}

/// Artefacts never change under their name.
const IMMUTABLE: &str = "public, immutable, max-age=31536000";
/// Metadata may.
const SHORT: &str = "public, max-age=300";
