//! What a log is wrapped in: nothing, gzip, Zstandard, a zip archive; and what is no log at all.

mod archive;
mod limit;
mod zstd;

pub use archive::{Archive, Entry};
pub use limit::Limits;

pub(crate) use limit::{Counted, Limited};
pub(crate) use zstd::Zstd;

/// A source, and how many bytes were taken from it.
pub(crate) fn counted<R>(source: R) -> (Counted<R>, std::rc::Rc<std::cell::Cell<u64>>) {
    Counted::new(source)
}

/// What bytes are, by how they begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text, however damaged.
    Text,
    /// gzip, maybe several members.
    Gzip,
    /// Zstandard, maybe several frames.
    Zstd,
    /// A zip archive.
    Zip,
    /// Something else, and what.
    Binary(&'static str),
}

/// How much of the beginning is looked at.
pub(crate) const SAMPLE: usize = 16 * 1024;

/// Beginnings of files that are no logs.
const MAGICS: [(&[u8], &str); 16] = [
    (b"\x7fELF", "a program"),
    (b"MZ\x90\0", "a program"),
    (b"\xcf\xfa\xed\xfe", "a program"),
    (b"\xca\xfe\xba\xbe", "a class file or a program"),
    (b"\0asm", "a WebAssembly module"),
    (b"\x89PNG\r\n", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
    (b"%PDF-", "a PDF document"),
    (b"SQLite format 3\0", "a database"),
    (b"BZh", "bzip2 data, which isn't read"),
    (b"\xfd7zXZ\0", "xz data, which isn't read"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive, which isn't read"),
    (b"Rar!\x1a\x07", "a RAR archive, which isn't read"),
    (b"!<arch>\n", "a static library or package"),
    (b"\x04\x22\x4d\x18", "LZ4 data, which isn't read"),
];

impl Kind {
    /// What the bytes are that begin like this.
    pub fn of(sample: &[u8]) -> Kind {
        let sample = &sample[..sample.len().min(SAMPLE)];
        match sample {
            [0x1f, 0x8b, 8, ..] => return Kind::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => return Kind::Zstd,
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => return Kind::Zip,
            _ => {}
        }
        if let Some((_, what)) = MAGICS.iter().find(|(magic, _)| sample.starts_with(magic)) {
            return Kind::Binary(what);
        }
        if sample.get(257..262) == Some(b"ustar") {
            return Kind::Binary("a tar archive, which isn't read");
        }
        let utf16 = crate::encoding::Utf8::of(sample).is_utf16();
        if !utf16 && is_binary(sample) { Kind::Binary("binary data") } else { Kind::Text }
    }
}

/// Logs hold escape sequences, NUL bytes and broken characters here and there; of data, a good part is neither text
/// nor a character of any language.
fn is_binary(sample: &[u8]) -> bool {
    let control =
        |b: &u8| (*b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r' | 0x07 | 0x08 | 0x1b | 0)) || *b == 0x7f;
    let controls = sample.iter().filter(|b| control(b)).count();
    let broken: usize = sample.utf8_chunks().map(|chunk| chunk.invalid().len()).sum();
    let zeros = sample.iter().filter(|b| **b == 0).count();
    let strange = controls + broken;
    sample.len() >= 64
        && (strange * 5 > sample.len() || (strange * 20 > sample.len() && zeros * 10 > sample.len()))
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn text_and_what_is_none() {
        let latin1 = "Fehler: Datei nicht gefunden\n".repeat(9).replace('e', "\u{e9}");
        let latin1: Vec<u8> = latin1.chars().map(|c| c as u8).collect();
        let data: Vec<u8> = (0..4096u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let utf16: Vec<u8> =
            "npm error code E503\n".repeat(9).encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (bytes, want) in [
            (b"npm error".to_vec(), true),
            (Vec::new(), true),
            (b"\x1b[31mnpm\x1b[0m \0\0 error\n".repeat(20), true),
            (latin1, true),
            (utf16, true),
            (data, false),
            (b"\x7fELF\x02\x01\x01\0".to_vec(), false),
            (b"\x89PNG\r\n\x1a\n".to_vec(), false),
        ] {
            assert_eq!(Kind::of(&bytes) == Kind::Text, want, "{:?}", bytes.get(..20));
        }
        assert_eq!(Kind::of(b"\x1f\x8b\x08\0"), Kind::Gzip);
        assert_eq!(Kind::of(b"PK\x03\x04"), Kind::Zip);
        assert_eq!(Kind::of(b"\x28\xb5\x2f\xfd"), Kind::Zstd);
    }
}
