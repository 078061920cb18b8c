//! The gem server: the compact index (`versions`, `info/<gem>`) and the gems.
//!
//! Source: the compact index's description in rubygems.org's wiki, and bundler 2.3.15, `compact_index_client`.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::Response;
use axum::routing::get;

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

/// One line a gem, with a digest by which Bundler knows that its copy of the gem's page is old. It compares with MD5, so
/// it fetches the lab's pages each time.
async fn versions(State(edition): State<Edition>) -> Response<Body> {
    let mut text = "created_at: 1985-10-26T08:15:00Z\n---\n".to_owned();
    let mut names: Vec<&str> = RELEASES.iter().map(|release| release.name).collect();
    names.dedup();
    for name in names {
        let versions: Vec<&str> = Release::all_of(name).map(|release| release.version).collect();
        let page = page(name, edition);
        text.push_str(&format!("{name} {} {}\n", versions.join(","), &sha256_hex(page.as_bytes())[..32]));
    }
    answer("text/plain; charset=utf-8", SHORT, text)
}

async fn info(State(edition): State<Edition>, Path(name): Path<String>) -> Response<Body> {
    match Release::latest(&name) {
        Some(_) => answer("text/plain; charset=utf-8", SHORT, page(&name, edition)),
        None => not_found(),
    }
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
