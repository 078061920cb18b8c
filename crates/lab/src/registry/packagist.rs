//! The Composer repository: `packages.json`, a page a package, and the archives with their SHA-1.
//!
//! Source: Composer's documentation, "Repositories", `metadata-url`.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response};
use axum::routing::get;
use serde_json::{Map, Value, json};

use super::{IMMUTABLE, SHORT, answer, asked_host, not_found};
use crate::packages::digest::sha1_hex;
use crate::packages::{
    Edition, PackageManager, RELEASES, Release, artefact, composer_metadata, composer_name,
};

pub(super) fn router(edition: Edition) -> Router {
    Router::new()
        .route("/composer/", get(super::alive))
        .route("/composer/packages.json", get(root))
        .route("/composer/p2/{vendor}/{file}", get(package))
        .route("/composer/dist/{file}", get(archive))
        .with_state(edition)
}

async fn root(headers: HeaderMap) -> Response<Body> {
    let mut names: Vec<String> = RELEASES.iter().map(|release| composer_name(release.name)).collect();
    names.dedup();
    let root = json!({
        "packages": [],
        "metadata-url": format!("{}/composer/p2/%package%.json", asked_host(&headers)),
        "available-packages": names,
    });
    answer("application/json", SHORT, root.to_string())
}

async fn package(
    State(edition): State<Edition>,
    Path((vendor, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response<Body> {
    // `name~dev.json` holds the branches, of which the lab has none.
    let (file, branches) = match file.strip_suffix("~dev.json") {
        Some(name) => (Some(name), true),
        None => (file.strip_suffix(".json"), false),
    };
    let name = format!("{vendor}/{}", file.unwrap_or_default());
    let releases: Vec<Release> =
        RELEASES.iter().copied().filter(|release| composer_name(release.name) == name).collect();
    if releases.is_empty() {
        return not_found();
    }
    let host = asked_host(&headers);
    let versions: Vec<Value> = match branches {
        true => Vec::new(),
        false => releases.iter().rev().map(|release| version(*release, edition, &host)).collect(),
    };
    answer("application/json", SHORT, json!({ "packages": { name: versions } }).to_string())
}

fn version(release: Release, edition: Edition, host: &str) -> Value {
    let mut version: Map<String, Value> = composer_metadata(release);
    version.insert("version_normalized".to_owned(), json!(format!("{}.0", release.version)));
    let archive = artefact(PackageManager::Composer, release, edition);
    version.insert("dist".to_owned(), dist(release, &archive, host));
    Value::Object(version)
}

/// Where the archive is, and its checksum. `host` is with its protocol.
pub(crate) fn dist(release: Release, archive: &[u8], host: &str) -> Value {
    let reference = sha1_hex(format!("{}-{}", release.name, release.version).as_bytes());
    json!({
        "type": "zip",
        "url": format!("{host}/composer/dist/{}-{}.zip", release.name, release.version),
        "reference": reference,
        "shasum": sha1_hex(archive),
    })
}

async fn archive(State(edition): State<Edition>, Path(file): Path<String>) -> Response<Body> {
    let named = |release: &&Release| file == format!("{}-{}.zip", release.name, release.version);
    match RELEASES.iter().find(named) {
        Some(release) => {
            answer("application/zip", IMMUTABLE, artefact(PackageManager::Composer, *release, edition))
        }
        None => not_found(),
    }
}
