//! Which lines of the window are worth decoding: one search for all literals of the catalogue.

use aho_corasick::packed::{Config, Searcher};
use aho_corasick::{AhoCorasick, MatchKind};

/// Teddy, the vector search, takes at most so many literals.
const LITERALS_EACH: usize = 64;

/// The searches advance side by side in blocks of about this size, which stay in the cache.
const BLOCK: usize = 64 * 1024;

/// Finds lines that hold a literal, and lines that hold bytes under which a literal may hide.
#[derive(Debug)]
pub(crate) struct Candidates {
    searches: Vec<Search>,
}

#[derive(Debug)]
enum Search {
    Vector(Searcher),
    /// Where there is no vector search (another processor, odd literals).
    Automaton(AhoCorasick),
}

impl Candidates {
    pub(crate) fn new(literals: &[Vec<u8>]) -> Candidates {
        Candidates { searches: literals.chunks(LITERALS_EACH).filter_map(Search::new).collect() }
    }

    /// Calls `visit` with the start of each candidate line, in order.
    pub(crate) fn visit(&self, window: &[u8], mut visit: impl FnMut(usize)) {
        let mut starts = Vec::new();
        let mut from = 0;
        while from < window.len() {
            let end = block_end(window, from);
            starts.clear();
            for search in &self.searches {
                search.lines(&window[from..end], &mut starts);
            }
            // Escape sequences, NUL and carriage returns cut words apart; such lines are decoded and then searched.
            lines_of(
                memchr::memchr3_iter(b'\x1b', b'\0', 0x08, &window[from..end]),
                &window[from..end],
                &mut starts,
            );
            lines_of(memchr::memchr2_iter(0xc2, 0xe2, &window[from..end]), &window[from..end], &mut starts);
            starts.sort_unstable();
            starts.dedup();
            starts.iter().for_each(|start| visit(from + start));
            from = end;
        }
    }
}

impl Search {
    fn new(literals: &[Vec<u8>]) -> Option<Search> {
        let mut builder = Config::new().builder();
        builder.extend(literals);
        builder.build().map(Search::Vector).or_else(|| {
            AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostFirst)
                .build(literals)
                .ok()
                .map(Search::Automaton)
        })
    }

    fn lines(&self, block: &[u8], starts: &mut Vec<usize>) {
        match self {
            Search::Vector(searcher) => lines_of(searcher.find_iter(block).map(|m| m.start()), block, starts),
            Search::Automaton(automaton) => {
                lines_of(automaton.find_iter(block).map(|m| m.start()), block, starts)
            }
        }
    }
}

/// The starts of the lines that hold these positions, which come in order; each line once.
fn lines_of(positions: impl Iterator<Item = usize>, block: &[u8], starts: &mut Vec<usize>) {
    let mut line_end = 0;
    for at in positions {
        if at >= line_end {
            starts.push(memchr::memrchr(b'\n', &block[..at]).map_or(0, |feed| feed + 1));
            line_end = memchr::memchr(b'\n', &block[at..]).map_or(block.len(), |feed| at + feed + 1);
        }
    }
}

/// The end of the block that starts here: after a line feed, or the end of the window.
fn block_end(window: &[u8], from: usize) -> usize {
    let at_least = window.len().min(from + BLOCK);
    memchr::memchr(b'\n', &window[at_least..]).map_or(window.len(), |feed| at_least + feed + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn every_line_with_a_literal_is_visited_once_in_order(lines in proptest::collection::vec("[abx ]{0,9}", 0..40), long in proptest::bool::weighted(0.1)) {
            let literals = [b"aab".to_vec(), b"bab".to_vec(), b"xx ".to_vec()];
            // Long lines make several blocks of a few lines.
            let (filler, most) = if long { ("y".repeat(BLOCK), 3) } else { (String::new(), 40) };
            let text: String = lines.iter().map(|line| format!("{line}{filler}\n")).take(most).collect();
            let mut want = Vec::new();
            let mut start = 0;
            for line in text.split_inclusive('\n') {
                if literals.iter().any(|l| line.as_bytes().windows(3).any(|w| w == l)) {
                    want.push(start);
                }
                start += line.len();
            }
            let mut seen = Vec::new();
            Candidates::new(&literals).visit(text.as_bytes(), |start| seen.push(start));
            prop_assert_eq!(seen, want);
        }
    }
}
