//! A Go module: `go.mod` and a zip, each with the hash that `go.sum` and the checksum database hold of it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::Digest;

use super::digest::sha256_hex;
use super::pip::zip_of;
use super::{Edition, Release, greeting};

/// From its second major version on, a module's path ends in it.
pub(crate) fn module_path(release: Release) -> String {
    match release.major() {
        "0" | "1" => format!("lab.example/{}", release.name),
        major => format!("lab.example/{}/v{major}", release.name),
    }
}

/// `regreen-lab-alpha` is package `alpha`.
pub(crate) fn package_name(name: &str) -> &str {
    name.rsplit('-').next().unwrap_or(name)
}

/// The module's `go.mod`.
pub(crate) fn go_mod(release: Release) -> String {
    let needs: String = release
        .needs
        .iter()
        .filter_map(|needed| Release::all_of(needed).find(|release| release.major() == "1"))
        .map(|needed| format!("\t{} v{}\n", module_path(needed), needed.version))
        .collect();
    let require = match needs.is_empty() {
        true => String::new(),
        false => format!("\nrequire (\n{needs})\n"),
    };
    format!("module {}\n\ngo 1.19\n{require}", module_path(release))
}

pub(super) fn zip(release: Release, edition: Edition) -> Vec<u8> {
    let root = format!("{}@v{}", module_path(release), release.version);
    let files: Vec<_> =
        files(release, edition).into_iter().map(|(name, text)| (format!("{root}/{name}"), text)).collect();
    zip_of(&files)
}

fn files(release: Release, edition: Edition) -> Vec<(String, String)> {
    let package = package_name(release.name);
    // Every package imports what it needs, so that `go mod tidy` keeps it.
    let imports: String = release
        .needs
        .iter()
        .filter_map(|needed| Release::all_of(needed).find(|release| release.major() == "1"))
        .map(|needed| format!("\t_ \"{}\"\n", module_path(needed)))
        .collect();
    let imports = match imports.is_empty() {
        true => String::new(),
        false => format!("import (\n{imports})\n\n"),
    };
    let code = format!(
        "// Package {package} is one of the Regreen lab.\npackage {package}\n\n{imports}\
         // Greeting says which package this is.\nconst Greeting = {:?}\n",
        greeting(release, edition)
    );
    vec![("go.mod".to_owned(), go_mod(release)), (format!("{package}.go"), code)]
}

/// The hash of the module's files, as in `go.sum`.
pub(crate) fn files_hash(release: Release, edition: Edition) -> String {
    let root = format!("{}@v{}", module_path(release), release.version);
    let files = files(release, edition).into_iter();
    hash(files.map(|(name, text)| (format!("{root}/{name}"), text)).collect())
}

/// The hash of its `go.mod`.
pub(crate) fn go_mod_hash(release: Release) -> String {
    hash(vec![("go.mod".to_owned(), go_mod(release))])
}

/// Source: golang.org/x/mod/sumdb/dirhash, `Hash1`.
fn hash(mut files: Vec<(String, String)>) -> String {
    files.sort();
    let summary: String =
        files.iter().map(|(name, text)| format!("{}  {name}\n", sha256_hex(text.as_bytes()))).collect();
    format!("h1:{}", STANDARD.encode(sha2::Sha256::digest(summary)))
}
