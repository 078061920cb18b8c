//! The gem server: the compact index (`versions`, `info/<gem>`) and the gems.
//!
//! Source: the compact index's description in rubygems.org's wiki, and bundler 2.3.15, `compact_index_client`.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::routing::get;
use md5::{Digest, Md5};

use super::{IMMUTABLE, SHORT, answer, not_found};
use crate::packages::digest::sha256_hex;
use crate::packages::{Edition, PackageManager, RELEASES, Release, artefact, gem_name};

pub(super) fn router(edition: Edition) -> Router {
    Router::new()
        .route("/bundler/", get(super::alive))
        .route("/bundler/versions", get(versions))
        .route("/bundler/info/{name}", get(info))
        .route("/bundler/gems/{file}", get(gem))
        .with_state(edition)
}

/// One line a gem, with the MD5 of its page, by which Bundler knows that its copy of the page is old.
async fn versions(State(edition): State<Edition>, headers: HeaderMap) -> Response<Body> {
    let mut text = "created_at: 1985-10-26T08:15:00Z\n---\n".to_owned();
    let mut names: Vec<&str> = RELEASES.iter().map(|release| release.name).collect();
    names.dedup();
    for name in names {
        let versions: Vec<&str> = Release::all_of(name).map(|release| release.version).collect();
        text.push_str(&format!("{name} {} {}\n", versions.join(","), md5(&page(name, edition))));
    }
    index(&headers, text)
}

async fn info(
    State(edition): State<Edition>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    match Release::latest(&name) {
        Some(_) => index(&headers, page(&name, edition)),
        None => not_found(),
    }
}

/// A part of the index. Its `ETag` is its MD5, with which Bundler compares what it got.
fn index(asked: &HeaderMap, text: String) -> Response<Body> {
    let etag = format!("\"{}\"", md5(&text));
    let known = asked.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes());
    let mut response = answer("text/plain; charset=utf-8", SHORT, if known { String::new() } else { text });
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    if let Ok(etag) = HeaderValue::try_from(etag) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

fn page(name: &str, edition: Edition) -> String {
    let lines: String = Release::all_of(name)
        .map(|release| {
            let needs: Vec<String> = release.needs.iter().map(|needed| format!("{needed}:~> 1.0")).collect();
            let checksum = sha256_hex(&artefact(PackageManager::Bundler, release, edition));
            format!("{} {}|checksum:{checksum}\n", release.version, needs.join(","))
        })
        .collect();
    format!("---\n{lines}")
}

fn md5(text: &str) -> String {
    Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn gem(State(edition): State<Edition>, Path(file): Path<String>) -> Response<Body> {
    match RELEASES.iter().find(|release| gem_name(**release) == file) {
        Some(release) => answer(
            "application/octet-stream",
            IMMUTABLE,
            artefact(PackageManager::Bundler, *release, edition),
        ),
        None => not_found(),
    }
}
