//! `regreen bench accuracy`: how often a diagnosis from a log alone is right, on labelled logs.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    num::NonZero,
    path::{Path, PathBuf},
    sync::{Mutex, mpsc},
    thread,
};

use regreen_bench::{FOLDS, Found, Judged, Label, Row, Scores, Set, chunks, fold, lines, row};
use regreen_catalog::Catalog;
use regreen_detect::{Detector, model::Model};
use regreen_engine::diagnose_log_with;
use regreen_mask::Masker;

use crate::{
    args::{AccuracyArgs, CorpusSet, Format},
    commands::diagnose::cure,
    context::catalog,
    exit::{Failed, NOTHING_TO_READ},
    output::{accuracy, print::print},
};

/// So many lines wait for a worker: logs are long.
const WAITING: usize = 8;

/// Diagnoses every row of the set, and prints how good that was.
pub fn accuracy(args: &AccuracyArgs) -> Result<u8, Failed> {
    let catalog = catalog()?;
    let set = match args.set {
        CorpusSet::Check => Set::Check,
        CorpusSet::Train => Set::Train,
        CorpusSet::All => Set::All,
    };
    let (logs, marked) = files(&args.corpus).map_err(|e| unreadable(&args.corpus, e))?;
    let models = args.folds.as_deref().map(models).transpose()?.unwrap_or_default();
    let judge_with = Judge::new(&catalog, &models);
    let judged = judge(&logs, &marked, set, &judge_with)?;
    if judged.is_empty() {
        return Err(unreadable(&args.corpus, "it holds no row of this set")
            .help("name a folder of *.jsonl or *.jsonl.zst files"));
    }
    let scores = Scores::of(&judged);
    let shown = |row: &&Judged| args.misses && Set::Train.holds(&row.repo) && !row.accepts(row.found.label);
    let misses: Vec<&Judged> = judged.iter().filter(shown).collect();
    print(&match args.format {
        Format::Json => accuracy::json(&scores, set, &misses),
        Format::Plain => accuracy::plain(&scores, set, &misses),
    })
}

fn unreadable(path: &Path, why: impl std::fmt::Display) -> Failed {
    Failed::new(NOTHING_TO_READ, format!("{}: {why}", path.display()))
}

/// The files of labelled logs and those of marked chunks, by name.
fn files(folder: &Path) -> io::Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    let name =
        |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    paths.retain(|path| name(path).ends_with(".jsonl") || packed(path));
    paths.sort();
    Ok(paths.into_iter().partition(|path| !name(path).starts_with("chunks.")))
}

fn packed(path: &Path) -> bool {
    path.to_string_lossy().ends_with(".jsonl.zst")
}

/// One thread unpacks, the others diagnose; the order of the rows is that of the files.
fn judge(logs: &[PathBuf], marked: &[PathBuf], set: Set, judge: &Judge<'_>) -> Result<Vec<Judged>, Failed> {
    let mut marks = BTreeMap::new();
    for path in marked {
        let file = File::open(path).map_err(|e| unreadable(path, e))?;
        let chunks = chunks(file, packed(path)).map_err(|e| unreadable(path, e))?;
        marks.extend(chunks.into_iter().map(|chunk| (chunk.id, (chunk.first_line, chunk.last_line))));
    }
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let (send, receive) = mpsc::sync_channel::<(usize, String)>(WAITING);
    let receive = Mutex::new(receive);
    let work = || -> Result<Vec<(usize, Judged)>, String> {
        let mut judged = Vec::new();
        loop {
            // A worker that panicked ends the program; its lock is of no interest.
            let next = receive.lock().map_err(|e| e.to_string())?.recv();
            let Ok((number, line)) = next else { return Ok(judged) };
            let row = row(&line).map_err(|e| format!("row {}: {e}", number + 1))?;
            if set.holds(&row.repo) {
                let chunk = marks.get(&row.id).copied();
                judged.push((number, judge.row(row, chunk)));
            }
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let mut number = 0;
        for path in logs {
            let file = File::open(path).map_err(|e| unreadable(path, e))?;
            for line in lines(file, packed(path)).map_err(|e| unreadable(path, e))? {
                let line = line.map_err(|e| unreadable(path, e))?;
                // It fails where every worker met an error, which is reported below.
                if send.send((number, line)).is_err() {
                    break;
                }
                number += 1;
            }
        }
        drop(send);
        let mut judged = Vec::new();
        for worker in workers {
            let done = worker.join().unwrap_or_else(|_| Err("a worker panicked".to_owned()));
            judged.extend(done.map_err(|why| Failed::new(NOTHING_TO_READ, why))?);
        }
        judged.sort_by_key(|(number, _)| *number);
        Ok(judged.into_iter().map(|(_, judged)| judged).collect())
    })
}

/// The weights of every fold, `fold-0.bin` and so on.
fn models(folder: &Path) -> Result<Vec<Model>, Failed> {
    let model = |i| {
        let path = folder.join(format!("fold-{i}.bin"));
        let bytes = fs::read(&path).map_err(|e| unreadable(&path, e))?;
        Model::parse(&bytes).map_err(|e| unreadable(&path, e))
    };
    (0..FOLDS).map(model).collect()
}

/// Diagnoses rows as `diagnose` does.
struct Judge<'c> {
    catalog: &'c Catalog,
    /// One, or one a fold.
    detectors: Vec<Detector<'c>>,
    masker: Masker,
}

impl<'c> Judge<'c> {
    fn new(catalog: &'c Catalog, models: &'c [Model]) -> Judge<'c> {
        let mut detectors: Vec<_> = models.iter().map(|model| Detector::with_model(catalog, model)).collect();
        if detectors.is_empty() {
            detectors.push(Detector::new(catalog));
        }
        Judge { catalog, detectors, masker: Masker::new::<[&str; 0], &str>([]) }
    }

    fn row(&self, row: Row, chunk: Option<(u64, u64)>) -> Judged {
        let detector = self.detectors.get(fold(&row.repo)).unwrap_or(&self.detectors[0]);
        let diagnosis = diagnose_log_with(detector, row.log.as_bytes(), &self.masker).diagnosis;
        let found = Found {
            label: if diagnosis.failed { Label::Failed(diagnosis.class) } else { Label::Passing },
            second: diagnosis.alternatives.first().map(|a| a.class),
            confidence: diagnosis.confidence.value(),
            heals: cure(self.catalog, &diagnosis).action == "heal",
            line: diagnosis.evidence.first().map(|e| e.line),
        };
        Judged { id: row.id, repo: row.repo, label: row.label, also: row.also, found, chunk }
    }
}
