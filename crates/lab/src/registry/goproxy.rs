//! The Go module proxy: versions, `go.mod` and zip of each module.
//!
//! Source: the Go Modules Reference, "GOPROXY protocol".

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::Response;
use axum::routing::get;
use serde_json::json;

use super::{IMMUTABLE, SHORT, answer, not_found};
use crate::packages::{Edition, PackageManager, RELEASES, Release, artefact, go_mod, module_path};

pub(super) fn router(edition: Edition) -> Router {
    Router::new().route("/go/", get(super::alive)).route("/go/{*rest}", get(serve)).with_state(edition)
}

async fn serve(State(edition): State<Edition>, Path(rest): Path<String>) -> Response<Body> {
    if let Some(module) = rest.strip_suffix("/@latest") {
        let latest = RELEASES.iter().rfind(|release| module_path(**release) == module);
        return latest.map_or_else(not_found, |release| info(*release));
    }
    let Some((module, file)) = rest.split_once("/@v/") else { return not_found() };
    let releases = || RELEASES.iter().copied().filter(|release| module_path(*release) == module);
    if file == "list" {
        let list: String = releases().map(|release| format!("v{}\n", release.version)).collect();
        return answer("text/plain; charset=utf-8", SHORT, list);
    }
    let Some((version, extension)) = file.rsplit_once('.') else { return not_found() };
    let Some(release) = releases().find(|release| version.strip_prefix('v') == Some(release.version)) else {
        return not_found();
    };
    match extension {
        "info" => info(release),
        "mod" => answer("text/plain; charset=utf-8", IMMUTABLE, go_mod(release)),
        "zip" => answer("application/zip", IMMUTABLE, artefact(PackageManager::Go, release, edition)),
        _ => not_found(),
    }
}

fn info(release: Release) -> Response<Body> {
    let info = json!({ "Version": format!("v{}", release.version), "Time": "1985-10-26T08:15:00Z" });
    answer("application/json", SHORT, info.to_string())
}
