//! A zip archive of logs, as the GitHub API gives it for a run: `0_build.txt` for each job, `build/3_npm ci.txt` for
//! each of its steps. Names are shown, and never used as paths.

use std::io::{Read, Seek, SeekFrom};

use zip::ZipArchive;

use super::Limits;
use crate::{Log, ReadError, ReadOptions, Source};

/// The list of entries may take so many bytes: it is read into memory before anything is counted.
const LARGEST_LIST: u64 = 4 << 20;

/// A zip archive of logs.
#[derive(Debug)]
pub struct Archive<R> {
    zip: ZipArchive<R>,
    limits: Limits,
}

/// One log of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name in the archive.
    pub name: String,
    index: usize,
}

impl<R: Read + Seek> Archive<R> {
    /// Reads the list of entries.
    ///
    /// # Errors
    /// Where it is no archive, or has more entries than the limits allow.
    pub fn open(mut source: R, limits: Limits) -> Result<Archive<R>, ReadError> {
        if list_bytes(&mut source)?.is_some_and(|bytes| bytes > LARGEST_LIST) {
            return Err(ReadError::Entries(limits.entries));
        }
        let zip = ZipArchive::new(source)?;
        if zip.len() > limits.entries {
            return Err(ReadError::Entries(limits.entries));
        }
        Ok(Archive { zip, limits })
    }

    /// The logs in it, one a job: where the archive also holds each step of a job apart, the steps are left out.
    ///
    /// # Errors
    /// Where an entry can't be read.
    pub fn logs(&mut self) -> Result<Vec<Entry>, ReadError> {
        let mut all = Vec::new();
        for index in 0..self.zip.len() {
            let file = self.zip.by_index_raw(index)?;
            let name = file.name()?.into_owned();
            if !file.is_dir() && file.size() > 0 && is_log(&name) {
                all.push(Entry { name, index });
            }
        }
        let jobs: Vec<String> = all.iter().filter_map(|e| job(&e.name)).collect();
        all.retain(|entry| match entry.name.split_once('/') {
            Some((folder, _)) => !jobs.iter().any(|job| job == folder),
            None => true,
        });
        all.sort_by_key(|entry| natural(&entry.name));
        Ok(all)
    }

    /// Reads one of them.
    ///
    /// # Errors
    /// Where it can't be unpacked within the limits, or is no text.
    pub fn read(&mut self, entry: &Entry, options: &ReadOptions) -> Result<Log<'static>, ReadError> {
        let limits = self.limits;
        let file = self.zip.by_index(entry.index)?;
        let packed = file.compressed_size();
        Source { options: *options, limits }.read_unpacked(file, packed)
    }
}

/// Text files, and files without an ending; not what tools put beside them.
fn is_log(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    !name.starts_with("__MACOSX/")
        && !file.starts_with('.')
        && file != "system.txt"
        && file.rsplit_once('.').is_none_or(|(_, ending)| {
            ["txt", "log", "out", "err"].iter().any(|known| ending.eq_ignore_ascii_case(known))
        })
}

/// The job whose whole log an entry at the archive's root is: `0_build.txt` is that of `build`.
fn job(name: &str) -> Option<String> {
    if name.contains('/') {
        return None;
    }
    let (number, rest) = name.split_once('_')?;
    let job = rest.strip_suffix(".txt")?;
    number.bytes().all(|b| b.is_ascii_digit()).then(|| job.to_owned())
}

/// Names in the order of their numbers: `2_b` before `10_a`.
fn natural(name: &str) -> Vec<(u64, String)> {
    let parts = name.split_inclusive('/').map(|part| {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        (part[..digits].parse().unwrap_or(u64::MAX), part.to_owned())
    });
    parts.collect()
}

/// How many bytes the list of entries takes, by the record at the archive's end.
fn list_bytes(source: &mut (impl Read + Seek)) -> Result<Option<u64>, ReadError> {
    const RECORD: u64 = 22 + u16::MAX as u64;
    let length = source.seek(SeekFrom::End(0))?;
    source.seek(SeekFrom::Start(length.saturating_sub(RECORD)))?;
    let mut end = Vec::new();
    source.by_ref().take(RECORD).read_to_end(&mut end)?;
    source.seek(SeekFrom::Start(0))?;
    let record = memchr::memmem::rfind(&end, b"PK\x05\x06").and_then(|at| end.get(at + 12..at + 16));
    Ok(record.and_then(|size| size.try_into().ok()).map(|size| u64::from(u32::from_le_bytes(size))))
}
