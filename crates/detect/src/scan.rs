//! The one pass over a window: every line that is a pattern's, and who was speaking there.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use regreen_catalog::{Pattern, Strength};
use regreen_domain::{Untrusted, Verdict};
use regreen_logs::{Ending, Line, Log};
use regreen_mask::Announced;

use crate::around::{Around, Sightings};
use crate::candidates;
use crate::detector::Entry;
use crate::hang::Hung;
use crate::hit::Hit;
use crate::model::Reading;
use crate::speaker::Speakers;
use crate::unknown::LastWords;
use crate::{Baseline, Circumstances, Detector, ExitFacts};

/// Of a pattern that matches again and again, the first lines and the last count; the rest say nothing new.
const FIRST: usize = 16;
const LAST: usize = 48;

/// After a step that may fail, more than what is always run follows: at least so many steps.
const WENT_ON: usize = 2;

/// So much of a line is kept as evidence.
const TEXT_BYTES: usize = 8 * 1024;

/// What a pass over a window found. It holds unmasked text; what [`Detector::conclude`] makes of it doesn't.
#[derive(Debug, Clone)]
pub struct Scan {
    /// In the order of the log.
    pub(crate) hits: Vec<Hit>,
    pub(crate) hung: Option<Hung>,
    pub(crate) last_words: Option<LastWords>,
    pub(crate) speakers: Speakers,
    pub(crate) reading: Reading,
    /// Beside a baseline: what would have been found without it.
    pub(crate) bare: Option<Box<Scan>>,
    pub(crate) command: Option<regreen_domain::CommandFacts>,
    pub(crate) exit: Option<ExitFacts>,
    pub(crate) step: Option<String>,
    pub(crate) ending: Ending,
    pub(crate) truncated: bool,
    /// Whether the job worked on after the step that failed, as one does in which a step may fail.
    pub(crate) went_on: bool,
    /// What the log names as secret.
    pub(crate) announced: Announced,
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

    /// The patterns that were seen, by their place in the catalogue.
    pub fn patterns(&self) -> BTreeSet<usize> {
        self.hits.iter().map(|hit| hit.pattern).collect()
    }

    /// What would have been found in a catalogue without these patterns.
    #[must_use]
    pub fn without(&self, patterns: &BTreeSet<usize>) -> Scan {
        let mut scan = self.clone();
        scan.hits.retain(|hit| !patterns.contains(&hit.pattern));
        scan
    }
}

impl Detector<'_> {
    /// Reads the window once.
    pub fn scan(&self, log: &Log<'_>, circumstances: &Circumstances<'_>) -> Scan {
        self.scan_beside(log, circumstances, None)
    }

    /// Reads the window beside what passing runs print: a line that stands there too is no cause.
    pub fn scan_beside(
        &self,
        log: &Log<'_>,
        circumstances: &Circumstances<'_>,
        baseline: Option<&Baseline<'_>>,
    ) -> Scan {
        let mut speakers = Speakers::new(circumstances.command);
        let mut sightings = Sightings::new();
        let mut places: BTreeMap<usize, Places> = BTreeMap::new();
        let mut entries = Vec::new();
        let mut numbers = log.numbers();
        candidates::visit(&self.literals, log.window(), |start| {
            let number = numbers.of(start);
            let Some(line) = log.line(start, number) else { return };
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
                    Entry::Banner(banner) => speakers.banner(number, banner),
                    Entry::Context(context) => {
                        sightings.entry(context.line.as_str()).or_insert((number, number)).1 = number;
                    }
                }
            }
        });
        let mut hits = Vec::new();
        let attempt = log.last_attempt().unwrap_or_default();
        for (index, places) in places {
            let Some(pattern) = self.pattern(index) else { continue };
            for place in places.all() {
                let Some(line) = log.line(place.start, place.number) else { continue };
                if pattern.matcher.fits(&mut Around { log, line, sightings: &sightings }) {
                    // What a wrapper has tried again since is no cause, unless the project's own code is.
                    let over = line.number < attempt && pattern.class.verdict() == Verdict::Infrastructure;
                    let counts = !over && speakers.may_say(line.number, pattern);
                    hits.extend(hit(index, pattern, &line).map(|hit| Hit { counts, ..hit }));
                }
            }
        }
        hits.sort_by_key(|hit: &Hit| (hit.line, hit.pattern));
        self.describe(&mut hits, log);
        let bare = Scan {
            hung: Hung::of(log, circumstances.exit),
            last_words: LastWords::of(log, None),
            command: circumstances.command.cloned(),
            exit: circumstances.exit,
            step: log.failed_step().map(str::to_owned),
            ending: self.ending(log.ending(), &hits),
            reading: Reading::of(log),
            bare: None,
            announced: Announced::by(log.window()),
            truncated: log.truncated(),
            went_on: log.steps_since_failure() >= WENT_ON,
            speakers,
            hits,
        };
        match baseline.filter(|baseline| !baseline.is_empty()) {
            Some(baseline) => self.beside(bare, log, baseline),
            None => bare,
        }
    }

    /// The same scan without what a passing run prints too.
    fn beside(&self, bare: Scan, log: &Log<'_>, baseline: &Baseline<'_>) -> Scan {
        let discounted = |hit: &Hit| {
            let usual = baseline.holds(&hit.text);
            Hit { counts: hit.counts && !usual, usual, ..hit.clone() }
        };
        let hits: Vec<Hit> = bare.hits.iter().map(discounted).collect();
        Scan {
            last_words: LastWords::of(log, Some(baseline)),
            reading: Reading::beside(log, Some(baseline)),
            ending: self.ending(log.ending(), &hits),
            hits,
            bare: Some(Box::new(bare.clone())),
            ..bare
        }
    }
}

impl Detector<'_> {
    /// One tool's word that its work is done does not outweigh another's that it failed.
    fn ending(&self, said: Ending, hits: &[Hit]) -> Ending {
        let cause = |hit: &Hit| {
            let speaks = |p: &Pattern| p.strength != Strength::Symptom || p.class.verdict() == Verdict::Code;
            hit.counts && self.pattern(hit.pattern).is_some_and(speaks)
        };
        match said {
            Ending::Worked if hits.iter().any(cause) => Ending::Unsaid,
            Ending::Worked => Ending::Passed,
            said => said,
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

/// What the line says, not yet whether it counts.
fn hit(index: usize, pattern: &Pattern, line: &Line<'_>) -> Option<Hit> {
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
        text: first_words(text.as_str(), TEXT_BYTES).to_owned(),
        counts: false,
        usual: false,
        start: line.start,
        detail: None,
    })
}

/// At most so many bytes, and of a text that is longer whole words only: half of a secret no longer looks like one.
pub(crate) fn first_words(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let cut = first_bytes(text, most);
    &cut[..cut.rfind(char::is_whitespace).unwrap_or(0)]
}

/// At most so many bytes, whole characters only.
pub(crate) fn first_bytes(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
