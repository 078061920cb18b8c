//! The npm registry: packuments (full and abbreviated), tarballs and the ping.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response};
use axum::routing::get;
use serde_json::{Map, Value, json};

use super::{IMMUTABLE, SHORT, accepts, answer, asked_host, not_found};
use crate::packages::digest::{sha1_hex, sha512_sri};
use crate::packages::{Edition, PackageManager, Release, artefact};

const ABBREVIATED: &str = "application/vnd.npm.install-v1+json";
const PUBLISHED: &str = "2024-01-01T00:00:00.000Z";

pub(super) fn router(edition: Edition) -> Router {
    Router::new()
        .route("/npm/", get(super::alive))
        .route("/npm/-/ping", get(|| async { answer("application/json", "no-store", "{}") }))
        .route("/npm/{name}", get(packument))
        .route("/npm/{name}/-/{file}", get(tarball))
        .with_state(edition)
}

async fn packument(
    State(edition): State<Edition>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    let Some(latest) = Release::latest(&name) else { return not_found() };
    let host = asked_host(&headers);
    let versions: Map<String, Value> = Release::all_of(&name)
        .map(|release| (release.version.to_owned(), version(release, edition, &host)))
        .collect();
    let mut packument = json!({
        "name": name,
        "dist-tags": { "latest": latest.version },
        "versions": versions,
        "modified": PUBLISHED,
    });
    if accepts(&headers, ABBREVIATED) {
        return answer(ABBREVIATED, SHORT, packument.to_string());
    }
    let mut time: Map<String, Value> =
        Release::all_of(&name).map(|release| (release.version.to_owned(), json!(PUBLISHED))).collect();
    time.insert("created".to_owned(), json!(PUBLISHED));
    time.insert("modified".to_owned(), json!(PUBLISHED));
    packument["_id"] = json!(name);
    packument["time"] = Value::Object(time);
    packument["description"] = json!("a package of the Regreen lab");
    answer("application/json", SHORT, packument.to_string())
}

fn version(release: Release, edition: Edition, host: &str) -> Value {
    let tarball = artefact(PackageManager::Npm, release, edition);
    let needs: Map<String, Value> =
        release.needs.iter().map(|name| ((*name).to_owned(), json!("^1.0.0"))).collect();
    json!({
        "name": release.name,
        "version": release.version,
        "license": "MIT",
        "dependencies": needs,
        "dist": {
            "integrity": sha512_sri(&tarball),
            "shasum": sha1_hex(&tarball),
            "tarball": format!("{host}/npm/{0}/-/{0}-{1}.tgz", release.name, release.version),
        },
    })
}

async fn tarball(
    State(edition): State<Edition>,
    Path((name, file)): Path<(String, String)>,
) -> Response<Body> {
    let version = file.strip_prefix(&format!("{name}-")).and_then(|rest| rest.strip_suffix(".tgz"));
    match version.and_then(|version| Release::find(&name, version)) {
        Some(release) => {
            answer("application/octet-stream", IMMUTABLE, artefact(PackageManager::Npm, release, edition))
        }
        None => not_found(),
    }
}
