//! What the container image has beside the program, so that it is begun with nothing and needs no other image: Mozilla's
//! certificates, who nobody is, a home and a folder for what is temporary. `packaging/container/Dockerfile` adds it.
//!
//! Source: RFC 7468 for the text of certificates; passwd(5), group(5).

use base64::{Engine, prelude::BASE64_STANDARD};

use super::archive::{Member, tar_gz};

/// The archive's name.
pub const BASE: &str = "regreen-image-base.tar.gz";

/// The user and group of the Dockerfile and of the Helm chart.
const NOBODY: u64 = 65532;

/// Longest line of a certificate's text.
const LINE: usize = 64;

/// The archive.
///
/// # Errors
/// None but what an archive has.
pub fn base(at: u64) -> Result<Vec<u8>, String> {
    let passwd = format!(
        "root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:{NOBODY}:{NOBODY}:nonroot:/home/nonroot:/sbin/nologin\n"
    );
    let group = format!("root:x:0:\nnonroot:x:{NOBODY}:\n");
    let members = [
        Member::file("etc/group", group.as_bytes()),
        Member::file("etc/passwd", passwd.as_bytes()),
        Member::file("etc/ssl/certs/ca-certificates.crt", certificates().as_bytes()),
        Member::folder("home/nonroot/", 0o700, NOBODY),
        Member::folder("tmp/", 0o1777, 0),
    ];
    tar_gz(&members, at)
}

/// Mozilla's roots as they were when the crate of that name was made: Cargo.lock says which.
fn certificates() -> String {
    webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(|certificate| pem(certificate)).collect()
}

fn pem(certificate: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(certificate);
    let lines: String =
        text.as_bytes().chunks(LINE).map(|line| format!("{}\n", String::from_utf8_lossy(line))).collect();
    format!("-----BEGIN CERTIFICATE-----\n{lines}-----END CERTIFICATE-----\n")
}
