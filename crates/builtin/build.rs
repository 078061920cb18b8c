//! Reads, checks and packs every TOML file below `/catalog`, so that a new file needs no line of code, and a start of the
//! program reads no TOML.
#![allow(clippy::disallowed_methods, reason = "a build script looks, so that the crate needn't")]

use std::path::{Path, PathBuf};
use std::{env, error::Error, fs, io};

use regreen_catalog::Catalog;

fn main() -> Result<(), Box<dyn Error>> {
    // Asked when it runs: a build folder that was copied elsewhere would still pack the catalogue of its first home.
    let here = env::var_os("CARGO_MANIFEST_DIR").ok_or("run by cargo only")?;
    let root = Path::new(&here).join("../../catalog").canonicalize()?;
    println!("cargo::rerun-if-changed={}", root.display());
    let mut paths = Vec::new();
    collect(&root, &mut paths)?;
    paths.sort();
    let mut files = Vec::new();
    for path in &paths {
        println!("cargo::rerun-if-changed={}", path.display());
        let name = path.strip_prefix(&root)?.to_string_lossy().replace('\\', "/");
        files.push((name, fs::read_to_string(path)?));
    }
    let catalog = match Catalog::load(files.iter().map(|(name, text)| (name.as_str(), text.as_str()))) {
        Ok(catalog) => catalog,
        Err(e) => {
            println!("cargo::error=catalog/{e}");
            return Err("the catalogue is invalid".into());
        }
    };
    let out = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?;
    fs::write(PathBuf::from(out).join("catalog.packed"), catalog.pack()?)?;
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            println!("cargo::rerun-if-changed={}", path.display());
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    Ok(())
}
