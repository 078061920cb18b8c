//! A repaired lockfile, written in one piece.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

/// Replaces the file's bytes by `new`, if it still holds `old`. A reader sees the one or the other, never a part.
///
/// # Errors
/// Where the file is a link, has changed, or can't be written.
pub fn put(path: &Path, old: &[u8], new: &[u8]) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is a link; name the file itself"));
    }
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let scratch = path.with_file_name(format!(".{name}.regreen-{}", std::process::id()));
    let mode = metadata.permissions().mode() & 0o7777;
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&scratch)?;
        file.write_all(new)?;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.sync_all()?;
        if fs::read(path)? != old {
            return Err(io::Error::other("it changed while it was looked at"));
        }
        fs::rename(&scratch, path)
    })();
    // A half-written file is worse than none.
    written.inspect_err(|_| drop(fs::remove_file(&scratch)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changed_or_is_a_link_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a.lock"), folder.path().join("b.lock"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(
            put(&file, b"other", b"new").unwrap_err().to_string(),
            "it changed while it was looked at"
        );
        assert_eq!(put(&link, b"old", b"new").unwrap_err().to_string(), "it is a link; name the file itself");
        assert_eq!(fs::read(&file).unwrap(), b"old");
        put(&file, b"old", b"new").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
