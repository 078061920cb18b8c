//! An archive of logs, within bounds: so many entries, so many bytes, and no name that leads out of it.

use std::io::{Cursor, Read};

use zip::ZipArchive;

use crate::{ForgeError, LogEntry};

/// Bounds for what comes from a host.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Bytes of a job's log that are kept, from its end.
    pub log: u64,
    /// A log longer than this is not read on.
    pub longest_log: u64,
    /// Bytes of an archive as it comes.
    pub archive: u64,
    /// Bytes of all that comes out of an archive.
    pub unpacked: u64,
    /// Entries of an archive.
    pub entries: usize,
}

/// The list of entries of an archive may take so many bytes.
const LARGEST_LIST: u32 = 16 << 20;

impl Default for Bounds {
    fn default() -> Self {
        Bounds {
            log: 64 << 20,
            longest_log: 4 << 30,
            archive: 128 << 20,
            unpacked: 512 << 20,
            entries: 20_000,
        }
    }
}

/// The text files of an archive. Folders and empty entries are left out.
///
/// # Errors
/// [`ForgeError::TooLarge`] past the bounds; [`ForgeError::Garbage`] where it is no whole archive, or a name leads out of it.
pub(crate) fn entries(what: &str, bytes: Vec<u8>, bounds: &Bounds) -> Result<Vec<LogEntry>, ForgeError> {
    let garbage =
        |why: &dyn std::fmt::Display| ForgeError::Garbage { what: what.to_owned(), why: why.to_string() };
    let too_large = || ForgeError::TooLarge { what: what.to_owned(), limit: bounds.unpacked };
    if list_bytes(&bytes) > LARGEST_LIST {
        return Err(too_large());
    }
    let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(|e| garbage(&e))?;
    if zip.len() > bounds.entries {
        return Err(too_large());
    }
    let (mut logs, mut left) = (Vec::new(), bounds.unpacked);
    for index in 0..zip.len() {
        let entry = zip.by_index(index).map_err(|e| garbage(&e))?;
        let name = entry.name().map_err(|e| garbage(&e))?.into_owned();
        if !stays_inside(&name) {
            return Err(garbage(&format_args!("an entry is called {:?}", shortened(&name))));
        }
        if entry.is_dir() {
            continue;
        }
        let mut text = Vec::new();
        // Not what the entry says of itself counts, but what comes out of it.
        entry.take(left + 1).read_to_end(&mut text).map_err(|e| garbage(&e))?;
        left = left.checked_sub(text.len() as u64).ok_or_else(too_large)?;
        if !text.is_empty() {
            logs.push(LogEntry { name, bytes: text });
        }
    }
    Ok(logs)
}

/// How many bytes the list of entries takes, by the record at the archive's end: it is read into memory before anything is
/// counted.
fn list_bytes(bytes: &[u8]) -> u32 {
    let tail = bytes.get(bytes.len().saturating_sub(22 + usize::from(u16::MAX))..).unwrap_or_default();
    let record = tail.windows(4).rposition(|w| w == b"PK\x05\x06");
    let size = record.and_then(|at| tail.get(at + 12..at + 16)).and_then(|size| size.try_into().ok());
    size.map_or(0, u32::from_le_bytes)
}

/// Relative and without `..`. Jobs are named by people: the colon in `0_build: linux.txt` is none of a drive.
fn stays_inside(name: &str) -> bool {
    let drive = name.as_bytes().get(1) == Some(&b':');
    !drive
        && !name.is_empty()
        && !name.starts_with('/')
        && !name.contains(['\\', '\0'])
        && name.split('/').all(|part| part != ".." && part != ".")
}

fn shortened(name: &str) -> String {
    name.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in files {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(content).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    #[test]
    fn logs_come_out_and_what_leads_out_does_not() {
        let bounds = Bounds { unpacked: 1000, entries: 3, ..Bounds::default() };
        let good = packed(&[("0_build: linux.txt", b"npm ci"), ("build/1_Set up.txt", b"x")]);
        let logs = entries("logs", good.clone(), &bounds).unwrap();
        assert_eq!(
            logs.iter().map(|l| l.name.as_str()).collect::<Vec<_>>(),
            ["0_build: linux.txt", "build/1_Set up.txt"]
        );
        for name in ["../x", "/etc/passwd", "a/../../b", "C:\\x", "C:/x", "a\\..\\b"] {
            let refused = entries("logs", packed(&[(name, b"x")]), &bounds);
            assert!(matches!(refused, Err(ForgeError::Garbage { .. })), "{name}: {refused:?}");
        }
        // A bomb: a thousand times larger than it looks.
        let bomb = packed(&[("a.txt", &[0; 900]), ("b.txt", &[0; 900_000])]);
        assert!(matches!(entries("logs", bomb, &bounds), Err(ForgeError::TooLarge { .. })));
        let many = packed(&[("a", b"1"), ("b", b"1"), ("c", b"1"), ("d", b"1")]);
        assert!(matches!(entries("logs", many, &bounds), Err(ForgeError::TooLarge { .. })));
        for length in 0..good.len() {
            let cut = entries("logs", good[..length].to_vec(), &bounds);
            assert!(matches!(cut, Err(ForgeError::Garbage { .. })), "{length}: {cut:?}");
        }
    }
}
