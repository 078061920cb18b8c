//! The style sheet, the script and the icon: compiled in, named by their content, kept by browsers for good, and sent packed to those
//! that can unpack. Pages are not packed: their length would tell of the word that their forms carry (BREACH).

use std::{io::Write as _, sync::LazyLock};

use axum::{
    extract::Path,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};

use super::answer::Failed;

/// A file of the dashboard.
pub(super) struct Asset {
    /// Its path.
    pub(super) path: String,
    media: &'static str,
    text: &'static str,
    /// The same by gzip; empty where that could not be made.
    packed: Vec<u8>,
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
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        let packed = packer.write_all(text.as_bytes()).and_then(|()| packer.finish()).unwrap_or_default();
        Asset { path: format!("/assets/{stem}-{digest}.{ending}"), media, text, packed }
    }
}

/// Whether the browser says that it unpacks gzip.
fn unpacks(headers: &HeaderMap) -> bool {
    let said = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    said.flat_map(|value| value.split(',')).any(|one| {
        let (name, rest) = one.split_once(';').unwrap_or((one, ""));
        let weight = rest.trim().strip_prefix("q=").map(|q| q.trim().parse::<f32>().unwrap_or(0.0));
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_none_or(|weight| weight > 0.0)
    })
}

/// The file of this name.
pub(super) async fn file(Path(name): Path<String>, asked: HeaderMap) -> Response {
    let path = format!("/assets/{name}");
    let Some(asset) = [&*CSS, &*JS, &*ICON].into_iter().find(|asset| asset.path == path) else {
        return Failed::NoSuchPage(path).into_response();
    };
    let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.media)),
        (header::CACHE_CONTROL, forever),
        (header::VARY, HeaderValue::from_static("accept-encoding")),
    ];
    if !asset.packed.is_empty() && unpacks(&asked) {
        let packed = [(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))];
        return (headers, packed, asset.packed.as_slice()).into_response();
    }
    (headers, asset.text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_does_not_unpack_is_not_packed() {
        let says = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            }
            unpacks(&headers)
        };
        assert!(
            says(&["gzip, deflate, br, zstd"]) && says(&["br;q=1.0, GZIP;q=0.8"]) && says(&["br", "gzip"])
        );
        for not in [&[][..], &["identity"], &["br"], &["gzip;q=0"], &["gzip; q=0.000"], &["xgzip"], &["*"]] {
            assert!(!says(not), "{not:?}");
        }
    }
}
