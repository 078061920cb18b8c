//! Laws of sources: however a log comes (in pieces, packed, from its end), it reads the same; what is made to do harm
//! is an error.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::io::{Cursor, Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use regreen_logs::{Archive, Ending, Kind, Limits, Log, ReadError, ReadOptions, Reader, Source, read};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use zip::write::SimpleFileOptions;

/// Everything that a diagnosis may see of a log.
type Told = (&'static str, Ending, Option<String>, bool, Vec<(u64, u32, String)>);

fn told(log: &Log<'_>) -> Told {
    told_after(log, 0)
}

fn told_after(log: &Log<'_>, lines: u64) -> Told {
    let line = |line: regreen_logs::Line<'_>| {
        let text = line.text();
        (line.number + lines, text.column(0), text.as_str().to_owned())
    };
    let step = log.failed_step().map(str::to_owned);
    (log.format().id(), log.ending(), step, log.truncated(), log.lines().map(line).collect())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
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

/// A job in the format of some CI, with these words in its steps.
fn job(ci: usize, words: &[String]) -> String {
    let body = |at: usize| words.iter().skip(at).step_by(2).map(|w| format!("{w}\n")).collect::<String>();
    let (a, b) = (body(0), body(1));
    let stamped = |text: String| {
        text.lines().map(|line| format!("2024-05-01T12:34:56.1234567Z {line}\n")).collect::<String>()
    };
    match ci {
        0 => format!("{a}{b}"),
        1 => stamped(format!(
            "##[group]Run a\n{a}##[group]Run b\n{b}##[error]Process completed with exit code 1.\n"
        )),
        2 => format!(
            "travis_fold:start:install\r\n{a}travis_fold:end:install\r\n{b}\
             The command \"b\" exited with 1.\n\nDone. Your build exited with 1.\n"
        ),
        3 => format!(
            "section_start:1700000000:get_sources\r\u{1b}[0K\n{a}section_start:1700000000:step_script\r\u{1b}[0K\n{b}\
             section_start:1700000000:cleanup_file_variables\r\u{1b}[0K\nERROR: Job failed: exit code 1\n"
        ),
        _ => format!("Started by user a\n[Pipeline] {{ (A)\n{a}[Pipeline] {{ (B)\n{b}Finished: FAILURE\n"),
    }
}

fn words() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec("([a-zé ]|\u{1b}\\[[0-9]m|\r|\0){0,20}", 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn however_it_comes_it_reads_the_same(ci in 0usize..5, words in words(), size in 1usize..40) {
        let log = job(ci, &words);
        let bytes = log.as_bytes();
        let want = told(&read(bytes, &ReadOptions::default()));
        let mut reader = Reader::new(&ReadOptions::default());
        bytes.chunks(size).for_each(|piece| reader.push(piece));
        prop_assert_eq!(&told(&reader.finish()), &want);
        let source = Source::default();
        prop_assert_eq!(&told(&source.read(Drip(bytes, size)).unwrap()), &want);
        prop_assert_eq!(&told(&source.read(&gzip(bytes)[..]).unwrap()), &want);
        prop_assert_eq!(&told(&source.read(&zstd(bytes)[..]).unwrap()), &want);
        prop_assert_eq!(&told(&source.read_file(&mut Cursor::new(bytes)).unwrap().log), &want);
        let packed = zip(&[("0_a.txt", bytes)]);
        let mut archive = Archive::open(Cursor::new(packed), Limits::default()).unwrap();
        let entries = archive.logs().unwrap();
        prop_assert_eq!(&told(&archive.read(&entries[0], &ReadOptions::default()).unwrap()), &want);
        let mut utf16 = vec![0xff, 0xfe];
        utf16.extend(log.encode_utf16().flat_map(u16::to_le_bytes));
        prop_assert_eq!(&told(&source.read(&utf16[..]).unwrap()), &want);
    }

    #[test]
    fn any_bytes_are_a_log_or_an_error(
        head in prop::sample::select(vec![&b""[..], b"\x1f\x8b\x08\0\0\0\0\0\0\0", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"\xff\xfe", b"\x50\x2a\x4d\x18"]),
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let all = [head, &bytes].concat();
        let source = Source::default();
        if let Ok(log) = source.read(&all[..]) {
            prop_assert!(log.lines().all(|line| line.number > 0 && line.text().column(0) > 0));
        }
        let archive = Archive::open(Cursor::new(all), Limits::default());
        if let Ok(mut archive) = archive {
            for entry in archive.logs().unwrap_or_default() {
                let _either = archive.read(&entry, &ReadOptions::default());
            }
        }
    }

    #[test]
    fn a_packed_log_that_was_damaged_is_read_as_far_as_it_goes_or_is_an_error(
        at in 0usize..4000, to in any::<u8>(), cut in 0usize..4000,
    ) {
        let text: String = (0..400).map(|i| format!("line {i} of a log {}\n", i * i)).collect();
        for mut packed in [gzip(text.as_bytes()), zstd(text.as_bytes()), zip(&[("a.txt", text.as_bytes())])] {
            let length = packed.len();
            packed[at % length] = to;
            packed.truncate(20 + cut % length);
            let _either = Source::default().read(&packed[..]);
            if let Ok(mut archive) = Archive::open(Cursor::new(packed), Limits::default()) {
                for entry in archive.logs().unwrap_or_default() {
                    let _either = archive.read(&entry, &ReadOptions::default());
                }
            }
        }
    }
}

#[test]
fn a_long_file_is_read_from_its_end_and_says_the_same() {
    let filler: Vec<String> =
        (0..900_000).map(|i| format!("building {i:06} of many, without a problem")).collect();
    for ci in 0..5 {
        let mut words = filler.clone();
        words.extend(["short".to_owned(), "npm error code ECONNRESET".to_owned()]);
        // The last step is a short one.
        let mut log = job(ci, &words);
        if ci != 0 {
            let last = job(ci, &["x".to_owned(), "npm error code E503".to_owned()]);
            log.push_str(&last);
        }
        assert!(log.len() > 33 << 20, "{}", log.len());
        let whole = Source::default().read(log.as_bytes()).unwrap();
        let tail = Source::default().read_file(&mut Cursor::new(log.as_bytes())).unwrap();
        assert!(tail.unread > 0, "{ci} was read whole");
        let before = &log.as_bytes()[..usize::try_from(tail.unread).unwrap()];
        let lines = before.iter().filter(|b| **b == b'\n').count() as u64;
        assert_eq!(told_after(&tail.log, lines), told(&whole), "{ci}");
    }
}

#[test]
fn a_long_file_whose_end_does_not_decide_is_read_whole() {
    let failed = job(1, &["a".to_owned(), "npm error".to_owned()]);
    let rest: String =
        (0..700_000).map(|i| format!("2024-05-01T12:34:56.1234567Z cleaning up number {i:06}\n")).collect();
    let log = format!("{failed}2024-05-01T12:34:56.1234567Z Post job cleanup.\n{rest}");
    let tail = Source::default().read_file(&mut Cursor::new(log.as_bytes())).unwrap();
    assert_eq!((tail.unread, tail.log.failed_step()), (0, Some("b")));
}

#[test]
fn what_is_made_to_do_harm_is_an_error() {
    let limits = Limits { bytes: 1 << 20, ratio: 50, free: 64 << 10, entries: 3 };
    let source = Source { limits, options: ReadOptions::default() };
    let bomb = vec![b'a'; 800 << 10];
    for packed in [gzip(&bomb), zstd(&bomb)] {
        assert!(matches!(source.read(&packed[..]), Err(ReadError::Bomb(50))));
    }
    let mut noise = Vec::new();
    let mut state = 1u32;
    while noise.len() < 2 << 20 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        noise.push(b'a' + (state >> 28) as u8);
        noise.extend((state >> 10 & 31 == 0).then_some(b'\n'));
    }
    assert!(matches!(source.read(&gzip(&noise)[..]), Err(ReadError::TooLarge(1))));
    let packed = zip(&[("a.txt", &bomb)]);
    let mut archive = Archive::open(Cursor::new(packed), limits).unwrap();
    let entry = archive.logs().unwrap().remove(0);
    assert!(matches!(archive.read(&entry, &ReadOptions::default()), Err(ReadError::Bomb(50))));
    let many: Vec<String> = (0..4).map(|i| format!("{i}.txt")).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), &b"x"[..])).collect();
    assert!(matches!(Archive::open(Cursor::new(zip(&many)), limits), Err(ReadError::Entries(3))));
    // A text may be as long as it likes: nothing is kept of it but the window.
    assert!(source.read(&noise[..]).is_ok());
}

