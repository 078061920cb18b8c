//! Logs: encodings, escape sequences, the dialects, and what logs are packed in.

use std::io::{Cursor, Read, Write};

use flate2::{Compression, write::GzEncoder};
use regreen_logs::{
    Archive, Dropped, Ending, Format, Limits, Line, Log, ReadError, ReadOptions, Reader, Source, read,
};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use zip::write::SimpleFileOptions;

use super::bytes;
use crate::Target;

const LINES: &str = "lines are numbered in order, columns name the raw line's characters, text has no control characters; \
                     the same in pieces";

pub(super) fn targets() -> [Target; 5] {
    let target = |name, law, run, seeds, share| Target { name, law, run, seeds, words: &WORDS, share };
    [
        target("dialects", LINES, dialects as fn(&[u8]), logs as fn() -> Vec<Vec<u8>>, 40),
        target("encodings", LINES, encodings, encoded, 60),
        target(
            "packed",
            "what was packed reads as what it was; what was damaged is an error or a log",
            packed,
            packages,
            30,
        ),
        target("archive", "an entry is a log or an error, in the order of the names", archive, archives, 60),
        target("spool", "what was cut is not read, and lines count from what was dropped", spool, logs, 60),
    ]
}

/// Marks of every dialect, and what hides in lines.
pub(super) const WORDS: [&str; 44] = [
    "##[group]Run ",
    "##[endgroup]",
    "##[error]",
    "##[error]Process completed with exit code 1.",
    "Post job cleanup.\n",
    "Cleaning up orphan processes\n",
    "Current runner version: '2.316.0'\n",
    "2024-05-01T12:34:56.1234567Z ",
    "\u{feff}2024-05-01T12:34:56Z ",
    "job\tstep\t2024-05-01T12:00:00.0Z ",
    "job\tUNKNOWN STEP\t",
    "section_start:1700000000:step_script\r\x1b[0K",
    "section_end:1700000000:step_script\r\x1b[0K",
    "section_start:1700000000:after_script\r\x1b[0K",
    "Running with gitlab-runner 17\n",
    "ERROR: Job failed: exit code 1\n",
    "Job succeeded\n",
    "[Pipeline] { (Build)\n",
    "[Pipeline] { (Declarative: Post Actions)\n",
    "Stage \"x\" skipped due to earlier failure(s)\n",
    "Finished: FAILURE\n",
    "Finished: SUCCESS\n",
    "Started by user x\n",
    "[12:34:56] ",
    "travis_fold:start:install\r\x1b[0K",
    "travis_fold:end:install\r\x1b[0K",
    "travis_fold:start:after_success\r",
    "The command \"x\" exited with 1.\n",
    "Done. Your build exited with 1.\n",
    "#!/bin/bash -eo pipefail\n",
    "Exited with code exit status 1\n",
    "====>> ",
    "~~~ Running commands\n",
    "~~~ Running global pre-exit hook\n",
    "\x1b_bk;t=1700000000000\x07",
    "🚨 Error: The command exited with status 1\n",
    "##[section]Starting: npm ci\n",
    "##[section]Finishing: Finalize Job\n",
    "Build started\n",
    "Command exited with code 1\n",
    "#12 3.456 ",
    "Attempt 1 failed. Reason: x\n",
    "The command \"x\" failed. Retrying, 2 of 3.\n",
    "PK\x05\x06",
];

