//! Archives that come out the same each time: members in the order given, of nobody, at one moment.

use std::io::Write;

use flate2::{Compression, GzBuilder};

/// A file in an archive.
pub struct Member {
    /// Its path.
    pub path: String,
    /// Its permissions.
    pub mode: u32,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl Member {
    /// A file that everybody may read.
    pub fn file(path: impl Into<String>, bytes: &[u8]) -> Member {
        Member { path: path.into(), mode: 0o644, bytes: bytes.to_vec() }
    }

    /// A file that everybody may start.
    pub fn program(path: impl Into<String>, bytes: &[u8]) -> Member {
        Member { mode: 0o755, ..Member::file(path, bytes) }
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
        let parts: Vec<&str> = member.path.split('/').collect();
        for part in &parts[..parts.len() - 1] {
            folder = format!("{folder}{part}/");
            if part != &"." && known.insert(folder.clone()) {
                append(&mut tar, &folder, 0o755, tar::EntryType::Directory, &[], at)?;
            }
        }
        append(&mut tar, &member.path, member.mode, tar::EntryType::Regular, &member.bytes, at)?;
    }
    gz(&tar.into_inner().map_err(|e| e.to_string())?)
}

fn append(
    tar: &mut tar::Builder<Vec<u8>>,
    path: &str,
    mode: u32,
    kind: tar::EntryType,
    bytes: &[u8],
    at: u64,
) -> Result<(), String> {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_mtime(at);
    header.set_size(bytes.len() as u64);
    header.set_username("root").and_then(|()| header.set_groupname("root")).map_err(|e| e.to_string())?;
    tar.append_data(&mut header, path, bytes).map_err(|e| format!("{path}: {e}"))
}

/// Packed by gzip, without a name or a time.
///
/// # Errors
/// None that memory has.
pub fn gz(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut writer = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    writer.write_all(bytes).and_then(|()| writer.finish()).map_err(|e| e.to_string())
}
