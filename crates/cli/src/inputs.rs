//! What `diagnose` is given: files, folders, patterns, standard input; and the logs in them.

mod feeds;

use std::{
    fs::{self, File},
    io::{self, Cursor, Read, Seek},
    path::{Path, PathBuf},
};

use regreen_logs::{Archive, Entry, Kind, Log, ReadError, Source};

/// An archive on standard input is kept in memory, so it may not be larger.
const LARGEST_PIPED_ARCHIVE: u64 = 32 << 20;

/// So many folders deep is looked.
const DEPTH: usize = 32;

/// Endings of files that are taken for logs where a folder is named; files without one are taken too.
const ENDINGS: [&str; 9] = ["log", "txt", "out", "err", "gz", "zst", "zstd", "zip", "console"];

/// The files that what was typed stands for, in order.
///
/// # Errors
/// Where it stands for none.
pub fn files(typed: &Path) -> io::Result<Vec<PathBuf>> {
    if typed == Path::new("-") || typed.is_file() {
        return Ok(vec![typed.to_path_buf()]);
    }
    let mut found = Vec::new();
    if typed.is_dir() {
        folder(typed, DEPTH, &mut found)?;
        return if found.is_empty() { Err(nothing("there are no logs in it")) } else { Ok(found) };
    }
    let text = typed.to_string_lossy();
    if !typed.exists() && text.contains(['*', '?', '[']) {
        let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::new() };
        let matches =
            glob::glob_with(&text, options).map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e))?;
        for path in matches.filter_map(Result::ok) {
            match path.is_dir() {
                true => folder(&path, DEPTH, &mut found)?,
                false => found.push(path),
            }
        }
        found.dedup();
        return if found.is_empty() { Err(nothing("no file is named like this")) } else { Ok(found) };
    }
    // A pipe or a device, or the error that says that there is nothing.
    fs::metadata(typed).map(|_| vec![typed.to_path_buf()])
}

fn nothing(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, why)
}

/// The logs of a folder and of those in it, by name. Links to folders are not followed.
fn folder(at: &Path, depth: usize, found: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries = fs::read_dir(at)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let (path, kind) = (entry.path(), entry.file_type()?);
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if kind.is_dir() && depth > 0 {
            folder(&path, depth - 1, found)?;
        } else if path.is_file() && is_log(&path) {
            found.push(path);
        }
    }
    Ok(())
}

fn is_log(path: &Path) -> bool {
    let Some(ending) = path.extension().and_then(|ending| ending.to_str()) else { return true };
    // `build.log.1`, as logs are rotated.
    ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending))
        || ending.bytes().all(|b| b.is_ascii_digit())
}

/// Reads every log of a file, and hands each on with its name: that of the file, and of the entry in an archive.
pub fn logs(path: &Path, each: &mut dyn FnMut(String, Result<Log<'static>, ReadError>)) {
    let name = path.display().to_string();
    if path == Path::new("-") {
        match stdin() {
            Ok(Stdin::Log(log)) => apart(name, Ok(*log), each),
            Ok(Stdin::Archive(bytes)) => archive(&name, Cursor::new(bytes), each),
            Err(e) => each(name, Err(e)),
        }
        return;
    }
    match File::open(path) {
        Ok(file) => opened(name, file, each),
        Err(e) => each(name, Err(e.into())),
    }
}

/// Reads every log of a file that is open already.
pub fn opened(name: String, mut file: File, each: &mut dyn FnMut(String, Result<Log<'static>, ReadError>)) {
    let seekable = file.metadata().is_ok_and(|m| m.is_file());
    let mut head = Vec::new();
    match file.by_ref().take(4).read_to_end(&mut head) {
        Err(e) => each(name, Err(e.into())),
        Ok(_) if !seekable => apart(name, Source::default().read(Cursor::new(head).chain(file)), each),
        Ok(_) if Kind::of(&head) == Kind::Zip => archive(&name, file, each),
        Ok(_) => apart(name, whole(&file), each),
    }
}

/// Reads a log that was handed over as text.
pub fn text(name: &str, text: &str, each: &mut dyn FnMut(String, Result<Log<'static>, ReadError>)) {
    apart(name.to_owned(), Source::default().read(Cursor::new(text)), each);
}

/// Of a log of several jobs, each that failed is an input of its own.
fn apart(
    name: String,
    log: Result<Log<'static>, ReadError>,
    each: &mut dyn FnMut(String, Result<Log<'static>, ReadError>),
) {
    let log = match log {
        Ok(log) => log,
        Err(e) => return each(name, Err(e)),
    };
    for (job, log) in log.by_job() {
        let name = job.map_or_else(|| name.clone(), |job| format!("{name}:{job}"));
        each(name, Ok(log));
    }
}

/// The log of a file that is no archive.
///
/// # Errors
/// Where it can't be read, or is no log.
pub fn log(path: &Path) -> Result<Log<'static>, ReadError> {
    whole(&File::open(path)?)
}

/// A log from a file; a long one from its end, with the line numbers that it has in the whole.
fn whole(file: &File) -> Result<Log<'static>, ReadError> {
    let skipped = Source::skipped(file.metadata()?.len());
    let (log, feeds) = feeds::beside(file, skipped, || {
        let tail = Source::default().read_file(&mut &*file)?;
        Ok::<_, ReadError>((tail.log, tail.unread))
    })?;
    Ok(log.after(feeds))
}

enum Stdin {
    Log(Box<Log<'static>>),
    Archive(Vec<u8>),
}

fn stdin() -> Result<Stdin, ReadError> {
    let mut stdin = io::stdin().lock();
    let mut head = Vec::new();
    stdin.by_ref().take(4).read_to_end(&mut head)?;
    if Kind::of(&head) != Kind::Zip {
        let log = Source::default().read(Cursor::new(head).chain(stdin))?;
        return Ok(Stdin::Log(Box::new(log)));
    }
    let mut bytes = head;
    stdin.take(LARGEST_PIPED_ARCHIVE).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST_PIPED_ARCHIVE {
        return Err(ReadError::TooLarge(LARGEST_PIPED_ARCHIVE >> 20));
    }
    Ok(Stdin::Archive(bytes))
}

fn archive(
    name: &str,
    source: impl Read + Seek,
    each: &mut dyn FnMut(String, Result<Log<'static>, ReadError>),
) {
    let source_of_all = Source::default();
    let opened = Archive::open(source, source_of_all.limits);
    let (mut archive, entries): (_, Vec<Entry>) =
        match opened.and_then(|mut a| a.logs().map(|logs| (a, logs))) {
            Ok((_, entries)) if entries.is_empty() => return each(name.to_owned(), Err(ReadError::Empty)),
            Ok(opened) => opened,
            Err(e) => return each(name.to_owned(), Err(e)),
        };
    for entry in entries {
        let log = archive.read(&entry, &source_of_all.options);
        apart(format!("{name}:{}", entry.name), log, each);
    }
}
