//! What the model reads of a log: the lines around the failure point and before it those that read like errors.

use std::collections::{BTreeSet, HashMap};

use regreen_logs::Log;

use super::cues::{reads_like_an_error, reports_a_passed_job, reports_an_end, reports_success, says_error};
use super::words::words;
use crate::Baseline;
use crate::scan::first_words;

/// So many lines before the failure point are read whatever they say.
const NEAR: usize = 120;
/// So many lines before it are searched for errors.
const FAR: usize = 6000;
/// So many far lines are read at most.
const FAR_LINES: usize = 300;
/// So many lines from the end the failure point is looked for.
const END_WITHIN: usize = 3000;
/// So many lines after the failure point are read.
const AFTER: usize = 30;
/// So many last lines say how the job ended.
const LAST: usize = 6;
/// At this distance from the failure point a word counts half.
const HALF: f32 = 60.0;
/// Words that weigh less than this are not read.
const LEAST: f32 = 0.03;
/// By how much a line reads like an error (not, perhaps, it says so): its weight, and the least that distance leaves.
const WEIGHT: [(f32, f32); 3] = [(0.4, 0.0), (0.7, 0.08), (1.0, 0.15)];
/// So much of a line is kept as evidence.
const TEXT_BYTES: usize = 2 * 1024;

/// Features by the hash of their name, sorted, each once.
pub type Keys = Vec<(u32, f32)>;

/// What was read.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The words of the failure as a whole.
    pub words: Keys,
    /// Line by line, the nearest to the failure point first.
    pub lines: Vec<ReadLine>,
    /// Raw number of the line where the failing command gave up.
    pub end: u64,
    /// Whether a line reports that end.
    pub reported: bool,
    /// Whether one of the last lines reports that all went well.
    pub succeeded: bool,
    /// Whether the very last line is the CI's word that the whole job passed.
    pub job_passed: bool,
}

/// A line that may be the cause.
#[derive(Debug, Clone)]
pub struct ReadLine {
    /// Raw number.
    pub number: u64,
    /// Raw column of its first word.
    pub column: u32,
    /// Its text.
    pub text: String,
    /// Its features.
    pub keys: Keys,
}

/// A line with its words.
struct Spoken {
    distance: usize,
    /// 0 no error, 1 perhaps, 2 it says so.
    error: usize,
    words: Vec<String>,
    number: u64,
    column: u32,
    text: String,
}

impl Reading {
    /// Reads a log's window.
    pub fn of(log: &Log<'_>) -> Reading {
        Reading::beside(log, None)
    }

    /// Reads a log's window but for the lines that a passing run prints too.
    pub(crate) fn beside(log: &Log<'_>, baseline: Option<&Baseline<'_>>) -> Reading {
        let starts = starts(log.window());
        let raw = |i: usize| {
            let end = starts.get(i + 1).map_or(log.window().len(), |next| next - 1);
            &log.window()[starts[i]..end]
        };
        let Some(last) = starts.len().checked_sub(1) else { return Reading::default() };
        let reports = |i: &usize| reports_an_end(raw(*i));
        let reported = (last.saturating_sub(END_WITHIN)..=last).rev().find(reports);
        let end = reported.unwrap_or(last);
        let mut numbers = log.numbers();
        let numbers: Vec<u64> = starts.iter().map(|start| numbers.of(*start)).collect();
        let line = |i: usize| log.line(starts[i], numbers[i]);
        let spoken_at = |i: usize| line(i).map(|line| words(line.text().as_str())).unwrap_or_default();
        let mut spoken = Vec::new();
        let mut seen = BTreeSet::new();
        let mut far = 0;
        for i in (end.saturating_sub(FAR)..=end).rev() {
            let error = reads_like_an_error(raw(i));
            let distance = end - i;
            if distance >= NEAR {
                far += usize::from(error);
                if far > FAR_LINES {
                    break;
                }
            }
            if distance >= NEAR && !error {
                continue;
            }
            let Some(line) = line(i) else { continue };
            let text = line.text();
            if baseline.is_some_and(|baseline| baseline.holds(text.as_str())) {
                continue;
            }
            let words = words(text.as_str());
            if words.is_empty() || !seen.insert(words.clone()) {
                continue;
            }
            let blank = text.as_str().len() - text.as_str().trim_start().len();
            spoken.push(Spoken {
                distance,
                error: if says_error(&words) { 2 } else { usize::from(error) },
                words,
                number: line.number,
                column: text.column(blank),
                text: first_words(text.as_str(), TEXT_BYTES).to_owned(),
            });
        }
        let after: Vec<Vec<String>> = (end + 1..=last).take(AFTER).map(spoken_at).collect();
        let lasts: Vec<usize> =
            (0..=last).rev().filter(|i| !raw(*i).trim_ascii().is_empty()).take(LAST).collect();
        let closing: Vec<Vec<String>> = lasts.iter().map(|i| spoken_at(*i)).collect();
        let step = log.failed_step().map(words).unwrap_or_default();
        Reading {
            words: failure_words(&spoken, &after, &closing, &step),
            end: numbers[end],
            lines: read_lines(spoken),
            reported: reported.is_some(),
            job_passed: lasts.first().is_some_and(|i| reports_a_passed_job(raw(*i))),
            succeeded: lasts.iter().any(|i| reports_success(raw(*i))),
        }
    }
}

