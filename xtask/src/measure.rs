//! `cargo xtask measure`: counts, on labelled logs, how often each pattern and each probe was right, and writes the
//! counts into the catalogue. Confidence comes from them and from nowhere else.
//!
//! Two sources: the open corpus (`--corpus DIR`, JSON Lines with zstd), without its check set, which nobody may tune
//! on; and what the lab measured (`--lab FILE`, one JSON object a scenario run, written by the lab suite).

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

use regreen_bench::{Label, Row, Set, lines, row};
use regreen_catalog::{Catalog, Pattern};
use regreen_detect::{Circumstances, Detector};
use regreen_domain::FailureClass;
use regreen_logs::{ReadOptions, read};
use regreen_mask::Masker;
use serde::Deserialize;

use crate::top;

/// One run of a lab scenario.
#[derive(Debug, Deserialize)]
struct LabRun {
    /// The class that the scenario's fault is of.
    truth: String,
    /// Classes that are right as well.
    #[serde(default)]
    also: Vec<String>,
    /// The pattern that decided.
    pattern: Option<String>,
    /// The class that was named.
    class: String,
    /// What the probes confirmed: probe and class.
    #[serde(default)]
    confirmed: Vec<(String, String)>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq)]
struct Tally {
    hits: u32,
    right: u32,
}

/// Measures, and with `--write` stores the counts.
pub fn measure(args: &[&str]) -> Result<String, String> {
    let value = |name| args.iter().position(|a| *a == name).and_then(|i| args.get(i + 1)).map(PathBuf::from);
    let catalog = regreen_builtin::catalog().map_err(|e| e.to_string())?;
    let mut patterns: BTreeMap<String, Tally> = BTreeMap::new();
    let mut probes: BTreeMap<String, Tally> = BTreeMap::new();
    let (mut read_logs, mut right, mut passing_alarms) = (0u32, 0u32, 0u32);
    if let Some(corpus) = value("--corpus") {
        for name in ["excerpts.jsonl.zst", "full.jsonl.zst"] {
            for row in rows(&corpus.join(name))? {
                read_logs += 1;
                let (pattern, class) = diagnose(&catalog, &row.log);
                let found = class.map_or(Label::Passing, Label::Failed);
                let good = found == row.label || row.also.contains(&found);
                right += u32::from(good);
                passing_alarms += u32::from(row.label == Label::Passing && found != Label::Passing);
                count(&mut patterns, pattern, good);
            }
        }
    }
    let mut lab_runs = 0;
    if let Some(lab) = value("--lab") {
        let file = File::open(&lab).map_err(|e| format!("{}: {e}", lab.display()))?;
        for line in BufReader::new(file).lines() {
            let line = line.map_err(|e| e.to_string())?;
            let run: LabRun = serde_json::from_str(&line).map_err(|e| format!("{}: {e}", lab.display()))?;
            lab_runs += 1;
            let fits = |class: &str| class == run.truth || run.also.iter().any(|a| a == class);
            count(&mut patterns, run.pattern.clone(), fits(&run.class));
            for (probe, class) in &run.confirmed {
                count(&mut probes, Some(probe.clone()), fits(class));
            }
        }
    }
    let n = read_logs + lab_runs;
    let mut said = format!(
        "{read_logs} logs of the corpus without its check set ({right} right, {passing_alarms} alarms on passing logs), \
         {lab_runs} lab runs\n"
    );
    for (what, tallies) in [("pattern", &patterns), ("probe", &probes)] {
        for (id, t) in tallies {
            said.push_str(&format!("{what} {id}: {} of {} right\n", t.right, t.hits));
        }
    }
    if args.contains(&"--write") {
        // `--new`: counts of patterns that were measured before, on more than is here now, stay.
        let again = |p: &&Pattern| !args.contains(&"--new") || p.measured.counts().hits == 0;
        for pattern in catalog.patterns().iter().filter(again) {
            let tally = patterns.get(&pattern.id).copied().unwrap_or_default();
            let path = top().join(format!("catalog/patterns/{}/{}.toml", pattern.class.id(), pattern.id));
            write_measured(&path, tally, n)?;
        }
        if !args.contains(&"--new") {
            write_probes(&probes, n)?;
        }
    }
    Ok(said)
}

fn count(tallies: &mut BTreeMap<String, Tally>, id: Option<String>, right: bool) {
    if let Some(id) = id {
        let tally = tallies.entry(id).or_default();
        tally.hits += 1;
        tally.right += u32::from(right);
    }
}

fn diagnose(catalog: &Catalog, log: &str) -> (Option<String>, Option<FailureClass>) {
    let log = read(log.as_bytes(), &ReadOptions::default());
    let detector = Detector::new(catalog);
    let scan = detector.scan(&log, &Circumstances { command: None, exit: None });
    let diagnosis = detector.conclude(&scan, &[], &Masker::new::<[&str; 0], &str>([])).diagnosis;
    (diagnosis.pattern, diagnosis.failed.then_some(diagnosis.class))
}

/// The rows that may be learned from.
pub(crate) fn rows(path: &Path) -> Result<Vec<Row>, String> {
    let fail = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
    let file = File::open(path).map_err(|e| fail(&e))?;
    let mut rows = Vec::new();
    for line in lines(file, true).map_err(|e| fail(&e))? {
        rows.push(row(&line.map_err(|e| fail(&e))?).map_err(|e| fail(&e))?);
    }
    rows.retain(|row| Set::Train.holds(&row.repo));
    Ok(rows)
}

/// Replaces the `[measured]` table, or puts one before the first example.
fn write_measured(path: &Path, tally: Tally, n: u32) -> Result<(), String> {
    rewrite(path, |text| {
        let at = text.find("[[example]]").unwrap_or(text.len());
        with_table(text, "[measured]", at, tally, n)
    })
}

/// The same for every probe, each in a table of its own.
fn write_probes(probes: &BTreeMap<String, Tally>, n: u32) -> Result<(), String> {
    rewrite(&top().join("catalog/probes.toml"), |text| {
        probes.iter().fold(text.to_owned(), |text, (id, tally)| {
            let head = format!("[{id}]\n");
            let section = text.find(&head).map_or(text.len(), |i| i + head.len());
            let at = text[section..].find("\n[").map_or(text.len(), |i| section + i + 1);
            with_table(&text, &format!("[{id}.measured]"), at, *tally, n)
        })
    })
}

fn rewrite(path: &Path, change: impl Fn(&str) -> String) -> Result<(), String> {
    let fail = |e: std::io::Error| format!("{}: {e}", path.display());
    let text = fs::read_to_string(path).map_err(fail)?;
    let new = change(&text);
    if new == text { Ok(()) } else { fs::write(path, new).map_err(fail) }
}

/// `text` with this table in place of the one of that head, or at `at` where there is none.
fn with_table(text: &str, head: &str, at: usize, tally: Tally, n: u32) -> String {
    let Tally { hits, right } = tally;
    let table = format!("{head}\nhits = {hits}\nright = {right}\nn = {n}\nby = \"cargo xtask measure\"\n");
    match text.find(&format!("{head}\n")) {
        Some(old) => {
            let end = text[old..].find("\n\n").map_or(text.len(), |i| old + i + 1);
            format!("{}{table}{}", &text[..old], &text[end..])
        }
        None => format!("{}{table}\n{}", &text[..at], &text[at..]).trim_end().to_owned() + "\n",
    }
}
