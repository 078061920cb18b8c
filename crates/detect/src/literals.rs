//! One search for all literals of a catalogue: thousands of them, made ready in a fraction of a millisecond.
//!
//! Of each literal four neighbouring pieces of four bytes are known, one of which stands at a multiple of four wherever
//! the literal stands. So of a text only every fourth piece is looked at: in a table of bits that stays in the fastest
//! cache, and what is found there is compared. Shorter literals go by pieces of three bytes and every second place; the
//! few that are shorter still are searched for one by one.

use memchr::memmem;

/// Bits of a table, as a power of two: 32 KB.
const TABLE_BITS: u32 = 18;

/// Buckets of what is to be compared, as a power of two.
const BUCKET_BITS: u32 = 13;

/// Literals, each with what it stands for, made ready for a search.
#[derive(Debug)]
pub(crate) struct Literals<'l> {
    literals: Vec<(&'l [u8], usize)>,
    long: Table<4, 4>,
    short: Table<3, 2>,
    /// Those that are too short for a table.
    shortest: Vec<(memmem::Finder<'l>, usize)>,
}

/// Literals by their pieces of `BYTES` bytes, of which every `STEP`th of a text is looked at.
#[derive(Debug)]
struct Table<const BYTES: usize, const STEP: usize> {
    /// A bit for each hash that a piece has.
    bits: Vec<u64>,
    /// By the first bits of the hash: where its pieces end in `pieces`; they begin where those of the last bucket end.
    buckets: Vec<u32>,
    pieces: Vec<Piece>,
}

/// A few bytes of a literal.
#[derive(Debug, Clone, Copy, Default)]
struct Piece {
    bytes: u32,
    literal: u32,
    /// How many bytes of the literal stand before it.
    offset: u32,
    /// What of the literal stands right around it.
    around: Around,
}

/// Four bytes before a piece and four behind it, as far as there are any: they tell most literals apart that have a
/// piece in common.
#[derive(Debug, Clone, Copy, Default)]
struct Around {
    bytes: u64,
    /// Which of the bytes there are.
    there: u64,
}

impl Around {
    fn of(text: &[u8], piece: std::ops::Range<usize>) -> Around {
        let begin = piece.start.checked_sub(4);
        if let Some(&[a, b, c, d]) = begin.and_then(|begin| text.get(begin..piece.start))
            && let Some(&[e, f, g, h]) = text.get(piece.end..piece.end + 4)
        {
            return Around { bytes: u64::from_le_bytes([a, b, c, d, e, f, g, h]), there: u64::MAX };
        }
        let before = &text[piece.start.saturating_sub(4)..piece.start];
        let behind = &text[piece.end..text.len().min(piece.end + 4)];
        let (mut bytes, mut there) = ([0; 8], [0; 8]);
        for (at, byte) in (4 - before.len()..).zip(before).chain((4..).zip(behind)) {
            (bytes[at], there[at]) = (*byte, u8::MAX);
        }
        Around { bytes: u64::from_le_bytes(bytes), there: u64::from_le_bytes(there) }
    }

    /// Whether this, of a literal, fits that of a text.
    fn fits(self, text: Around) -> bool {
        text.bytes & self.there == self.bytes
    }
}

impl<'l> Literals<'l> {
    pub(crate) fn new(literals: Vec<(&'l [u8], usize)>) -> Literals<'l> {
        let (mut long, mut short, mut shortest) = (Vec::new(), Vec::new(), Vec::new());
        for (i, &(literal, meaning)) in literals.iter().enumerate() {
            match literal.len() {
                Table::<4, 4>::LEAST.. => Table::<4, 4>::pieces(i, literal, &mut long),
                Table::<3, 2>::LEAST.. => Table::<3, 2>::pieces(i, literal, &mut short),
                _ => shortest.push((memmem::Finder::new(literal), meaning)),
            }
        }
        Literals { long: Table::new(&long), short: Table::new(&short), shortest, literals }
    }

    /// Calls `found` with the places of every literal that stands in the text, and with what the literal stands for; not
    /// in order. `found` gives the place up to which nothing more matters.
    pub(crate) fn find(&self, text: &[u8], mut found: impl FnMut(usize, usize) -> usize) {
        self.long.find(text, &self.literals, &mut found);
        self.short.find(text, &self.literals, &mut found);
        for (literal, meaning) in &self.shortest {
            let mut from = 0;
            for at in literal.find_iter(text) {
                if at >= from {
                    from = found(at, *meaning);
                }
            }
        }
    }
}

impl<const BYTES: usize, const STEP: usize> Table<BYTES, STEP> {
    /// The length of the shortest literals that it finds wherever they stand.
    const LEAST: usize = BYTES + STEP - 1;

    /// Of a literal the rarest pieces that follow each other, one for each way that it can stand.
    fn pieces(literal: usize, text: &[u8], pieces: &mut Vec<Piece>) {
        let of = |bytes: &[u8]| bytes.iter().map(|byte| rarity(*byte)).sum::<u32>();
        let mut now = of(&text[..Self::LEAST]);
        let (mut most, mut start) = (now, 0);
        for (at, next) in text[Self::LEAST..].iter().enumerate() {
            now = now + rarity(*next) - rarity(text[at]);
            if now > most {
                (most, start) = (now, at + 1);
            }
        }
        pieces.extend((start..start + STEP).map(|at| Piece {
            bytes: piece(&text[at..at + BYTES]),
            literal: literal as u32,
            offset: at as u32,
            around: Around::of(text, at..at + BYTES),
        }));
    }

    fn new(of: &[Piece]) -> Self {
        let mut bits = vec![0; 1 << (TABLE_BITS - 6)];
        // Counted, then added up to where each bucket begins; filling them moves that to where they end.
        let mut buckets = vec![0; (1 << BUCKET_BITS) + 1];
        for piece in of {
            let hash = hash(piece.bytes);
            bits[(hash >> 6) as usize] |= 1u64 << (hash & 63);
            buckets[bucket(hash) + 1] += 1;
        }
        for i in 1..buckets.len() {
            buckets[i] += buckets[i - 1];
        }
        let mut pieces = vec![Piece::default(); of.len()];
        for piece in of {
            let next = &mut buckets[bucket(hash(piece.bytes))];
            pieces[*next as usize] = *piece;
            *next += 1;
        }
        Table { bits, buckets, pieces }
    }

    fn find(&self, text: &[u8], literals: &[(&[u8], usize)], found: &mut impl FnMut(usize, usize) -> usize) {
        if self.pieces.is_empty() {
            return;
        }
        let mut from = 0;
        for (i, bytes) in text.windows(BYTES).step_by(STEP).enumerate() {
            let piece = piece(bytes);
            if self.holds(piece) && i * STEP >= from {
                from = self.compare(piece, i * STEP, text, literals, found).max(from);
            }
        }
    }

    fn holds(&self, piece: u32) -> bool {
        let hash = hash(piece);
        self.bits[(hash >> 6) as usize] >> (hash & 63) & 1 == 1
    }

    /// Which literals have this piece, and stand there.
    #[cold]
    fn compare(
        &self,
        piece: u32,
        at: usize,
        text: &[u8],
        literals: &[(&[u8], usize)],
        found: &mut impl FnMut(usize, usize) -> usize,
    ) -> usize {
        let bucket = bucket(hash(piece));
        let begin = bucket.checked_sub(1).map_or(0, |before| self.buckets[before]);
        let around = Around::of(text, at..at + BYTES);
        let mut from = 0;
        for known in &self.pieces[begin as usize..self.buckets[bucket] as usize] {
            if known.bytes != piece || !known.around.fits(around) {
                continue;
            }
            let Some(start) = at.checked_sub(known.offset as usize) else { continue };
            let (literal, meaning) = literals[known.literal as usize];
            if text[start..].starts_with(literal) {
                from = found(start, meaning).max(from);
            }
        }
        from
    }
}

/// How seldom a byte is met in logs, roughly.
const fn rarity(byte: u8) -> u32 {
    RARITY[byte as usize] as u32
}

const RARITY: [u8; 256] = {
    let mut rarity = [4; 256];
    let mut byte = 0;
    while byte < 128 {
        rarity[byte] = match byte as u8 {
            b' ' | b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' => 0,
            b'l' | b'd' | b'c' | b'u' | b'p' | b'm' | b'0'..=b'9' | b'.' | b'-' | b'/' | b':' => 1,
            b'a'..=b'z' | b'E' | b'R' | b'O' | b'I' | b'N' | b'_' | b'=' => 3,
            _ => 4,
        };
        byte += 1;
    }
    rarity
};

fn piece(bytes: &[u8]) -> u32 {
    match *bytes {
        [a, b, c, d] => u32::from_le_bytes([a, b, c, d]),
        [a, b, c] => u32::from_le_bytes([a, b, c, 0]),
        _ => 0,
    }
}

fn hash(piece: u32) -> u32 {
    piece.wrapping_mul(0x9e37_79b1) >> (32 - TABLE_BITS)
}

fn bucket(hash: u32) -> usize {
    (hash >> (TABLE_BITS - BUCKET_BITS)) as usize
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_literal_is_found_wherever_it_stands(
            literals in proptest::collection::btree_set("[ab]{3,9}", 1..30),
            text in "[ab ]{0,80}",
        ) {
            let literals: Vec<Vec<u8>> = literals.into_iter().map(String::into_bytes).collect();
            let text = text.as_bytes();
            let mut want = Vec::new();
            for (i, literal) in literals.iter().enumerate() {
                want.extend(
                    text.windows(literal.len()).enumerate().filter(|(_, w)| w == literal).map(|(at, _)| (at, i)),
                );
            }
            let mut seen = Vec::new();
            let known = literals.iter().enumerate().map(|(i, literal)| (literal.as_slice(), i)).collect();
            Literals::new(known).find(text, |at, literal| {
                seen.push((at, literal));
                0
            });
            // Of those too short for a table, places that overlap are one.
            let whether = |(at, i): (usize, usize)| (if literals[i].len() > 3 { at } else { 0 }, i);
            let [seen, want] = [seen, want].map(|found| found.into_iter().map(whether).collect::<BTreeSet<_>>());
            prop_assert_eq!(seen, want);
        }
    }
}