/// A job in each dialect.
pub(super) fn logs() -> Vec<Vec<u8>> {
    let github = "2024-05-01T12:00:00.0Z Current runner version: '2.316.0'\n2024-05-01T12:00:01.0Z ##[group]Run npm ci\n\
                  2024-05-01T12:00:02.0Z \x1b[31mnpm error code ECONNRESET\x1b[0m\n2024-05-01T12:00:02.0Z ##[error]Process completed with exit code 1.\n\
                  2024-05-01T12:00:03.0Z Post job cleanup.\n2024-05-01T12:00:03.0Z Cleaning up orphan processes\n";
    let cli: String = github.lines().map(|line| format!("build\tRun npm ci\t{line}\n")).collect();
    [
        github,
        &cli,
        "Running with gitlab-runner 17.0.0\nsection_start:1700000000:step_script\r\x1b[0KExecuting\nnpm error code E503\n\
         section_end:1700000003:step_script\r\x1b[0Ksection_start:1700000003:after_script\r\x1b[0KAfter\nx\n\
         section_end:1700000004:after_script\r\x1b[0K\n\x1b[31;1mERROR: Job failed: exit code 1\n",
        "Started by user admin\n[Pipeline] { (Build)\n[2024-05-01T12:00:00.000Z] + make\nmake: *** [all] Error 2\n[Pipeline] { (Deploy)\n\
         Stage \"Deploy\" skipped due to earlier failure(s)\nFinished: FAILURE\n",
        "travis_fold:start:install.1\r\x1b[0K$ npm ci\ntravis_fold:end:install.1\r\x1b[0K\n$ npm test\n1 failing\n\
         \x1b[31;1mThe command \"npm test\" exited with 1.\x1b[0m\n\nDone. Your build exited with 1.\n",
        "Build-agent version 1.0.0\n#!/bin/bash -eo pipefail\nnpm ci\nnpm error code E503\n\nExited with code exit status 1\n",
        "\x1b_bk;t=1700000000000\x07~~~ Running commands\n\x1b_bk;t=1700000000000\x07npm error code E503\n\
         \x1b[31m🚨 Error: The command exited with status 1\x1b[0m\n~~~ Running global pre-exit hook\nx\n",
        "2024-05-01T12:00:00.0Z ##[section]Starting: npm ci\n2024-05-01T12:00:00.0Z npm error code E503\n\
         2024-05-01T12:00:00.0Z ##[error]Bash exited with code '1'.\n2024-05-01T12:00:00.0Z ##[section]Finishing: Finalize Job\n",
        "[00:00:00] Build started\n[00:00:00] git clone -q https://x.example/y.git\n[00:00:09] npm error\n[00:00:09] Command exited with code 1\n",
        " 10%\r 50%\r100%\rdone\n\x1b]8;;https://x.example\x07link\x1b]8;;\x1b\\ \u{2819}\x1b[1Gab\x08c\n",
        "src/a.c:3:9: error: expected expression\r\nmake: *** [a.o] Error 1\r\n",
    ]
    .map(bytes)
    .to_vec()
}

/// Everything that a diagnosis may see of a log.
type Told = (&'static str, Ending, Option<String>, bool, Vec<(u64, u32, String)>);

pub(super) fn told(log: &Log<'_>) -> Told {
    let line = |line: Line<'_>| {
        let text = line.text();
        (line.number, text.column(0), text.as_str().to_owned())
    };
    (
        log.format().id(),
        log.ending(),
        log.failed_step().map(str::to_owned),
        log.truncated(),
        log.lines().map(line).collect(),
    )
}

/// What holds of any log.
fn sound(log: &Log<'_>) {
    sound_after(log, false);
}

/// The same; `cut`: of the first line, the beginning may be lost.
fn sound_after(log: &Log<'_>, cut: bool) {
    let mut last = 0;
    let mut numbers = log.numbers();
    for line in log.lines() {
        assert!(line.number > last, "line {} after {last}: {:?}, {:?}", line.number, log.steps(), told(log));
        last = line.number;
        assert_eq!(numbers.of(line.start), line.number);
        let found = log.line_at(line.start + 1).map(|found| (found.number, found.start));
        if !line.raw.is_empty() {
            assert_eq!(found, Some((line.number, line.start)));
        }
        let raw: Vec<char> = String::from_utf8_lossy(line.raw).chars().collect();
        let text = line.text();
        for (byte, c) in text.as_str().char_indices() {
            assert!(c == '\t' || !c.is_control(), "{c:?} in {:?}", text.as_str());
            let column = text.column(byte) as usize;
            // Of bytes that are no UTF-8, columns count as an editor does, and not as this conversion.
            if line.raw.utf8_chunks().count() <= 1 && !(cut && line.start == 0) {
                assert_eq!(raw.get(column - 1), Some(&c), "column {column} of {:?}", line.raw);
            }
        }
    }
    for step in log.steps() {
        assert!(step.name.chars().all(|c| c == '\t' || !c.is_control()), "{:?}", step.name);
    }
    log.last_attempt();
    assert_eq!(log.lines_from_the_end().count(), log.lines().count());
}

fn in_pieces(input: &[u8], options: &ReadOptions) -> Log<'static> {
    let size = 1 + input.len() % 97;
    let mut reader = Reader::new(options);
    input.chunks(size).for_each(|piece| reader.push(piece));
    reader.finish()
}

fn dialects(input: &[u8]) {
    for format in std::iter::once(None).chain(Format::ALL.map(Some)) {
        let options = ReadOptions { format, ..ReadOptions::default() };
        let mut reader = Reader::new(&options);
        reader.push(input);
        let log = reader.finish();
        sound(&log);
        assert_eq!(told(&log), told(&in_pieces(input, &options)));
    }
    // Where a window is small, what is read is its end.
    let options = ReadOptions { window_bytes: 64, line_bytes: 16, ..ReadOptions::default() };
    for line in read(input, &options).lines() {
        assert!(line.text().as_str().len() <= 16 * 3, "{:?}", line.text());
    }
}

