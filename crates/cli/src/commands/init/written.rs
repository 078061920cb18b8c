//! A file that `init` writes: its first line says by whom it was written and what it was then; the whole of that lies beside,
//! in `.regreen/init/`, so that edits can be told from it.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use super::merge::merge;
use crate::exit::{Failed, LEDGER, NOTHING_TO_READ};

/// How the first line begins.
const MARK: &str = "# regreen-init: ";

/// Where such a file is.
pub(super) struct Place {
    /// The top of the repository.
    root: PathBuf,
    /// Below the top of the repository.
    pub(super) name: String,
    /// Where what it was written as lies, below the top of the repository.
    pub(super) base_name: String,
}

/// Whose lines are taken where the file was edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Both sides' edits; where these meet, nobody's.
    Both,
    /// Both sides' edits; where these meet, those of the file.
    Kept,
    /// What is new, whoever wrote the file.
    New,
}

/// What becomes of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum New {
    /// This.
    Text(String),
    /// Somebody else wrote it.
    Foreign,
    /// It was edited, and what it was before is gone.
    NoBase,
    /// It was edited where it is to change: these lines, as git shows them.
    Conflicts(String),
}

/// The text with its first line.
pub(super) fn of(kind: &str, text: &str) -> String {
    format!("{MARK}{kind} {} sha256:{}\n{text}", env!("CARGO_PKG_VERSION"), digest(text))
}

fn digest(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The digest that the first line tells, and the rest.
fn read(text: &str) -> Option<(&str, &str)> {
    let (first, rest) = text.split_once('\n')?;
    let (_, digest) = first.trim_end().strip_prefix(MARK)?.rsplit_once("sha256:")?;
    Some((digest, rest))
}

/// The text with the line ends that all of it was written with: editors and git turn them into others, and that is no edit.
fn plain_ends(text: &str) -> String {
    text.replace("\r\n", "\n")
}

/// The text with the line ends of another, by that one's first line.
fn ends_of(text: &str, other: &str) -> String {
    match other.split_once('\n') {
        Some((first, _)) if first.ends_with('\r') => text.replace('\n', "\r\n"),
        _ => text.to_owned(),
    }
}

impl Place {
    pub(super) fn new(root: &Path, name: &str) -> Place {
        let file = name.rsplit('/').next().unwrap_or(name).trim_start_matches('.');
        let base_name = format!(".regreen/init/{file}");
        Place { root: root.to_owned(), name: name.to_owned(), base_name }
    }

    /// The file's text; `None` where there is none.
    ///
    /// # Errors
    /// Where it is a link or lies behind one, or can't be read.
    pub(super) fn read(&self) -> Result<Option<String>, Failed> {
        text_of(&self.root, &self.name)
    }

    /// What it was last written as, with the line ends that it had then; `None` where that is not known.
    ///
    /// # Errors
    /// As [`Place::read`].
    pub(super) fn base(&self) -> Result<Option<String>, Failed> {
        Ok(text_of(&self.root, &self.base_name)?.as_deref().map(plain_ends))
    }

    /// What it was last written as or, where that is gone, what `init` wrote and somebody may have edited.
    ///
    /// # Errors
    /// As [`Place::read`].
    pub(super) fn last(&self) -> Result<Option<String>, Failed> {
        match self.base()? {
            Some(base) => Ok(Some(base)),
            None => Ok(self.read()?.filter(|text| read(text).is_some())),
        }
    }

    /// What becomes of it.
    ///
    /// # Errors
    /// As [`Place::read`].
    pub(super) fn with(&self, before: Option<&str>, new: &str, side: Side) -> Result<New, Failed> {
        let base = self.base()?;
        Ok(after(before, base.as_deref(), new, side))
    }

    /// Writes it, and beside it what it was written as; if it still is as it was.
    ///
    /// # Errors
    /// Where it has changed meanwhile, or can't be written.
    pub(super) fn write(&self, before: Option<&str>, after: &str, new: &str) -> Result<(), Failed> {
        if self.read()?.as_deref() != before {
            return Err(Failed::new(LEDGER, format!("{} changed while it was looked at", self.name)));
        }
        let (old, base) = (text_of(&self.root, &self.base_name)?, self.root.join(&self.base_name));
        put(&base, new).map_err(|e| Failed::new(LEDGER, format!("{}: {e}", self.base_name)))?;
        put(&self.root.join(&self.name), after).map_err(|e| {
            // Edits of a file are told by the base that it names.
            let back = match old {
                Some(old) => put(&base, &old),
                None => fs::remove_file(&base),
            };
            let not_back = back.err().map(|e| format!("; {} could not be put back: {e}", self.base_name));
            Failed::new(LEDGER, format!("{}: {e}{}", self.name, not_back.unwrap_or_default()))
        })
    }
}

fn after(before: Option<&str>, base: Option<&str>, new: &str, side: Side) -> New {
    let Some(before) = before else { return New::Text(new.to_owned()) };
    let plain = plain_ends(before);
    match after_plain(&plain, base, new, side) {
        New::Text(text) if text == plain => New::Text(before.to_owned()),
        New::Text(text) => New::Text(ends_of(&text, before)),
        other => other,
    }
}

fn after_plain(before: &str, base: Option<&str>, new: &str, side: Side) -> New {
    if side == Side::New {
        return New::Text(new.to_owned());
    }
    let Some((told, edited)) = read(before) else { return New::Foreign };
    if digest(edited) == told {
        return New::Text(new.to_owned());
    }
    let base = base.and_then(read).filter(|(own, base)| *own == told && digest(base) == told);
    let Some((_, base)) = base else { return New::NoBase };
    // The first line is nobody's edit, and its neighbour may be one.
    let first = new.split_inclusive('\n').next().unwrap_or_default();
    let merged = merge(&format!("{first}{base}"), &format!("{first}{edited}"), new);
    match merged.conflicts {
        Some(conflicts) if side == Side::Both => New::Conflicts(conflicts),
        _ => New::Text(merged.text),
    }
}

fn text_of(root: &Path, name: &str) -> Result<Option<String>, Failed> {
    let path = &root.join(name);
    let failed = |e: io::Error| Failed::new(NOTHING_TO_READ, format!("{name}: {e}"));
    let folders = Path::new(name).ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
    for folder in folders {
        if fs::symlink_metadata(root.join(folder)).is_ok_and(|metadata| metadata.is_symlink()) {
            let what = format!("{name}: {} is a link, and is not followed", folder.display());
            return Err(Failed::new(NOTHING_TO_READ, what).help("make it a folder of the repository"));
        }
    }
    match fs::symlink_metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(failed(e)),
        Ok(metadata) if !metadata.is_file() => return Err(failed(io::Error::other("it is no regular file"))),
        Ok(_) => {}
    }
    fs::read_to_string(path).map(Some).map_err(failed)
}

