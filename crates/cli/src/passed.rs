//! What a command prints when it passes, remembered for the day it fails: a line that a passing run prints too is no
//! cause.
//!
//! One file a command in the workspace's state folder, of 64-bit hashes of masked lines and nothing else: nothing raw
//! outlives the process (invariant 11). Bounded: the end of the output, so many lines, so many files.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::SystemTime,
};

use regreen_detect::Baseline;
use regreen_engine::State;
use regreen_logs::{Dropped, ReadOptions, read};
use regreen_mask::Masker;
use sha2::{Digest, Sha256};

/// The variable that turns it off with `0`.
pub const VARIABLE: &str = "REGREEN_REMEMBER_PASSED";

/// So much of the output's end is remembered, in bytes.
pub const OUTPUT: usize = 256 * 1024;

/// So many lines are remembered.
const LINES: usize = 16 * 1024;

/// So many commands are remembered; the one that passed longest ago is forgotten first.
const COMMANDS: usize = 64;

/// The head of a file, with the version of its form.
const HEAD: &[u8; 8] = b"regreen1";

/// Remembers the end of what a command printed when it passed, in place of what was remembered before.
///
/// # Errors
/// Where it can't be written; it is as it was then.
pub fn remember(state: &State, argv: &[String], output: &[u8], masker: &Masker) -> io::Result<()> {
    let mut baseline = Baseline::new(masker);
    baseline.add(&read(output, &ReadOptions::spool(Dropped::default())));
    if baseline.is_empty() {
        return Ok(());
    }
    let folder = state.passed();
    state.make().map_err(io::Error::other)?;
    DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let path = place(&folder, argv, masker);
    forget_the_oldest(&folder, &path)?;
    let bytes: Vec<u8> =
        HEAD.iter().copied().chain(baseline.hashes().take(LINES).flat_map(u64::to_le_bytes)).collect();
    // By rename: whoever is killed leaves the file before.
    let scratch = folder.join(format!(".{}", std::process::id()));
    let mut options = OpenOptions::new();
    let written = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&scratch)
        .and_then(|mut file| file.write_all(&bytes))
        .and_then(|()| fs::rename(&scratch, &path));
    written.inspect_err(|_| drop(fs::remove_file(&scratch)))
}

/// What is remembered of a command; nothing where it never passed, or the file is not as it should be.
pub fn recall(state: &State, argv: &[String], masker: &Masker) -> Vec<u64> {
    let bytes = fs::read(place(&state.passed(), argv, masker)).unwrap_or_default();
    let Some(rest) = bytes.strip_prefix(HEAD.as_slice()) else { return Vec::new() };
    let (hashes, []) = rest.as_chunks::<8>() else { return Vec::new() };
    hashes.iter().take(LINES).map(|hash| u64::from_le_bytes(*hash)).collect()
}

/// The file of a command: named by a hash of its masked words, each with its length.
fn place(folder: &Path, argv: &[String], masker: &Masker) -> PathBuf {
    let mut digest = Sha256::new();
    for word in argv {
        let word = masker.mask(word);
        digest.update((word.len() as u64).to_le_bytes());
        digest.update(word.as_bytes());
    }
    let name: String = digest.finalize()[..8].iter().map(|b| format!("{b:02x}")).collect();
    folder.join(name)
}

/// Makes room for one more file.
fn forget_the_oldest(folder: &Path, coming: &Path) -> io::Result<()> {
    if coming.exists() {
        return Ok(());
    }
    let mut files: Vec<(SystemTime, PathBuf)> = fs::read_dir(folder)?
        .filter_map(Result::ok)
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    files.sort();
    let surplus = (files.len() + 1).saturating_sub(COMMANDS);
    files.iter().take(surplus).try_for_each(|(_, path)| fs::remove_file(path))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use super::*;

    fn argv(words: &str) -> Vec<String> {
        words.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn what_is_remembered_is_recalled_for_the_same_command_only() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::of(folder.path(), Path::new("/w"));
        let masker = Masker::new(["planted-secret-value"]);
        let output = b"warning: it was slow\ntoken=planted-secret-value was used\n";
        assert_eq!(recall(&state, &argv("npm ci"), &masker), [0; 0]);
        remember(&state, &argv("npm ci --key planted-secret-value"), output, &masker).unwrap();
        let usual = recall(&state, &argv("npm ci --key planted-secret-value"), &masker);
        assert_eq!(usual.len(), 2);
        assert_eq!(recall(&state, &argv("npm install"), &masker), [0; 0]);
        let baseline = Baseline::stored(usual, &masker);
        assert!(baseline.holds("warning: it was slow") && !baseline.holds("error: it was slow"));
        let file = fs::read_dir(state.passed()).unwrap().next().unwrap().unwrap();
        assert_eq!(fs::read(file.path()).unwrap().len(), 8 + 2 * 8, "hashes and nothing else");
        // What is damaged is as good as nothing.
        fs::write(file.path(), b"regreen1short").unwrap();
        assert_eq!(recall(&state, &argv("npm ci --key planted-secret-value"), &masker), [0; 0]);
    }

    #[test]
    fn it_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::of(folder.path(), Path::new("/w"));
        let masker = Masker::new::<[&str; 0], &str>([]);
        let letters = |n: u32| n.to_string().bytes().map(|b| char::from(b + 49)).collect::<String>();
        let many: String = (0..20_000).map(|n| format!("{}\n", letters(n))).collect();
        for n in 0..70 {
            remember(&state, &argv(&letters(n)), b"fine\n", &masker).unwrap();
        }
        remember(&state, &argv("last"), many.as_bytes(), &masker).unwrap();
        remember(&state, &argv("silent"), b"", &masker).unwrap();
        assert_eq!(fs::read_dir(state.passed()).unwrap().count(), COMMANDS);
        assert_eq!(recall(&state, &argv("last"), &masker).len(), LINES);
        assert_eq!(recall(&state, &argv("silent"), &masker), [0; 0]);
    }
}
