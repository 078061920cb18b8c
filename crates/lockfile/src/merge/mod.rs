//! Three-way merge at the level of entries.
//!
//! Nothing is invented: every version, source and checksum of the result stands in `ours` or in `theirs`.
//! What only one side changed is taken; what one side removed stays if the other side's changes need it, and
//! goes if nothing needs it any more. What both changed differently is a conflict.

pub(crate) mod by_entry;
mod graph;
pub(crate) mod layout;
pub(crate) mod node;
mod order;
mod three;
mod trees;

use std::fmt;

pub(crate) use graph::{Fate, fate, reach, settle};
pub(crate) use order::{ordered_union, registry_order};
pub(crate) use three::{Three, pick};

use crate::position::without_mark;
use crate::{
    Damage, Format, bun, cargo, composer, gemfile, gosum, gradle, gradle_verification, npm, nuget, parse,
    pip, pipenv, pnpm, poetry, uv, yarn_berry, yarn_classic,
};

/// A merged lockfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The whole file, with the indent, line ends and head of `ours`. Where there is a conflict it holds what
    /// `ours` has, so it must not be installed from while [`Merged::conflicts`] is not empty.
    pub text: Vec<u8>,
    /// What both sides changed differently.
    pub conflicts: Vec<MergeConflict>,
}

/// One thing that both sides changed differently, or that doesn't fit together after both changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MergeConflict {
    /// The entry's place, or the field where it is not an entry.
    pub place: String,
    /// What the common ancestor says, shortly; `None` where it has nothing there or is not known.
    pub base: Option<String>,
    /// What `ours` says; `None` where it removed it.
    pub ours: Option<String>,
    /// What `theirs` says; `None` where it removed it.
    pub theirs: Option<String>,
    /// Why the two don't go together, where that is not plain from what they say.
    pub why: Option<String>,
}

/// One of the three texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The common ancestor.
    Base,
    /// The branch that is merged into.
    Ours,
    /// The branch that is merged.
    Theirs,
}

/// Why there can be no merge at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unmergeable {
    /// One of the texts is not a sound lockfile.
    #[error("{side} is damaged: {damage}")]
    Damaged {
        /// Which text.
        side: Side,
        /// Its first damage that stands in the way.
        damage: Damage,
    },
    /// The sides are of different lockfile versions.
    #[error("ours is lockfile version {ours}, theirs is version {theirs}")]
    Versions {
        /// Version of `ours`.
        ours: u64,
        /// Version of `theirs`.
        theirs: u64,
    },
    /// Something that would be lost, because only the tool knows what it means.
    #[error("{side} holds {what}, which can't be merged here")]
    Unknown {
        /// Which text.
        side: Side,
        /// What it holds.
        what: String,
    },
}

/// Merges two lockfiles. Without a `base`, nothing counts as removed: what only one side has is kept as long
/// as something needs it. Swapping the sides gives the same meaning and the same conflicts.
///
/// # Errors
/// Where a text can't be read or holds an entry twice, or where merging would lose something.
pub fn merge(format: Format, base: Option<&[u8]>, ours: &[u8], theirs: &[u8]) -> Result<Merged, Unmergeable> {
    let texts = Three {
        base: base.map(|b| sound(format, Side::Base, b)).transpose()?,
        ours: Some(sound(format, Side::Ours, ours)?),
        theirs: Some(sound(format, Side::Theirs, theirs)?),
    };
    let (text, mut conflicts) = match format {
        Format::NpmLock => npm::merge(texts.as_deref()),
        Format::CargoLock => cargo::merge(texts.as_deref()),
        Format::PipRequirements => pip::merge(texts.as_deref()),
        Format::GoSum => Ok(gosum::merge(texts.as_deref())),
        Format::GradleLock => gradle::merge(texts.as_deref()),
        Format::YarnClassic => by_entry::merge(format, &yarn_classic::LAYOUT, texts.as_deref()),
        Format::YarnBerry => by_entry::merge(format, &yarn_berry::LAYOUT, texts.as_deref()),
        Format::PnpmLock => by_entry::merge(format, &pnpm::LAYOUT, texts.as_deref()),
        Format::BunLock => by_entry::merge(format, &bun::LAYOUT, texts.as_deref()),
        Format::PoetryLock => by_entry::merge(format, &poetry::LAYOUT, texts.as_deref()),
        Format::UvLock => by_entry::merge(format, &uv::LAYOUT, texts.as_deref()),
        Format::PipfileLock => by_entry::merge(format, &pipenv::LAYOUT, texts.as_deref()),
        Format::GemfileLock => by_entry::merge(format, &gemfile::LAYOUT, texts.as_deref()),
        Format::ComposerLock => by_entry::merge(format, &composer::LAYOUT, texts.as_deref()),
        Format::NugetLock => by_entry::merge(format, &nuget::LAYOUT, texts.as_deref()),
        Format::GradleVerification => by_entry::merge(format, &gradle_verification::LAYOUT, texts.as_deref()),
    }?;
    // Of the first version of a Cargo.lock nothing is written where no package is left, and nothing is no lockfile.
    if format == Format::CargoLock && text.trim_ascii().is_empty() {
        return Err(Unmergeable::Unknown { side: Side::Ours, what: "no package".to_owned() });
    }
    conflicts.dedup();
    Ok(Merged { text: styled_as(ours, text), conflicts })
}

impl Merged {
    /// The text, if there was no conflict.
    pub fn into_clean(self) -> Option<Vec<u8>> {
        self.conflicts.is_empty().then_some(self.text)
    }
}

impl fmt::Display for MergeConflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_removed = |said: &Option<String>| said.clone().unwrap_or_else(|| "nothing".to_owned());
        write!(
            f,
            "{}: ours has {}, theirs has {}",
            self.place,
            or_removed(&self.ours),
            or_removed(&self.theirs)
        )?;
        if let Some(base) = &self.base {
            write!(f, ", both from {base}")?;
        }
        match &self.why {
            Some(why) => write!(f, "; {why}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Side::Base => "base",
            Side::Ours => "ours",
            Side::Theirs => "theirs",
        })
    }
}

/// The text with `\n` line ends, if it can be read and says nothing twice.
fn sound(format: Format, side: Side, bytes: &[u8]) -> Result<String, Unmergeable> {
    let damaged = |damage| Unmergeable::Damaged { side, damage };
    let lockfile = parse(format, bytes).map_err(damaged)?;
    if let Some(twice) = lockfile.damage.into_iter().find(|d| matches!(d, Damage::DuplicateEntry { .. })) {
        return Err(damaged(twice));
    }
    let text = String::from_utf8_lossy(bytes);
    Ok(without_mark(&text).1.replace("\r\n", "\n"))
}

fn styled_as(ours: &[u8], text: String) -> Vec<u8> {
    let windows = memchr::memchr(b'\n', ours).is_some_and(|at| at > 0 && ours[at - 1] == b'\r');
    let text = if windows { text.replace('\n', "\r\n") } else { text };
    let mark: &[u8] = if ours.starts_with(b"\xef\xbb\xbf") { b"\xef\xbb\xbf" } else { b"" };
    [mark, text.trim_start().as_bytes()].concat()
}
