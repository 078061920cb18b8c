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

use regreen_catalog::{Catalog, Pattern};
use regreen_detect::{Circumstances, Detector};
use regreen_logs::{ReadOptions, read};
use regreen_mask::Masker;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::top;

/// A labelled log of the corpus.
#[derive(Debug, Deserialize)]
struct Row {
    label: String,
    #[serde(default)]
    also: Vec<String>,
    #[serde(default)]
    repo: String,
    log: String,
}

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

/// Rows whose repository hashes to 0 mod 4 are the check set: the headline figures come from them alone, and nothing is
/// fixed by looking at them.
fn in_check_set(repo: &str) -> bool {
    let digest = Sha256::digest(repo.as_bytes());
    digest[..8].iter().fold(0u64, |n, b| n << 8 | u64::from(*b)) % 4 == 0
}

/// Measures, and with `--write` stores the counts.
pub fn measure(args: &[&str]) -> Result<String, String> {
    let value = |name| args.iter().position(|a| *a == name).and_then(|i| args.get(i + 1)).map(PathBuf::from);
    let catalog = Catalog::builtin().map_err(|e| e.to_string())?;
    let mut patterns: BTreeMap<String, Tally> = BTreeMap::new();
    let mut probes: BTreeMap<String, Tally> = BTreeMap::new();
    let (mut read_logs, mut right, mut passing_alarms) = (0u32, 0u32, 0u32);
    if let Some(corpus) = value("--corpus") {
        for name in ["excerpts.jsonl.zst", "full.jsonl.zst"] {
            for row in rows(&corpus.join(name))?.into_iter().filter(|r| !in_check_set(&r.repo)) {
                read_logs += 1;
                let (pattern, class) = diagnose(&catalog, &row.log);
                let named = class.as_deref().unwrap_or("passing");
                let good = named == row.label || row.also.iter().any(|a| a == named);
                right += u32::from(good);
                passing_alarms += u32::from(row.label == "passing" && class.is_some());
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

fn diagnose(catalog: &Catalog, log: &str) -> (Option<String>, Option<String>) {
    let log = read(log.as_bytes(), &ReadOptions::default());
    let detector = Detector::new(catalog);
    let scan = detector.scan(&log, &Circumstances { command: None, exit: None });
    let diagnosis = detector.conclude(&scan, &[], &Masker::new::<[&str; 0], &str>([])).diagnosis;
    (diagnosis.pattern, diagnosis.failed.then(|| diagnosis.class.id().to_owned()))
}

fn rows(path: &Path) -> Result<Vec<Row>, String> {
    let file = File::open(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let decoder =
        ruzstd::decoding::StreamingDecoder::new(file).map_err(|e| format!("{}: {e}", path.display()))?;
    BufReader::new(decoder)
        .lines()
        .map(|line| {
            let line = line.map_err(|e| e.to_string())?;
            serde_json::from_str(&line).map_err(|e| format!("{}: {e}", path.display()))
        })
        .collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_set_is_about_a_quarter_and_never_changes() {
        let picked = (0..4000).filter(|i| in_check_set(&format!("owner/repo{i}"))).count();
        assert!((900..1100).contains(&picked), "{picked} of 4000");
        assert!(!in_check_set("owner/repo0") || in_check_set("owner/repo0"));
        let fixed: Vec<bool> = ["rust-lang/rust", "python/cpython", "npm/cli"].map(in_check_set).to_vec();
        assert_eq!(fixed, ["rust-lang/rust", "python/cpython", "npm/cli"].map(in_check_set));
    }
}
