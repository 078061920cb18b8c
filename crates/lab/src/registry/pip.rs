//! The pip registry: the simple index, as HTML and as JSON (PEP 503 and 691), and the wheels.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response};
use axum::routing::get;
use serde_json::{Value, json};

use super::{IMMUTABLE, SHORT, accepts, answer, asked_host, not_found};
use crate::packages::digest::sha256_hex;
use crate::packages::{
    Edition, PackageManager, RELEASES, Release, artefact, foreign_name, foreign_wheel, wheel_name,
};

const SIMPLE_JSON: &str = "application/vnd.pypi.simple.v1+json";

pub(super) fn router(edition: Edition) -> Router {
    Router::new()
        .route("/pip/", get(super::alive))
        .route("/pip/simple/", get(super::alive))
        .route("/pip/simple/{name}/", get(index_page))
        .route("/pip/files/{file}", get(file))
        .with_state(edition)
}

async fn index_page(
    State(edition): State<Edition>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    if Release::latest(&name).is_none() {
        return not_found();
    }
    let host = asked_host(&headers);
    let files: Vec<(String, String, String)> = Release::all_of(&name)
        .flat_map(|release| {
            let wheel = (wheel_name(release), artefact(PackageManager::Pip, release, edition));
            [wheel, (foreign_name(release), foreign_wheel(release, edition))]
        })
        .map(|(file, bytes)| (format!("{host}/pip/files/{file}"), file, sha256_hex(&bytes)))
        .collect();
    if accepts(&headers, SIMPLE_JSON) {
        let files: Vec<Value> = files
            .iter()
            .map(
                |(url, file, sha256)| json!({ "filename": file, "url": url, "hashes": { "sha256": sha256 } }),
            )
            .collect();
        let page = json!({ "meta": { "api-version": "1.0" }, "name": name, "files": files });
        return answer(SIMPLE_JSON, SHORT, page.to_string());
    }
    let links: String = files
        .iter()
        .map(|(url, file, sha256)| format!("    <a href=\"{url}#sha256={sha256}\">{file}</a><br>\n"))
        .collect();
    answer("text/html", SHORT, format!("<!DOCTYPE html>\n<html>\n  <body>\n{links}  </body>\n</html>\n"))
}

async fn file(State(edition): State<Edition>, Path(file): Path<String>) -> Response<Body> {
    let of = |name: fn(Release) -> String| RELEASES.iter().copied().find(|release| name(*release) == file);
    let bytes = match (of(wheel_name), of(foreign_name)) {
        (Some(release), _) => artefact(PackageManager::Pip, release, edition),
        (None, Some(release)) => foreign_wheel(release, edition),
        (None, None) => return not_found(),
    };
    answer("application/octet-stream", IMMUTABLE, bytes)
}
