//! Archives that come out the same each time: members in the order given, of nobody, at one moment.

use std::io::Write;

use flate2::{Compression, GzBuilder};

/// A file or a folder in an archive.
pub struct Member {
    /// Its path; a folder's ends with a slash.
    pub path: String,
    /// Its permissions.
    pub mode: u32,
    /// Whose it is, by number.
    pub owner: u64,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl Member {
    /// A file that everybody may read.
    pub fn file(path: impl Into<String>, bytes: &[u8]) -> Member {
        Member { path: path.into(), mode: 0o644, owner: 0, bytes: bytes.to_vec() }
    }

    /// A file that everybody may start.
    pub fn program(path: impl Into<String>, bytes: &[u8]) -> Member {
        Member { mode: 0o755, ..Member::file(path, bytes) }
    }

    /// An empty folder; its path ends with a slash.
    pub fn folder(path: impl Into<String>, mode: u32, owner: u64) -> Member {
        Member { path: path.into(), mode, owner, bytes: Vec::new() }
    }
}

/// The members in a tar archive, with the folders that they lie in, packed by gzip.
///
/// # Errors
/// A path that no tar archive holds.
pub fn tar_gz(members: &[Member], at: u64) -> Result<Vec<u8>, String> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut known = std::collections::BTreeSet::new();
    for member in members {
        let mut folder = String::new();
        let parts: Vec<&str> = member.path.trim_end_matches('/').split('/').collect();
        for part in &parts[..parts.len() - 1] {
            folder = format!("{folder}{part}/");
            if part != &"." && known.insert(folder.clone()) {
                append(&mut tar, &Member::folder(folder.clone(), 0o755, 0), at)?;
            }
        }
        known.insert(member.path.clone());
        append(&mut tar, member, at)?;
    }
    gz(&tar.into_inner().map_err(|e| e.to_string())?)
}

fn append(tar: &mut tar::Builder<Vec<u8>>, member: &Member, at: u64) -> Result<(), String> {
    let Member { path, mode, owner, bytes } = member;
    let mut header = tar::Header::new_gnu();
    let is_folder = path.ends_with('/');
    header.set_entry_type(if is_folder { tar::EntryType::Directory } else { tar::EntryType::Regular });
    header.set_mode(*mode);
    header.set_mtime(at);
    header.set_size(bytes.len() as u64);
    header.set_uid(*owner);
    header.set_gid(*owner);
    if *owner == 0 {
        header.set_username("root").and_then(|()| header.set_groupname("root")).map_err(|e| e.to_string())?;
    }
    tar.append_data(&mut header, path, bytes.as_slice()).map_err(|e| format!("{path}: {e}"))
}

/// Packed by gzip, without a name or a time.
///
/// # Errors
/// None that memory has.
pub fn gz(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut writer = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    writer.write_all(bytes).and_then(|()| writer.finish()).map_err(|e| e.to_string())
}
