//! Caches as their tools lay them out, damaged in one place: exactly that place is named.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod archives;
mod cargo;
mod go;
mod java;
mod npm;
mod pip;
mod pnpm;
mod ruby;
mod uv;
mod yarn;

use std::{fs, path::Path};

use regreen_tools::{
    CacheScan,
    cache::{self, Asked, Watch},
};

/// A look without a checkout.
fn scan(id: &str, root: &Path) -> CacheScan {
    scan_in(id, root, None)
}

/// A look with one.
fn scan_in(id: &str, root: &Path, workspace: Option<&Path>) -> CacheScan {
    let cache = cache::by_id(id).unwrap();
    assert!(cache.is_at(root), "{} is not known for a cache of {id}", root.display());
    cache.scan(root, &Asked { workspace, watch: &Watch::default() })
}

/// Path and reason of each damaged entry.
fn damage(scan: &CacheScan) -> Vec<(&str, &str)> {
    scan.damaged.iter().map(|d| (d.path.as_str(), d.why.as_str())).collect()
}

fn put(path: &Path, bytes: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Changes one byte in the middle.
fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 0x20;
    fs::write(path, bytes).unwrap();
}

/// Members of a tar archive.
fn tarred(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive.append_data(&mut header, name, *bytes).unwrap();
    }
    archive.into_inner().unwrap()
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    use std::io::Write;
    let mut packed = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        packed.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        packed.write_all(bytes).unwrap();
    }
    packed.finish().unwrap().into_inner()
}
