//! The whole way, from bytes to what is shown.

use std::sync::LazyLock;

use regreen_catalog::Catalog;
use regreen_detect::{Circumstances, Detector, Hang};
use regreen_domain::Diagnosis;
use regreen_logs::{Log, ReadOptions, Reader, Source, read};
use regreen_mask::Masker;
use regreen_show::{Cure, Diagnosed, harmless::harmless};

use super::logs::{WORDS, gzip, logs};
use super::show::checked;
use crate::Target;

pub(super) const TARGET: Target = Target {
    name: "diagnose",
    law: "evidence points into the log; a passed job has none; the same in pieces and packed; no secret is in it; all \
          formats are harmless",
    run,
    seeds,
    words: &WORDS,
    share: 4,
};

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| regreen_builtin::catalog().unwrap_or_default());
static DETECTOR: LazyLock<Detector<'static>> = LazyLock::new(|| Detector::new(&CATALOG));

static MASKER: LazyLock<Masker> = LazyLock::new(|| Masker::new([SECRET]));

const SECRET: &str = "planted-secret-value";

/// Jobs, and every example of the catalogue.
fn seeds() -> Vec<Vec<u8>> {
    let examples =
        CATALOG.patterns().iter().flat_map(|p| p.examples.iter().map(|e| e.log.as_bytes().to_vec()));
    let secret = format!("npm error network timeout at: https://registry.example/{SECRET}\n").into_bytes();
    logs().into_iter().chain(examples).chain([secret]).collect()
}

fn diagnosed(log: &Log<'_>) -> Diagnosis {
    let scan = DETECTOR.scan(log, &Circumstances::default());
    DETECTOR.conclude(&scan, &[], &MASKER).diagnosis
}

fn hang(log: &Log<'_>) -> Option<Hang> {
    let scan = DETECTOR.scan(log, &Circumstances::default());
    DETECTOR.conclude(&scan, &[], &MASKER).hang
}

fn run(input: &[u8]) {
    let log = read(input, &ReadOptions::default());
    let found = diagnosed(&log);
    for evidence in &found.evidence {
        let line = log.lines().find(|line| line.number == evidence.line);
        let length = line.map(|line| String::from_utf8_lossy(line.raw).chars().count());
        assert!(length.is_some_and(|length| evidence.column as usize <= length.max(1)), "{evidence:?}");
        assert!(!evidence.text.contains(SECRET), "{evidence:?}");
    }
    assert!(found.failed || found.evidence.is_empty(), "{found:?}");
    if let Ok(streamed) = Source::default().read(input) {
        assert_eq!(diagnosed(&streamed), found);
        if let Ok(unpacked) = Source::default().read(&*gzip(input)) {
            assert_eq!(diagnosed(&unpacked), found);
        }
        let mut reader = Reader::new(&ReadOptions::default());
        input.chunks(7).for_each(|piece| reader.push(piece));
        if std::str::from_utf8(input).is_ok() && !input.contains(&0) {
            assert_eq!(diagnosed(&reader.finish()), found);
        }
    }
    let pattern = found.pattern.as_deref().and_then(|id| CATALOG.pattern(id));
    let cure = Cure { action: "none", playbook: None, risk: None };
    checked(&Diagnosed {
        input: harmless("a.log"),
        diagnosis: found,
        cure,
        pattern,
        hang: hang(&log),
        named: Default::default(),
    });
}
