//! A wheel: one module and its `dist-info`; and one for another platform beside it. (A source distribution would be what pip
//! and Poetry take where the wheel's checksum is not the lockfile's.)

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;

use super::archive::IN_MEMORY;
use super::digest::sha256_record;
use super::{Edition, Release, greeting};

/// The module that a distribution installs.
fn module_name(name: &str) -> String {
    name.replace('-', "_")
}

/// The wheel's file name.
pub(crate) fn file_name(release: Release) -> String {
    format!("{}-{}-py3-none-any.whl", module_name(release.name), release.version)
}

/// The file name of the wheel for another platform.
pub(crate) fn foreign_name(release: Release) -> String {
    format!("{}-{}-py3-none-win32.whl", module_name(release.name), release.version)
}

fn metadata(release: Release) -> String {
    let needs: String =
        release.needs.iter().map(|name| format!("Requires-Dist: {name} (>=1,<2)\n")).collect();
    format!(
        "Metadata-Version: 2.1\nName: {}\nVersion: {}\nSummary: a package of the Regreen lab\n{needs}",
        release.name, release.version
    )
}

pub(super) fn wheel(release: Release, edition: Edition) -> Vec<u8> {
    tagged(release, edition, "py3-none-any")
}

/// The wheel for another platform.
pub(crate) fn foreign_wheel(release: Release, edition: Edition) -> Vec<u8> {
    tagged(release, edition, "py3-none-win32")
}

fn tagged(release: Release, edition: Edition, tag: &str) -> Vec<u8> {
    let module = module_name(release.name);
    let info = format!("{module}-{}.dist-info", release.version);
    let mut files = vec![
        (format!("{module}/__init__.py"), format!("GREETING = {:?}\n", greeting(release, edition))),
        (format!("{info}/METADATA"), metadata(release)),
        (
            format!("{info}/WHEEL"),
            format!("Wheel-Version: 1.0\nGenerator: regreen-lab\nRoot-Is-Purelib: true\nTag: {tag}\n"),
        ),
    ];
    let mut record: String = files
        .iter()
        .map(|(path, content)| format!("{path},{},{}\n", sha256_record(content.as_bytes()), content.len()))
        .collect();
    record.push_str(&format!("{info}/RECORD,,\n"));
    files.push((format!("{info}/RECORD"), record));
    zip_of(&files)
}

/// Stored, not deflated: a byte flipped in the middle then hits the code, as it does in big wheels.
pub(super) fn zip_of(files: &[(String, String)]) -> Vec<u8> {
    let options = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::DEFAULT)
        .unix_permissions(0o644);
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (path, content) in files {
        zip.start_file(path.as_str(), options).expect(IN_MEMORY);
        zip.write_all(content.as_bytes()).expect(IN_MEMORY);
    }
    zip.finish().expect(IN_MEMORY).into_inner()
}
