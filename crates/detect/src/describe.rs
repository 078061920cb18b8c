//! What a summary sums up: the line that describes the failure, where the pattern says how such lines read.

use std::collections::BTreeSet;
use std::iter::successors;

use regreen_catalog::Description;
use regreen_logs::{Line, Log};

use crate::Detector;
use crate::hit::{Detail, Hit};
use crate::scan::first_words;

/// So much of a line is looked at, and kept.
const TEXT_BYTES: usize = 2 * 1024;

impl Detector<'_> {
    /// Finds the details of every pattern's first counting hit: the one that can become the root.
    pub(crate) fn describe(&self, hits: &mut [Hit], log: &Log<'_>) {
        let mut described = BTreeSet::new();
        for hit in hits.iter_mut().filter(|hit| hit.counts) {
            let Some(pattern) = self.pattern(hit.pattern).filter(|p| !p.matcher.details.is_empty()) else {
                continue;
            };
            if described.insert(hit.pattern)
                && let Some(line) = log.line(hit.start, hit.line)
            {
                hit.detail = detail(&pattern.matcher, &line, log);
            }
        }
    }
}

fn detail(matcher: &regreen_catalog::Matcher, line: &Line<'_>, log: &Log<'_>) -> Option<Detail> {
    let (before, after) = matcher.details_within();
    let here = |line: &Line<'_>| !ends_a_command(line.raw);
    let earlier: Vec<Line<'_>> = successors(log.line_before(line), |line| log.line_before(line))
        .take(before)
        .take_while(here)
        .collect();
    let later: Vec<Line<'_>> =
        successors(log.line_after(line), |line| log.line_after(line)).take(after).take_while(here).collect();
    let (place, column) = matcher.describe(&texts(&earlier), &texts(&later))?;
    let found = match place {
        Description::Before(i) => earlier.get(i),
        Description::After(i) => later.get(i),
    }?;
    let text = found.text();
    Some(Detail {
        line: found.number,
        column: text.column(column),
        text: first_words(text.as_str(), TEXT_BYTES).to_owned(),
    })
}

fn texts(lines: &[Line<'_>]) -> Vec<String> {
    lines.iter().map(|line| first_words(line.text().as_str(), TEXT_BYTES).to_owned()).collect()
}

/// Whether an earlier command ended here, by Travis's word: what stands before it is another matter.
fn ends_a_command(raw: &[u8]) -> bool {
    memchr::memmem::find(raw, b"The command \"").is_some()
        && memchr::memmem::find(raw, b"exited with ").is_some()
}
