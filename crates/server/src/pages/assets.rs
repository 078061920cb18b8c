//! The style sheet, the script and the icon: compiled in, named by their content, kept by browsers for good.

use std::sync::LazyLock;

use axum::{
    extract::Path,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

use super::answer::Failed;

/// A file of the dashboard.
pub(super) struct Asset {
    /// Its path.
    pub(super) path: String,
    media: &'static str,
    text: &'static str,
}

/// How the pages look.
pub(super) static CSS: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "regreen",
        "css",
        "text/css; charset=utf-8",
        include_str!("../../templates/assets/regreen.css"),
    )
});
/// How they change in place.
pub(super) static JS: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "regreen",
        "js",
        "text/javascript; charset=utf-8",
        include_str!("../../templates/assets/regreen.js"),
    )
});
/// The sign.
pub(super) static ICON: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("regreen", "svg", "image/svg+xml", include_str!("../../templates/assets/regreen.svg"))
});

impl Asset {
    fn new(stem: &str, ending: &str, media: &'static str, text: &'static str) -> Asset {
        let digest: String = Sha256::digest(text).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        Asset { path: format!("/assets/{stem}-{digest}.{ending}"), media, text }
    }
}

/// The file of this name.
pub(super) async fn file(Path(name): Path<String>) -> Response {
    let path = format!("/assets/{name}");
    let Some(asset) = [&*CSS, &*JS, &*ICON].into_iter().find(|asset| asset.path == path) else {
        return Failed::NoSuchPage(path).into_response();
    };
    let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
    let headers =
        [(header::CONTENT_TYPE, HeaderValue::from_static(asset.media)), (header::CACHE_CONTROL, forever)];
    (headers, asset.text).into_response()
}
