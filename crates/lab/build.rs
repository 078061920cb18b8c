//! Puts every file of `scenarios/` into the program, so that the benchmark runs wherever the program does.
#![allow(clippy::disallowed_methods, reason = "a build script looks, so that the crate needn't")]

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, error::Error, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let here = env::var_os("CARGO_MANIFEST_DIR").ok_or("run by cargo only")?;
    let folder = Path::new(&here).join("scenarios");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files: Vec<PathBuf> =
        fs::read_dir(&folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_, std::io::Error>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let mut list = String::from("[\n");
    for path in &files {
        println!("cargo::rerun-if-changed={}", path.display());
        let id = path.file_stem().unwrap_or_default().to_string_lossy();
        writeln!(list, "    ({id:?}, {:?}),", fs::read_to_string(path)?)?;
    }
    list.push_str("]\n");
    let out = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?;
    fs::write(PathBuf::from(out).join("scenarios.rs"), list)?;
    Ok(())
}
