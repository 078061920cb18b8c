//! `cargo xtask soak`: the laws of `.ci/run` with their full counts. The seed is printed; with `--seed` a run is repeated.

use std::{
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

use crate::{print, top};

/// Kills `--count` healings (1,000 where it is not said) at moments drawn from `--seed`.
pub fn soak(args: &[&str]) -> Result<String, String> {
    let value = |name: &str| {
        let at = args.iter().position(|a| *a == name)?;
        Some(
            args.get(at + 1)
                .and_then(|v| v.parse::<u64>().ok())
                .ok_or_else(|| format!("{name} takes a whole number")),
        )
    };
    match args.first() {
        Some(&"kill") | None => {}
        Some(other) if other.starts_with("--") => {}
        Some(other) => return Err(format!("there is no suite `{other}`; the suites are: kill")),
    }
    let count = value("--count").transpose()?.unwrap_or(1000);
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |d| u64::from(d.subsec_nanos()));
    let seed = value("--seed").transpose()?.unwrap_or(clock);
    print(&format!("soak kill: {count} killed healings, seed {seed}"));
    let status = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
        .args(["nextest", "run", "--package", "regreen-cli", "--test", "crash"])
        .env("REGREEN_CRASH_COUNT", count.to_string())
        .env("REGREEN_CRASH_SEED", seed.to_string())
        .current_dir(top())
        .status()
        .map_err(|e| format!("cargo nextest: {e}"))?;
    if status.success() {
        Ok("soak kill: passed".to_owned())
    } else {
        Err("soak kill: failed; the seed is above".to_owned())
    }
}
