//! Repositories that a tool keeps as its cache: each pack and each index of a pack ends with the SHA-1 of all before.
//! Source: Git, `Documentation/gitformat-pack.adoc`.

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
};

use super::{
    Asked, Cache, CacheScan, Refill,
    files::{files, length, name},
    place::{Ask, Base, Place},
    work::{Hasher, each, open},
};

/// cargo's checkouts of Git dependencies.
pub(crate) struct CargoGit;

/// Bytes of the checksum at the end.
const TRAILER: u64 = 20;

impl Cache for CargoGit {
    fn id(&self) -> &'static str {
        "cargo-git"
    }

    fn tool(&self) -> &'static str {
        "cargo"
    }

    fn holds(&self) -> &'static str {
        "repositories of Git dependencies"
    }

    fn places(&self) -> &'static [Place] {
        &[
            Place { asked: Ask::Env("CARGO_HOME"), below: "git" },
            Place { asked: Ask::Default(Base::Home, ".cargo"), below: "git" },
        ]
    }

    fn is_at(&self, root: &Path) -> bool {
        root.join("db").is_dir() || root.join("checkouts").is_dir()
    }

    fn scan(&self, root: &Path, asked: &Asked<'_>) -> CacheScan {
        each(root, asked, &files(root, &["db"]), |path: &PathBuf, part| {
            let bytes = length(path);
            let is_packed = [".pack", ".idx"].iter().any(|ending| name(path).ends_with(ending));
            match is_packed && path.parent().map(name) == Some("pack") {
                true => {
                    let verdict = trailer(path, &mut part.buffer);
                    part.judged(path, bytes, verdict);
                }
                false => part.unverified(bytes),
            }
        })
    }

    fn refill(&self) -> Refill {
        // Each repository has a server of its own.
        Refill::Unknown
    }
}

fn trailer(path: &Path, buffer: &mut [u8]) -> io::Result<Result<(), String>> {
    let mut file = open(path)?;
    let length = file.metadata()?.len();
    let Some(body) = length.checked_sub(TRAILER) else {
        return Ok(Err("too short to be a pack".to_owned()));
    };
    let Some(mut hasher) = Hasher::named("sha1") else { return Ok(Ok(())) };
    let mut rest = (&mut file).take(body);
    loop {
        match rest.read(buffer)? {
            0 => break,
            n => hasher.update(&buffer[..n]),
        }
    }
    let mut want = [0; TRAILER as usize];
    file.read_exact(&mut want)?;
    // A repository with SHA-256 says so elsewhere, and is nobody's default.
    Ok(if hasher.finish().bytes() == want {
        Ok(())
    } else {
        Err("a pack whose SHA-1 is not the one at its end".to_owned())
    })
}
