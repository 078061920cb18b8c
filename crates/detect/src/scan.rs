//! The one pass over a window: every line that is a pattern's, and who was speaking there.

use std::collections::{BTreeMap, VecDeque};

use regreen_catalog::Pattern;
use regreen_domain::Untrusted;
use regreen_logs::{Line, Log};

use crate::around::{Around, Sightings};
use crate::detector::Entry;
use crate::hit::Hit;
use crate::model::Reading;
use crate::speaker::Speakers;
use crate::unknown::LastWords;
use crate::{Circumstances, Detector, ExitFacts};

/// Of a pattern that matches again and again, the first lines and the last count; the rest say nothing new.
const FIRST: usize = 16;
const LAST: usize = 48;

/// So much of a line is kept as evidence.
const TEXT_BYTES: usize = 8 * 1024;

/// What a pass over a window found. It holds unmasked text; what [`Detector::conclude`] makes of it doesn't.
#[derive(Debug, Clone)]
pub struct Scan {
    /// In the order of the log.
    pub(crate) hits: Vec<Hit>,
    pub(crate) last_words: Option<LastWords>,
    pub(crate) speakers: Speakers,
    pub(crate) reading: Reading,
    pub(crate) command: Option<regreen_domain::CommandFacts>,
    pub(crate) exit: Option<ExitFacts>,
    pub(crate) step: Option<String>,
    pub(crate) step_failed: bool,
    pub(crate) passed: bool,
    pub(crate) truncated: bool,
}

/// Where a line was that satisfied a pattern's expression; its surroundings are looked at once all is read.
#[derive(Debug, Clone, Copy)]
struct Place {
    number: u64,
    start: usize,
}

/// The places of one pattern: the first and the last ones.
#[derive(Debug, Default)]
struct Places {
    first: Vec<Place>,
    last: VecDeque<Place>,
}

impl Scan {
    /// What the model reads of the window.
    pub fn reading(&self) -> &Reading {
        &self.reading
    }
}

impl Detector<'_> {
    /// Reads the window once.
    pub fn scan(&self, log: &Log<'_>, circumstances: &Circumstances<'_>) -> Scan {
        let mut speakers = Speakers::new(circumstances.command);
        let mut sightings = Sightings::new();
        let mut places: BTreeMap<usize, Places> = BTreeMap::new();
        let mut entries = Vec::new();
        let (mut counted_to, mut number) = (0, log.first_line());
        self.candidates.visit(log.window(), |start| {
            number += memchr::memchr_iter(b'\n', &log.window()[counted_to..start]).count() as u64;
            counted_to = start;
            let Some(line) = log.lines_from(start, number).next() else { return };
            let text = line.text();
            self.entries_for(text.as_str(), &mut entries);
            for entry in entries.iter().filter_map(|i| self.entries.get(*i)) {
                if !entry.expression().is_match(text.as_str()) {
                    continue;
                }
                match *entry {
                    Entry::Pattern(index, _) => {
                        places.entry(index).or_default().push(Place { number, start })
                    }
                    Entry::Banner(banner) => speakers.banner(number, banner.kind),
                    Entry::Context(context) => {
                        sightings.entry(context.line.as_str()).or_insert((number, number)).1 = number;
                    }
                }
            }
        });
        let reading = Reading::of(log);
        let mut hits = Vec::new();
        for (index, places) in places {
            let Some(pattern) = self.pattern(index) else { continue };
            for place in places.all() {
                let Some(line) = log.lines_from(place.start, place.number).next() else { continue };
                if pattern.matcher.fits(&mut Around { log, line, sightings: &sightings }) {
                    hits.extend(hit(index, pattern, &line, speakers.may_say(line.number, pattern)));
                }
            }
        }
        hits.sort_by_key(|hit| (hit.line, hit.pattern));
        Scan {
            last_words: LastWords::of(log),
            command: circumstances.command.cloned(),
            exit: circumstances.exit,
            step: log.failed_step().map(|step| step.name.clone()),
            step_failed: log.failed_step().is_some(),
            passed: log.passed() || reading.job_passed,
            reading,
            truncated: log.truncated(),
            speakers,
            hits,
        }
    }
}

impl Places {
    fn push(&mut self, place: Place) {
        if self.first.len() < FIRST {
            self.first.push(place);
            return;
        }
        if self.last.len() == LAST {
            self.last.pop_front();
        }
        self.last.push_back(place);
    }

    fn all(&self) -> impl Iterator<Item = &Place> {
        self.first.iter().chain(&self.last)
    }
}

fn hit(index: usize, pattern: &Pattern, line: &Line<'_>, counts: bool) -> Option<Hit> {
    let text = line.text();
    let expression = &pattern.matcher.line;
    let found = expression.regex()?.captures(text.as_str().as_bytes())?;
    let capture = |name: &String| {
        let value = String::from_utf8_lossy(found.name(name)?.as_bytes()).into_owned();
        Some((name.clone(), Untrusted::new(value)))
    };
    Some(Hit {
        pattern: index,
        line: line.number,
        column: text.column(found.get(0)?.start()),
        captures: expression.captures().iter().filter_map(capture).collect(),
        text: first_bytes(text.as_str(), TEXT_BYTES).to_owned(),
        counts,
    })
}

/// At most so many bytes, whole characters only.
pub(crate) fn first_bytes(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
