//! Changing one file so that it can always be put back, byte for byte, also after a crash in the middle.
//!
//! Before: the file's digest, mode and modification time are journalled. Act: a copy is made durable in the state
//! folder, and only then the file is replaced by a rename. Undo: a file that still has its digest was not touched;
//! any other is restored from the copy.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use regreen_saga::Touch;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A file as it was before it was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedFile {
    /// SHA-256 of its bytes, lower-case hex; `None` where there was no file.
    pub sha256: Option<String>,
    /// Its permission bits.
    pub mode: u32,
    /// Its modification time in nanoseconds since 1970.
    pub modified: i64,
}

/// Largest file that is taken up, in bytes.
const LARGEST: u64 = 64 * 1024 * 1024;

/// SHA-256 in lower-case hex.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// Reads a regular file of at most 64 MiB; `None` where there is none. Links and special files are refused.
pub(crate) fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let metadata = match fs::symlink_metadata(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    if !metadata.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    if metadata.len() > LARGEST {
        return Err(io::Error::other("larger than 64 MiB"));
    }
    fs::read(path).map(Some)
}

impl SavedFile {
    /// Looks at the file, with its content.
    pub(crate) fn look(path: &Path) -> io::Result<(SavedFile, Option<Vec<u8>>)> {
        let Some(bytes) = read(path)? else {
            return Ok((SavedFile { sha256: None, mode: 0o644, modified: 0 }, None));
        };
        let metadata = fs::symlink_metadata(path)?;
        let saved = SavedFile {
            sha256: Some(sha256(&bytes)),
            mode: metadata.mode() & 0o7777,
            modified: metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec()),
        };
        Ok((saved, Some(bytes)))
    }

    /// Replaces the file by `new`, once a copy of what it was is durable at `copy`.
    pub(crate) fn replace(&self, touch: &Touch, path: &Path, copy: &Path, new: &[u8]) -> io::Result<()> {
        self.keep_copy(path, copy)?;
        self.put(touch, path, new)
    }

    /// Makes a durable copy at `copy`, unless it is there from an earlier try. Refuses where the file has changed
    /// since it was looked at.
    pub(crate) fn keep_copy(&self, path: &Path, copy: &Path) -> io::Result<()> {
        let Some(want) = &self.sha256 else { return Ok(()) };
        if read(copy)?.is_some_and(|kept| sha256(&kept) == *want) {
            return Ok(());
        }
        let bytes = read(path)?.filter(|now| sha256(now) == *want);
        let bytes = bytes.ok_or_else(|| io::Error::other("the file changed since it was looked at"))?;
        if let Some(folder) = copy.parent() {
            create_private(folder)?;
        }
        write_durably(copy, &bytes, 0o600)
    }

    /// Puts the file back as it was. Nothing happens where it still is.
    pub(crate) fn restore(&self, touch: &Touch, path: &Path, copy: &Path) -> io::Result<()> {
        remove_if_there(&scratch(touch, path))?;
        let now = read(path)?;
        if now.as_deref().map(sha256) == self.sha256 {
            return Ok(());
        }
        let Some(want) = &self.sha256 else { return remove_if_there(path) };
        let kept = read(copy)?.filter(|kept| sha256(kept) == *want);
        let kept = kept.ok_or_else(|| io::Error::other("the copy of the file is gone or damaged"))?;
        self.put(touch, path, &kept)?;
        let modified = UNIX_EPOCH + Duration::from_nanos(u64::try_from(self.modified).unwrap_or(0));
        File::options().write(true).open(path)?.set_modified(SystemTime::min(modified, SystemTime::now()))
    }

    fn put(&self, touch: &Touch, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let scratch = scratch(touch, path);
        write_durably(&scratch, bytes, self.mode)?;
        fs::rename(&scratch, path).inspect_err(|_| drop(fs::remove_file(&scratch)))?;
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    }
}

/// Where the copy of a file lies while its incident is open.
pub fn state_copy(state: &Path, incident: &str, step: &str) -> PathBuf {
    state.join("before").join(incident).join(step)
}

/// Makes the copy of a file that an undo works from once more, where it was deleted with its run.
///
/// # Errors
/// Where the state folder can't be written.
pub fn keep_state_copy(state: &Path, incident: &str, step: &str, bytes: &[u8]) -> io::Result<()> {
    let copy = state_copy(state, incident, step);
    if let Some(folder) = copy.parent() {
        create_private(folder)?;
    }
    write_durably(&copy, bytes, 0o600)
}

/// The name under which new bytes are written before they are renamed: the same for every try, so that a try that
/// was killed leaves nothing that nobody knows.
fn scratch(touch: &Touch, path: &Path) -> PathBuf {
    let name: String = touch.key().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    path.with_file_name(format!(".regreen-{name}.tmp"))
}

/// Writes a file, and returns once it is on the disk.
pub(crate) fn write_durably(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    remove_if_there(path)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| file.set_permissions(Permissions::from_mode(mode)))
        .and_then(|()| file.sync_all());
    // A half-written file is worse than none.
    written.inspect_err(|_| drop(fs::remove_file(path)))
}

pub(crate) fn remove_if_there(path: &Path) -> io::Result<()> {
    // Looked at first: on a read-only file system removing what is not there is an error of another kind.
    match fs::symlink_metadata(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        _ => fs::remove_file(path),
    }
}

/// Makes a folder, and those above it, that only this user can enter.
pub(crate) fn create_private(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}
