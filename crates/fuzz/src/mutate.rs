//! Inputs from seeds: the same seed gives the same inputs.

/// Bytes that are the edge of something: control characters, broken UTF-8, byte order marks.
const EDGES: [&[u8]; 22] = [
    b"\0",
    b"\n",
    b"\r",
    b"\r\n",
    b"\t",
    b"\x08",
    b"\x1b[",
    b"\x1b]8;;",
    b"\x1b[2K",
    b"\x07",
    b"\x7f",
    b"\xff",
    b"\xc3",
    b"\xe2\x80",
    b"\xf0\x9f\x98",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xe2\x80\xae",
    b"\xc2\x9b",
    b"\xe2\x80\xa8",
    b"\xf3\xa0\x80\x81",
];

const NUMBERS: [&str; 8] = ["0", "-1", "1", "255", "65536", "4294967296", "18446744073709551616", "1e999"];

/// Longest input that is made, in bytes.
const LONGEST: usize = 16 * 1024;

/// Makes inputs.
#[derive(Debug)]
pub struct Mutator {
    state: u64,
}

impl Mutator {
    /// One that gives the inputs of this seed.
    pub fn new(seed: u64) -> Mutator {
        Mutator { state: seed }
    }

    /// The next number (SplitMix64).
    pub fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.draw() % end.max(1) as u64) as usize
    }

    fn one<'s, T: ?Sized>(&mut self, of: &[&'s T]) -> Option<&'s T> {
        if of.is_empty() { None } else { of.get(self.below(of.len())).copied() }
    }

    /// An input: a seed, changed a few times.
    pub fn input(&mut self, seeds: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
        let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
        let mut bytes = self.one(&seeds).unwrap_or_default().to_vec();
        for _ in 0..=self.below(6) {
            self.change(&mut bytes, &seeds, words);
        }
        bytes.truncate(LONGEST);
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>, seeds: &[&[u8]], words: &[&str]) {
        let at = self.below(bytes.len() + 1);
        let end = at + self.below((bytes.len() - at).min(200) + 1);
        match self.below(12) {
            0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
            1 if at < bytes.len() => bytes[at] = self.draw().to_le_bytes()[0],
            2 => drop(bytes.drain(at..end)),
            3 => {
                let again = bytes[at..end].repeat(1 + self.below(8));
                insert(bytes, at, &again);
            }
            4 => {
                let edge = self.one(&EDGES).unwrap_or_default();
                insert(bytes, at, edge);
            }
            5 | 6 => {
                let word = self.one(words).unwrap_or_default();
                insert(bytes, at, word.as_bytes());
            }
            7 => {
                let other = self.one(seeds).unwrap_or_default();
                let from = self.below(other.len() + 1);
                let to = from + self.below((other.len() - from).min(2000) + 1);
                insert(bytes, at, &other[from..to]);
            }
            8 => self.lines(bytes),
            9 => self.number(bytes),
            10 => bytes.truncate(at),
            _ => {
                let line = bytes[..at].iter().rposition(|b| *b == b'\n').map_or(0, |feed| feed + 1);
                let word = self.one(words).unwrap_or_default();
                insert(bytes, line, word.as_bytes());
            }
        }
    }

    /// Two lines change places, or one is doubled or lost.
    fn lines(&mut self, bytes: &mut Vec<u8>) {
        let mut lines: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
        if lines.is_empty() {
            return;
        }
        let (a, b) = (self.below(lines.len()), self.below(lines.len()));
        match self.below(3) {
            0 => lines.swap(a, b),
            1 => lines.insert(a, lines[b]),
            _ => drop(lines.remove(a)),
        }
        *bytes = lines.concat();
    }

    /// A number becomes another one.
    fn number(&mut self, bytes: &mut Vec<u8>) {
        let from = self.below(bytes.len() + 1);
        let Some(start) = bytes[from..].iter().position(u8::is_ascii_digit).map(|at| from + at) else {
            return;
        };
        let digits = bytes[start..].iter().take_while(|b| b.is_ascii_digit()).count();
        let other = self.one(&NUMBERS).unwrap_or_default();
        bytes.splice(start..start + digits, other.bytes());
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, what: &[u8]) {
    bytes.splice(at..at, what.iter().copied());
}