/// By rename: whoever reads the file meanwhile never sees half of it.
fn put(path: &Path, text: &str) -> io::Result<()> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::Error::other("it names no file"));
    };
    fs::create_dir_all(folder)?;
    let scratch = folder.join(format!(".{}.regreen-{}", name.to_string_lossy(), std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).open(&scratch)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&scratch, path));
    written.inspect_err(|_| drop(fs::remove_file(&scratch)))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::{New, Place, Side, after, of};

    #[test]
    fn nothing_is_written_behind_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (root, outside) = (folder.path().join("repository"), folder.path().join("outside"));
        for linked in [".github/workflows", ".regreen", ".regreen/init"] {
            fs::create_dir_all(root.join(linked).parent().unwrap()).unwrap();
            fs::create_dir_all(&outside).unwrap();
            symlink(&outside, root.join(linked)).unwrap();
            let place = Place::new(&root, ".github/workflows/a.yml");
            assert!(place.read().and_then(|_| place.with(None, "new", Side::New)).is_err(), "{linked}");
            assert!(place.write(None, "new", "new").is_err(), "{linked}");
            assert_eq!(fs::read_dir(&outside).unwrap().count(), 0, "{linked}");
            fs::remove_dir_all(&root).unwrap();
        }
    }

    #[test]
    fn a_base_goes_back_where_its_file_can_not_be_written() {
        let folder = tempfile::tempdir().unwrap();
        // Its base has a short name; beside the file itself there is no room in a name for the scratch file.
        let place = Place::new(folder.path(), &format!("{}x", ".".repeat(250)));
        let base = folder.path().join(".regreen/init/x");
        assert!(place.write(None, "new", "new").is_err());
        assert!(!base.exists());
        fs::write(&base, "old").unwrap();
        assert!(place.write(None, "new", "new").is_err());
        assert_eq!(fs::read_to_string(&base).unwrap(), "old");
    }

    #[test]
    fn edits_stay_and_what_is_not_known_is_not_touched() {
        let (old, new) = (of("github", "a\nb\nc\nd\n"), of("github", "a\nb\nc\nD\n"));
        let edited = old.replace("b\n", "B\n");
        let (text, base) = (|text: &str| New::Text(text.to_owned()), Some(old.as_str()));
        assert_eq!(after(None, None, &new, Side::Both), text(&new));
        assert_eq!(after(Some(&old), None, &new, Side::Both), text(&new));
        assert_eq!(after(Some(&edited), base, &new, Side::Both), text(&new.replace("b\n", "B\n")));
        // Brought up to date once, it can be again.
        let again = of("github", "a\nb\nc\nD\ne\n");
        assert_eq!(
            after(Some(&new.replace("b\n", "B\n")), Some(&new), &again, Side::Both),
            text(&again.replace("b\n", "B\n"))
        );
        let both = old.replace("\nd\n", "\nmine\n");
        assert!(matches!(after(Some(&both), base, &new, Side::Both), New::Conflicts(_)));
        assert_eq!(after(Some(&both), base, &new, Side::Kept), text(&new.replace("\nD\n", "\nmine\n")));
        assert_eq!(after(Some(&edited), base, &new, Side::Kept), text(&new.replace("b\n", "B\n")));
        assert_eq!(after(Some(&edited), None, &new, Side::Kept), New::NoBase);
        // A base that is not the one which the file names is none.
        assert_eq!(after(Some(&edited), Some(&new), &new, Side::Both), New::NoBase);
        assert_eq!(after(Some("name: mine\n"), base, &new, Side::Kept), New::Foreign);
        assert_eq!(after(Some("name: mine\n"), base, &new, Side::New), text(&new));
    }
    #[test]
    fn line_ends_are_no_edits_and_stay_the_files_own() {
        let (old, new) = (of("github", "a\nb\nc\n"), of("github", "a\nb\nC\n"));
        let (base, other) = (Some(old.as_str()), |text: &str| text.replace('\n', "\r\n"));
        let text = |text: String| New::Text(text);
        assert_eq!(after(Some(&other(&old)), None, &new, Side::Both), text(other(&new)));
        let (edited, merged) = (old.replace("a\n", "A\n"), new.replace("a\n", "A\n"));
        assert_eq!(after(Some(&other(&edited)), base, &new, Side::Both), text(other(&merged)));
        // Only some of them, as one who pastes lines has it.
        let mixed = edited.replace("A\n", "A\r\n");
        assert_eq!(after(Some(&mixed), base, &new, Side::Both), text(merged));
        assert_eq!(after(Some(&other("name: mine\n")), base, &new, Side::New), text(other(&new)));
    }
}
