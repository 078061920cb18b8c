//! What holds for a change at either host, before anything is sent.

use sha1::{Digest, Sha1};

use crate::{Change, ForgeError, Repository};

/// What Regreen's branches are called, so that none is anybody else's.
const OWN: &str = "regreen/";

/// What git calls a file's content.
pub(crate) fn blob(content: &[u8]) -> String {
    let mut hash = Sha1::new();
    hash.update(format!("blob {}\0", content.len()));
    hash.update(content);
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether it can be asked for at all.
pub(crate) fn checked(repository: &Repository, change: &Change) -> Result<(), ForgeError> {
    let invalid = |why: &str| {
        Err(ForgeError::Invalid { what: format!("a change of {repository}"), why: why.to_owned() })
    };
    let name = change.branch.strip_prefix(OWN).unwrap_or_default();
    let right = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/');
    if name.is_empty() || !name.bytes().all(right) || name.contains("..") || name.ends_with(['/', '.']) {
        return invalid("its branch has to be called `regreen/…`, of letters, digits, `-`, `_`, `.` and `/`");
    }
    if change.base.is_empty() || change.base == change.branch {
        return invalid("it has no base branch");
    }
    if change.files.is_empty() {
        return invalid("it changes no file");
    }
    let inside = |path: &str| {
        path.split('/').all(|part| !matches!(part, "" | "." | ".." | ".git")) && !path.contains(['\\', '\0'])
    };
    if !change.files.iter().all(|file| inside(&file.path)) {
        return invalid("a file's path leads out of the repository");
    }
    if change.files.iter().any(|file| file.before.as_ref() == Some(&file.after)) {
        return invalid("a file is as it was");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::blob;

    #[test]
    fn content_is_named_as_git_names_it() {
        assert_eq!(blob(b""), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
        assert_eq!(blob(b"hello\n"), "ce013625030ba8dba906f756967f9e9ca394464a");
    }
}
