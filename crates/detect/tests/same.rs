//! The same window, the same verdict: however the log comes, and whichever CI wrote its marks around the same words.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::io::{Cursor, Write};
use std::sync::LazyLock;

use flate2::{Compression, write::GzEncoder};
use regreen_catalog::{Catalog, Strength};
use regreen_detect::{Circumstances, Detector};
use regreen_domain::Diagnosis;
use regreen_logs::{Archive, Format, Limits, Log, ReadOptions, Reader, Source, read};
use regreen_mask::Masker;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| regreen_builtin::catalog().unwrap());
static DETECTOR: LazyLock<Detector<'static>> = LazyLock::new(|| Detector::new(&CATALOG));
static MASKER: LazyLock<Masker> = LazyLock::new(|| Masker::new::<[&str; 0], &str>([]));

fn diagnosed(log: &Log<'_>) -> Diagnosis {
    DETECTOR.conclude(&DETECTOR.scan(log, &Circumstances::default()), &[], &MASKER).diagnosis
}

/// What tools say in the catalogue's examples: of every pattern that names a cause, the first one's first lines; of
/// those, every so many.
fn examples(every: usize) -> Vec<String> {
    let causes = CATALOG.patterns().iter().filter(|p| p.strength == Strength::Cause);
    causes.filter_map(|p| p.examples.first().map(|e| e.log.to_string())).step_by(every).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zip(bytes: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("0_build.txt", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(bytes).unwrap();
    zip.finish().unwrap().into_inner()
}

/// The same bytes, by every way in which they come.
fn ways(bytes: &[u8]) -> Vec<(&'static str, Log<'static>)> {
    let source = Source::default();
    let pieces = |size: usize| {
        let mut reader = Reader::new(&ReadOptions::default());
        bytes.chunks(size).for_each(|piece| reader.push(piece));
        reader.finish()
    };
    let mut archive = Archive::open(Cursor::new(zip(bytes)), Limits::default()).unwrap();
    let entry = archive.logs().unwrap().remove(0);
    vec![
        ("bytes by bytes", pieces(1)),
        ("pieces", pieces(61)),
        ("stream", source.read(bytes).unwrap()),
        ("file", source.read_file(&mut Cursor::new(bytes)).unwrap().log),
        ("gzip", source.read(&*gzip(bytes)).unwrap()),
        ("Zstandard", source.read(&*compress_to_vec(bytes, CompressionLevel::Fastest)).unwrap()),
        ("zip", archive.read(&entry, &ReadOptions::default()).unwrap()),
    ]
}

#[test]
fn however_it_comes() {
    for example in examples(12) {
        let dressed = dress(Format::GithubRaw, &example);
        for bytes in [example.as_bytes(), dressed.as_bytes()] {
            let once = diagnosed(&read(bytes, &ReadOptions::default()));
            for (way, log) in ways(bytes) {
                assert_eq!(diagnosed(&log), once, "{way}: {example}");
            }
            let text = String::from_utf8_lossy(bytes).replace('\n', "\r\n");
            assert_eq!(diagnosed(&read(text.as_bytes(), &ReadOptions::default())), once, "CRLF: {example}");
        }
    }
}

/// A job of this CI in which one step says these words, and fails.
fn dress(format: Format, words: &str) -> String {
    let words = words.trim_end();
    let each =
        |prefix: &str, text: String| text.lines().map(|line| format!("{prefix}{line}\n")).collect::<String>();
    const STAMP: &str = "2024-05-01T12:00:00.0000000Z ";
    let github = format!(
        "Current runner version: '2.316.0'\n##[group]Run make all\nmake all\n##[endgroup]\n{words}\n\
         ##[error]Process completed with exit code 1.\nPost job cleanup.\nCleaning up orphan processes\n"
    );
    match format {
        Format::Plain => format!("{words}\n"),
        Format::GithubRaw => each(STAMP, github),
        Format::GithubCli => each(&format!("build\tRun make all\t{STAMP}"), github),
        Format::Gitlab => format!(
            "Running with gitlab-runner 17.0.0\nsection_start:1700000000:step_script\r\x1b[0KExecuting\nmake all\n{words}\n\
             section_end:1700000003:step_script\r\x1b[0Ksection_start:1700000003:cleanup_file_variables\r\x1b[0KCleaning up\n\
             section_end:1700000004:cleanup_file_variables\r\x1b[0K\n\x1b[31;1mERROR: Job failed: exit code 1\n\x1b[0;m\n"
        ),
        Format::Jenkins => format!(
            "Started by user admin\n[Pipeline] stage\n[Pipeline] {{ (Build)\n+ make all\n{words}\n[Pipeline] }}\n\
             [Pipeline] End of Pipeline\nERROR: script returned exit code 1\nFinished: FAILURE\n"
        ),
        Format::Travis => format!(
            "travis_fold:start:worker_info\r\x1b[0KWorker information\ntravis_fold:end:worker_info\r\x1b[0K\n$ make all\n{words}\n\
             \x1b[31;1mThe command \"make all\" exited with 1.\x1b[0m\n\nDone. Your build exited with 1.\n"
        ),
        Format::Circleci => {
            format!(
                "Build-agent version 1.0.0\n#!/bin/bash -eo pipefail\nmake all\n{words}\n\nExited with code exit status 1\n"
            )
        }
        Format::Buildkite => each(
            "\x1b_bk;t=1700000000000\x07",
            format!(
                "~~~ Preparing working directory\n~~~ Running commands\n$ make all\n{words}\n\
                 \x1b[31m🚨 Error: The command exited with status 1\x1b[0m\n~~~ Running global pre-exit hook\n"
            ),
        ),
        Format::Azure => each(
            STAMP,
            format!(
                "##[section]Starting: Initialize job\n##[section]Starting: make all\n{words}\n##[error]Bash exited with code '1'.\n\
                 ##[section]Finishing: make all\n##[section]Finishing: Finalize Job\n"
            ),
        ),
        Format::Appveyor => each(
            "[00:00:00] ",
            format!(
                "Build started\ngit clone -q https://x.example/y.git\nmake all\n{words}\nCommand exited with code 1\n"
            ),
        ),
    }
}

/// In every dress the same signature decides by the same line, and no verdict turns round.
#[test]
fn in_whichever_dress() {
    let mut others = Vec::new();
    for example in examples(9) {
        let told = |format: Format| {
            let log = read(dress(format, &example).as_bytes(), &ReadOptions::default());
            assert_eq!(log.format(), format, "{example}");
            let found = diagnosed(&log);
            let root = found.evidence.first().map(|e| e.text.trim().to_owned());
            (found.class, found.pattern, root)
        };
        let at_home = told(Format::GithubRaw);
        for format in Format::ALL.into_iter().filter(|format| *format != Format::Plain) {
            let told = told(format);
            if told != at_home {
                others.push(format!("{format:?}: {told:?} instead of {at_home:?}: {example}"));
            }
        }
    }
    assert_eq!(others, Vec::<String>::new(), "{} differ", others.len());
}
