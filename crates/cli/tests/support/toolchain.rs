//! What a person with an empty HOME has all the same: the programs that are installed.

use std::{env, ffi::OsString, path::Path};

/// `PATH`, and where rustup's `cargo` finds its compiler when HOME is somewhere else.
pub fn toolchain() -> Vec<(&'static str, OsString)> {
    let of_home = || Some(Path::new(&env::var_os("HOME")?).join(".rustup").into_os_string());
    let rustup = env::var_os("RUSTUP_HOME").or_else(|| of_home().filter(|folder| Path::new(folder).is_dir()));
    let named = [
        ("PATH", env::var_os("PATH")),
        ("RUSTUP_HOME", rustup),
        ("RUSTUP_TOOLCHAIN", env::var_os("RUSTUP_TOOLCHAIN")),
    ];
    named.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}
