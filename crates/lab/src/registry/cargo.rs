//! The cargo registry: a sparse index and its downloads.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response};
use axum::routing::get;
use serde_json::{Value, json};

use super::{IMMUTABLE, SHORT, answer, asked_host, not_found};
use crate::packages::digest::sha256_hex;
use crate::packages::{Edition, PackageManager, Release, artefact, index_path};

pub(super) fn router(edition: Edition) -> Router {
    Router::new()
        .route("/cargo/", get(super::alive))
        .route("/cargo/config.json", get(config))
        .route("/cargo/{a}/{b}/{name}", get(index_entry))
        .route("/cargo/dl/{name}/{version}/download", get(download))
        .with_state(edition)
}

async fn config(headers: HeaderMap) -> Response<Body> {
    let dl = format!("{}/cargo/dl/{{crate}}/{{version}}/download", asked_host(&headers));
    answer("application/json", SHORT, json!({ "dl": dl }).to_string())
}

async fn index_entry(
    State(edition): State<Edition>,
    Path((a, b, name)): Path<(String, String, String)>,
) -> Response<Body> {
    if Release::latest(&name).is_none() || index_path(&name) != format!("{a}/{b}/{name}") {
        return not_found();
    }
    let lines: String =
        Release::all_of(&name).map(|release| format!("{}\n", line(release, edition))).collect();
    answer("text/plain", SHORT, lines)
}

fn line(release: Release, edition: Edition) -> Value {
    let needs: Vec<Value> = release
        .needs
        .iter()
        .map(|name| {
            json!({
                "name": name, "req": "^1", "features": [], "optional": false,
                "default_features": true, "target": null, "kind": "normal",
            })
        })
        .collect();
    json!({
        "name": release.name,
        "vers": release.version,
        "deps": needs,
        "cksum": sha256_hex(&artefact(PackageManager::Cargo, release, edition)),
        "features": {},
        "yanked": false,
    })
}

async fn download(
    State(edition): State<Edition>,
    Path((name, version)): Path<(String, String)>,
) -> Response<Body> {
    match Release::find(&name, &version) {
        Some(release) => {
            answer("application/gzip", IMMUTABLE, artefact(PackageManager::Cargo, release, edition))
        }
        None => not_found(),
    }
}