#[test]
fn an_archive_of_a_run_gives_its_jobs() {
    let packed = zip(&[
        ("build/1_Set up job.txt", b"x\n"),
        ("build/2_npm ci.txt", b"npm error code E503\n"),
        ("build/system.txt", b"x\n"),
        ("10_lint.txt", b"ok\n"),
        ("2_build.txt", b"npm error code E503\n"),
        ("../../evil.txt", b"x\n"),
        ("other/1_only a step.txt", b"x\n"),
        ("image.png", b"\x89PNG"),
        ("__MACOSX/2_build.txt", b"x\n"),
    ]);
    assert_eq!(Kind::of(&packed), Kind::Zip);
    assert!(matches!(Source::default().read(&packed[..]), Err(ReadError::Archive)));
    let mut archive = Archive::open(Cursor::new(packed), Limits::default()).unwrap();
    let names: Vec<String> = archive.logs().unwrap().into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, ["2_build.txt", "10_lint.txt", "../../evil.txt", "other/1_only a step.txt"]);
}

#[test]
fn what_is_no_log_says_what_it_is() {
    for (bytes, want) in [
        (&b""[..], "it is empty"),
        (b"\x7fELF\x02\x01\x01\0\0\0", "it is no text but a program"),
        (b"\x89PNG\r\n\x1a\n", "it is no text but an image"),
    ] {
        assert_eq!(Source::default().read(bytes).unwrap_err().to_string(), want);
    }
    assert_eq!(Source::default().read(&gzip(b"")[..]).unwrap_err().to_string(), "it is empty");
    assert!(matches!(
        Source::default().read(&gzip(&gzip(b"x\n"))[..]),
        Err(ReadError::Binary("packed twice"))
    ));
    let two = [gzip(b"one\n"), gzip(b"two\n")].concat();
    assert_eq!(Source::default().read(&two[..]).unwrap().lines().count(), 2);
    let skipped = [b"\x50\x2a\x4d\x18\x03\0\0\0abc".to_vec(), zstd(b"one\n"), zstd(b"two\n")].concat();
    assert_eq!(Source::default().read(&skipped[..]).unwrap().lines().count(), 2);
}