fn starts(window: &[u8]) -> Vec<usize> {
    if window.is_empty() {
        return Vec::new();
    }
    std::iter::once(0)
        .chain(memchr::memchr_iter(b'\n', window).map(|feed| feed + 1).filter(|start| *start < window.len()))
        .collect()
}

/// Features that keep the greatest value they were given.
#[derive(Default)]
struct Greatest(HashMap<u32, f32>);

impl Greatest {
    fn put(&mut self, name: u32, value: f32) {
        let known = self.0.entry(name).or_insert(0.0);
        *known = known.max(value);
    }

    fn keys(self) -> Keys {
        let mut keys: Keys = self.0.into_iter().collect();
        keys.sort_unstable_by_key(|(key, _)| *key);
        keys
    }
}

fn failure_words(spoken: &[Spoken], after: &[Vec<String>], closing: &[Vec<String>], step: &[String]) -> Keys {
    let mut features = Greatest::default();
    for line in spoken {
        let (weight, least) = WEIGHT[line.error];
        let weight = (weight / (1.0 + line.distance as f32 / HALF)).max(least);
        if weight < LEAST {
            continue;
        }
        let mut before = "^";
        for word in &line.words {
            features.put(key(b'u', "", word), weight);
            features.put(key(b'b', before, word), weight * 0.7);
            before = word;
        }
    }
    for word in after.iter().flatten() {
        features.put(key(b'a', "", word), 0.3);
    }
    for line in closing {
        let mut before = "^";
        for word in line {
            features.put(key(b'z', "", word), 0.4);
            features.put(key(b'y', before, word), 0.4);
            before = word;
        }
    }
    for word in step {
        features.put(key(b's', "", word), 0.4);
    }
    features.keys()
}

fn read_lines(spoken: Vec<Spoken>) -> Vec<ReadLine> {
    let features: Vec<Keys> = (0..spoken.len()).map(|i| line_keys(&spoken, i)).collect();
    let read = |(line, keys): (Spoken, Keys)| ReadLine {
        number: line.number,
        column: line.column,
        text: line.text,
        keys,
    };
    spoken.into_iter().zip(features).map(read).collect()
}

/// A line's words, those of the lines before and after it, how far from the end it stands, and how it reads.
fn line_keys(spoken: &[Spoken], i: usize) -> Keys {
    let mut features = Greatest::default();
    let line = &spoken[i];
    let mut before = "^";
    for word in &line.words {
        features.put(key(b'u', "", word), 1.0);
        features.put(key(b'b', before, word), 0.8);
        before = word;
    }
    let beside = |j: Option<usize>| {
        j.and_then(|j| spoken.get(j)).filter(|other| other.distance.abs_diff(line.distance) == 1)
    };
    for (kind, other) in [(b'p', beside(Some(i + 1))), (b'n', beside(i.checked_sub(1)))] {
        for word in other.iter().flat_map(|other| other.words.iter().take(15)) {
            features.put(key(kind, "", word), 0.3);
        }
    }
    let mut keys = features.keys();
    let length = keys.iter().map(|(_, v)| v * v).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    keys.iter_mut().for_each(|(_, v)| *v /= length);
    let far = (line.distance + 1).ilog2().min(12);
    keys.push((key(b'd', "", &far.to_string()), 0.5));
    keys.push((key(b'e', "", &line.error.to_string()), 0.5));
    keys.sort_unstable_by_key(|(key, _)| *key);
    keys
}

/// FNV-1a over kind and words, folded to 32 bits: the same on every machine and in every version.
fn key(kind: u8, before: &str, word: &str) -> u32 {
    let bytes = [kind].into_iter().chain(before.bytes()).chain([b' ']).chain(word.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    (hash ^ (hash >> 32)) as u32
}

#[cfg(test)]
mod tests {
    use regreen_logs::{ReadOptions, read};

    use super::*;

    fn reading(text: &str) -> Reading {
        Reading::of(&read(text.as_bytes(), &ReadOptions::default()))
    }

    #[test]
    fn the_failure_point_is_where_the_command_gave_up() {
        let log = "one\nnpm ERR! code E1\nThe command \"npm ci\" exited with 1.\nuploading\ndone\n";
        let reading = reading(log);
        assert_eq!(reading.end, 3);
        let numbers: Vec<u64> = reading.lines.iter().map(|line| line.number).collect();
        assert_eq!(numbers, [3, 2, 1]);
    }

    #[test]
    fn a_long_log_is_read_where_it_matters() {
        let log = format!("error: first\n{}last\n", "fine\n".repeat(3000));
        let numbers: Vec<u64> = reading(&log).lines.iter().map(|line| line.number).collect();
        assert_eq!(numbers, [3002, 3001, 1]);
        let many =
            (0..20_000).map(|i| format!("error: thing{} broke\n", "x".repeat(i % 977))).collect::<String>();
        assert!(reading(&many).lines.len() <= NEAR + FAR_LINES);
    }

    #[test]
    fn nothing_is_read_of_nothing() {
        assert!(reading("").lines.is_empty() && reading("\n\n").lines.is_empty());
    }
}
