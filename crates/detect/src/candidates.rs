//! Which lines of the window are worth decoding: one search for all literals of the catalogue.

use crate::literals::Literals;

/// The searches advance side by side in blocks of about this size, which stay in the cache.
const BLOCK: usize = 64 * 1024;

/// Calls `visit` with the start of each line that holds a literal, or bytes under which a literal may hide; in order.
pub(crate) fn visit(literals: &Literals<'_>, window: &[u8], mut visit: impl FnMut(usize)) {
    let mut starts = Vec::new();
    let mut from = 0;
    while from < window.len() {
        let end = block_end(window, from);
        let block = &window[from..end];
        starts.clear();
        literals.find(block, |at, _| {
            starts.push(memchr::memrchr(b'\n', &block[..at]).map_or(0, |feed| feed + 1));
            memchr::memchr(b'\n', &block[at..]).map_or(block.len(), |feed| at + feed + 1)
        });
        // Escape sequences, NUL and carriage returns cut words apart; such lines are decoded and then searched.
        lines_of(memchr::memchr3_iter(b'\x1b', b'\0', 0x08, block), block, &mut starts);
        lines_of(memchr::memchr2_iter(0xc2, 0xe2, block), block, &mut starts);
        starts.sort_unstable();
        starts.dedup();
        starts.iter().for_each(|start| visit(from + start));
        from = end;
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
            visit(&Literals::new(literals.iter().map(|l| (l.as_slice(), 0)).collect()), text.as_bytes(), |start| seen.push(start));
            prop_assert_eq!(seen, want);
        }
    }
}
