//! PyPI's package: a wheel whose only file is the program, which pip puts where programs go.
//!
//! Source: the Python Packaging User Guide, "Binary distribution format" and "Platform compatibility tags".

use std::io::{Cursor, Write};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

use super::{ABOUT, Built, HOME, VERSION, archive::Member, text};

/// Name and bytes.
///
/// # Errors
/// Where something that belongs into it can't be read.
pub fn wheel(built: &Built) -> Result<(String, Vec<u8>), String> {
    let arch = built.elf.arch.kernel();
    // A static program runs beside any C library: these are the oldest that the tags can say.
    let platforms = match built.elf.glibc {
        None => vec![format!("manylinux_2_17_{arch}"), format!("musllinux_1_1_{arch}")],
        Some((major, minor)) => vec![format!("manylinux_{major}_{minor}_{arch}")],
    };
    let tags: String = platforms.iter().map(|platform| format!("Tag: py3-none-{platform}\n")).collect();
    let readme = String::from_utf8_lossy(&text("README.md")?).into_owned();
    let info = format!("regreen-{VERSION}.dist-info");
    let metadata = format!(
        "Metadata-Version: 2.4\nName: regreen\nVersion: {VERSION}\nSummary: {ABOUT}\nLicense-Expression: MIT OR Apache-2.0\n\
         License-File: LICENSE-MIT\nLicense-File: LICENSE-APACHE\nProject-URL: Homepage, {HOME}\nRequires-Python: >=3.8\n\
         Description-Content-Type: text/markdown\n\n{readme}"
    );
    let facts =
        format!("Wheel-Version: 1.0\nGenerator: regreen-xtask {VERSION}\nRoot-Is-Purelib: false\n{tags}");
    let mut members = vec![
        Member::program(format!("regreen-{VERSION}.data/scripts/regreen"), &built.binary),
        Member::file(format!("{info}/METADATA"), metadata.as_bytes()),
        Member::file(format!("{info}/WHEEL"), facts.as_bytes()),
        Member::file(format!("{info}/licenses/LICENSE-MIT"), &text("LICENSE-MIT")?),
        Member::file(format!("{info}/licenses/LICENSE-APACHE"), &text("LICENSE-APACHE")?),
    ];
    let record: String = members.iter().map(recorded).collect::<String>() + &format!("{info}/RECORD,,\n");
    members.push(Member::file(format!("{info}/RECORD"), record.as_bytes()));
    Ok((format!("regreen-{VERSION}-py3-none-{}.whl", platforms.join(".")), packed(&members)?))
}

fn recorded(member: &Member) -> String {
    let digest = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&member.bytes));
    format!("{},sha256={digest},{}\n", member.path, member.bytes.len())
}

fn packed(members: &[Member]) -> Result<Vec<u8>, String> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for member in members {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .unix_permissions(member.mode);
        zip.start_file(&member.path, options).map_err(|e| e.to_string())?;
        zip.write_all(&member.bytes).map_err(|e| e.to_string())?;
    }
    Ok(zip.finish().map_err(|e| e.to_string())?.into_inner())
}