fn encoded() -> Vec<Vec<u8>> {
    let mut all = logs();
    for log in logs() {
        let text = String::from_utf8_lossy(&log).into_owned();
        all.push([0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect());
        all.push([0xfe, 0xff].into_iter().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect());
        all.push(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
        all.push(text.chars().map(|c| c as u8).collect());
    }
    all
}

fn encodings(input: &[u8]) {
    let log = read(input, &ReadOptions::default());
    sound(&log);
    if let Ok(streamed) = source().read(Drip(input, 1 + input.len() % 13)) {
        assert_eq!(told(&log), told(&streamed));
        let file = source().read_file(&mut Cursor::new(input)).map(|tail| (tail.unread, told(&tail.log)));
        assert!(file.is_ok_and(|(unread, file)| unread == 0 && file == told(&log)));
    }
}

fn source() -> Source {
    Source {
        options: ReadOptions::default(),
        limits: Limits { bytes: 1 << 20, ratio: 200, free: 1 << 16, entries: 20 },
    }
}

/// A source that gives a few bytes at a time.
struct Drip<'b>(&'b [u8], usize);

impl Read for Drip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.0.len().min(self.1).min(buffer.len());
        buffer[..length].copy_from_slice(&self.0[..length]);
        self.0 = &self.0[length..];
        Ok(length)
    }
}

pub(super) fn gzip(input: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(input).and_then(|()| encoder.finish()).unwrap_or_default()
}

fn packages() -> Vec<Vec<u8>> {
    logs()
        .into_iter()
        .flat_map(|log| [gzip(&log), compress_to_vec(&*log, CompressionLevel::Fastest), log])
        .collect()
}

/// The input as it is, which may be a damaged package; and the input packed.
fn packed(input: &[u8]) {
    if let Ok(log) = source().read(input) {
        sound(&log);
    }
    let plain = source().read(input);
    for packed in [gzip(input), compress_to_vec(input, CompressionLevel::Fastest)] {
        match (&plain, source().read(&*packed)) {
            (Ok(plain), Ok(unpacked)) if !packs(input) => assert_eq!(told(plain), told(&unpacked)),
            // What was packed is packed twice now.
            (Ok(_), Err(ReadError::Binary("packed twice"))) if packs(input) => {}
            (Err(_), Err(_)) => {}
            (plain, unpacked) => panic!("{:?} became {:?}", plain.is_ok(), unpacked.map(|log| told(&log))),
        }
    }
}

fn packs(input: &[u8]) -> bool {
    use regreen_logs::Kind;
    matches!(Kind::of(input), Kind::Gzip | Kind::Zstd | Kind::Zip)
}

fn archives() -> Vec<Vec<u8>> {
    let logs = logs();
    let zip = |names: &[&str], method: zip::CompressionMethod| {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, log) in names.iter().zip(logs.iter().cycle()) {
            let options = SimpleFileOptions::default().compression_method(method);
            let _full = zip.start_file(*name, options).map(|()| zip.write_all(log));
        }
        zip.finish().map(Cursor::into_inner).unwrap_or_default()
    };
    let run = ["0_build.txt", "build/1_npm ci.txt", "1_lint.txt", "system.txt", "../../etc/x.log"];
    vec![
        zip(&run, zip::CompressionMethod::Deflated),
        zip(&run, zip::CompressionMethod::Stored),
        zip(&["a", "b/c.log"], zip::CompressionMethod::Stored),
    ]
}

fn archive(input: &[u8]) {
    let source = source();
    let Ok(mut archive) = Archive::open(Cursor::new(input), source.limits) else { return };
    let Ok(entries) = archive.logs() else { return };
    assert!(entries.len() <= source.limits.entries);
    for entry in entries {
        if let Ok(log) = archive.read(&entry, &source.options) {
            sound(&log);
        }
    }
}

fn spool(input: &[u8]) {
    let lost = Dropped { lines: input.len() as u64 % 7, bytes: input.len() as u64 % 3 };
    let log = read(input, &ReadOptions::spool(lost));
    sound_after(&log, true);
    assert!(
        log.steps().is_empty() && log.failed_step().is_none(),
        "a mark in a command's own output is forged"
    );
    assert!(log.lines().next().is_none_or(|line| line.number > lost.lines));
    if lost != Dropped::default() {
        let first = input.split(|b| *b == b'\n').next().unwrap_or_default();
        let left = log.lines().next().map_or(0, |line| line.raw.len());
        let whole = input.contains(&b'\n');
        assert!(whole || first.is_empty() || left < first.len(), "the rest of a cut line was read");
    }
}
