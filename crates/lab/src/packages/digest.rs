//! Checksums as each lockfile and index spells them.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::Digest;

/// SHA-256 in lower-case hex: cargo's `checksum`, pip's `--hash=sha256:`.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&sha2::Sha256::digest(bytes))
}

/// SHA-1 in lower-case hex: npm's `shasum`.
pub(crate) fn sha1_hex(bytes: &[u8]) -> String {
    hex(&sha1::Sha1::digest(bytes))
}

/// npm's `integrity`.
pub(crate) fn sha512_sri(bytes: &[u8]) -> String {
    format!("sha512-{}", STANDARD.encode(sha2::Sha512::digest(bytes)))
}

/// SHA-512 in lower-case hex: the path of npm's cached content.
pub(crate) fn sha512_hex(bytes: &[u8]) -> String {
    hex(&sha2::Sha512::digest(bytes))
}

/// SHA-256 as a wheel's `RECORD` has it.
pub(crate) fn sha256_record(bytes: &[u8]) -> String {
    format!("sha256={}", URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(bytes)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
