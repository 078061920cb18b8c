//! Checksums: what npm writes as `sha512-<base64>`, Cargo as hex, pip as `sha256:<hex>`.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::Format;

/// A hash algorithm, weakest first: the order is the order of trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// MD5; only where a Python index or a Gradle project has nothing better. Collisions are cheap.
    Md5,
    /// SHA-1; still found for packages published before 2017. Collisions are practical.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// Every algorithm, weakest first.
    pub const ALL: [Algorithm; 5] =
        [Algorithm::Md5, Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512];

    /// The name as lockfiles write it: `sha512`.
    pub const fn name(self) -> &'static str {
        match self {
            Algorithm::Md5 => "md5",
            Algorithm::Sha1 => "sha1",
            Algorithm::Sha256 => "sha256",
            Algorithm::Sha384 => "sha384",
            Algorithm::Sha512 => "sha512",
        }
    }

    /// The algorithm with this name.
    pub fn parse(name: &str) -> Option<Algorithm> {
        Algorithm::ALL.into_iter().find(|a| a.name() == name)
    }

    /// Length of a digest in bytes.
    pub const fn digest_bytes(self) -> usize {
        match self {
            Algorithm::Md5 => 16,
            Algorithm::Sha1 => 20,
            Algorithm::Sha256 => 32,
            Algorithm::Sha384 => 48,
            Algorithm::Sha512 => 64,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a format writes its checksums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// `sha512-<base64>`, from SHA-1 on: subresource integrity.
    Sri,
    /// Hex digits of this algorithm.
    Hex(Algorithm),
    /// `sha256:<hex>`, no algorithm weaker than this.
    Named { weakest: Algorithm },
    /// `sha256=<hex>`, no algorithm weaker than this.
    Assigned { weakest: Algorithm },
    /// Base64 of this algorithm.
    Base64(Algorithm),
    /// `h1:<base64>`, of SHA-256.
    DirHash,
    /// Hex digits in an element that is named after the algorithm, so the text alone does not tell it.
    Element,
}

impl Style {
    /// Whether this algorithm can be written.
    pub(crate) fn can_hold(self, algorithm: Algorithm) -> bool {
        match self {
            Style::Sri => algorithm >= Algorithm::Sha1,
            Style::Hex(only) | Style::Base64(only) => algorithm == only,
            Style::Named { weakest } | Style::Assigned { weakest } => algorithm >= weakest,
            Style::DirHash => algorithm == Algorithm::Sha256,
            // One element would have to become another.
            Style::Element => false,
        }
    }

    /// What the tool writes today.
    pub(crate) fn usual(self) -> Algorithm {
        match self {
            Style::Sri => Algorithm::Sha512,
            Style::Hex(only) | Style::Base64(only) => only,
            Style::Named { .. } | Style::Assigned { .. } | Style::DirHash | Style::Element => {
                Algorithm::Sha256
            }
        }
    }

    /// The algorithm of a malformed checksum, where it can be read.
    pub(crate) fn meant(self, text: &str) -> Option<Algorithm> {
        match self {
            Style::Hex(only) | Style::Base64(only) => Some(only),
            Style::DirHash => text.starts_with("h1:").then_some(Algorithm::Sha256),
            Style::Sri | Style::Named { .. } | Style::Assigned { .. } => {
                text.split(['-', ':', '=']).next().and_then(Algorithm::parse)
            }
            Style::Element => None,
        }
    }
}

/// One well-formed checksum. Two are equal if algorithm and digest are, however they were written.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Checksum {
    algorithm: Algorithm,
    /// As long as the longest; zeros behind the algorithm's own length, so that equal ones are equal. Tens of thousands are
    /// read at once, so none is allocated for itself.
    digest: [u8; LONGEST],
}

/// Bytes of the longest digest.
const LONGEST: usize = Algorithm::Sha512.digest_bytes();

/// Why a checksum is malformed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadDigest {
    /// The text has no algorithm in front, or one this format doesn't use.
    #[error("no hash algorithm that this lockfile may use stands in front of it")]
    Algorithm,
    /// The digest is neither proper base64 nor proper lower-case hex.
    #[error("{0} digest is not written in the right alphabet")]
    Alphabet(Algorithm),
    /// The digest is too short or too long.
    #[error("{algorithm} digest has {found} bytes instead of {}", algorithm.digest_bytes())]
    Length {
        /// The algorithm that is named.
        algorithm: Algorithm,
        /// Bytes that the text decodes to.
        found: usize,
    },
}

impl Checksum {
    /// From the digest's bytes; `None` where their number is not the algorithm's.
    pub fn new(algorithm: Algorithm, digest: &[u8]) -> Option<Checksum> {
        let mut own = [0; LONGEST];
        own.get_mut(..algorithm.digest_bytes())
            .filter(|own| own.len() == digest.len())?
            .copy_from_slice(digest);
        Some(Checksum { algorithm, digest: own })
    }

    /// Reads one checksum as `format` writes it: `sha512-…` (subresource integrity, one token, options after
    /// `?` are dropped), 64 hex digits, or `sha256:…`.
    ///
    /// # Errors
    /// Says what is malformed.
    pub fn parse(format: Format, text: &str) -> Result<Checksum, BadDigest> {
        let style = format.facts().style;
        let named = |separator| {
            let (name, digest) = text.split_once(separator).ok_or(BadDigest::Algorithm)?;
            let algorithm = Algorithm::parse(name).filter(|a| style.can_hold(*a));
            Ok((algorithm.ok_or(BadDigest::Algorithm)?, digest))
        };
        match style {
            Style::Sri => {
                let (algorithm, rest) = named('-')?;
                let digest = rest.split('?').next().unwrap_or(rest);
                of(algorithm, STANDARD.decode(digest).ok())
            }
            Style::Hex(algorithm) => of_hex(algorithm, text),
            Style::Named { .. } => {
                let (algorithm, digest) = named(':')?;
                of_hex(algorithm, digest)
            }
            Style::Assigned { .. } => {
                let (algorithm, digest) = named('=')?;
                of_hex(algorithm, digest)
            }
            Style::Base64(algorithm) => of(algorithm, STANDARD.decode(text).ok()),
            Style::DirHash => {
                let digest = text.strip_prefix("h1:").ok_or(BadDigest::Algorithm)?;
                of(Algorithm::Sha256, STANDARD.decode(digest).ok())
            }
            Style::Element => Err(BadDigest::Algorithm),
        }
    }

    /// From hex digits of an algorithm that is known from elsewhere.
    pub(crate) fn of_hex(algorithm: Algorithm, text: &str) -> Result<Checksum, BadDigest> {
        of_hex(algorithm, text)
    }

    /// The hash algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The digest's bytes.
    pub fn digest(&self) -> &[u8] {
        self.digest.get(..self.algorithm.digest_bytes()).unwrap_or(&self.digest)
    }

    /// The text that `format` writes for it.
    pub fn to_text(&self, format: Format) -> String {
        match format.facts().style {
            Style::Sri => format!("{}-{}", self.algorithm, STANDARD.encode(self.digest())),
            Style::Hex(_) | Style::Element => self.hex(),
            Style::Base64(_) => STANDARD.encode(self.digest()),
            Style::DirHash => format!("h1:{}", STANDARD.encode(self.digest())),
            Style::Assigned { .. } => format!("{}={}", self.algorithm, self.hex()),
            Style::Named { .. } => format!("{}:{}", self.algorithm, self.hex()),
        }
    }

    fn hex(&self) -> String {
        self.digest().iter().map(|b| format!("{b:02x}")).collect()
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm, self.hex())
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checksum({self})")
    }
}

fn of(algorithm: Algorithm, digest: Option<Vec<u8>>) -> Result<Checksum, BadDigest> {
    let digest = digest.ok_or(BadDigest::Alphabet(algorithm))?;
    let found = digest.len();
    Checksum::new(algorithm, &digest).ok_or(BadDigest::Length { algorithm, found })
}

/// A digest in hex digits.
fn of_hex(algorithm: Algorithm, text: &str) -> Result<Checksum, BadDigest> {
    let mut digest = [0; LONGEST];
    let bytes = text.as_bytes();
    if bytes.len() == 2 * algorithm.digest_bytes() {
        for (byte, pair) in digest.iter_mut().zip(bytes.chunks_exact(2)) {
            let (high, low) = (HEX[usize::from(pair[0])], HEX[usize::from(pair[1])]);
            if high > 15 || low > 15 {
                return Err(BadDigest::Alphabet(algorithm));
            }
            *byte = high << 4 | low;
        }
        return Ok(Checksum { algorithm, digest });
    }
    of(algorithm, unhex(text))
}

/// The value of each lower-case hex digit; 255 for what is none.
const HEX: [u8; 256] = {
    let mut values = [255; 256];
    let (mut digit, digits) = (0, *b"0123456789abcdef");
    while digit < 16 {
        values[digits[digit] as usize] = digit as u8;
        digit += 1;
    }
    values
};

fn unhex(text: &str) -> Option<Vec<u8>> {
    let nibble = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 2);
    for pair in text.as_bytes().chunks_exact(2) {
        bytes.push(nibble(pair[0])? << 4 | nibble(pair[1])?);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn malformed_checksums_say_why() {
        let short = "ab".repeat(31);
        for (format, text, want) in [
            (Format::NpmLock, "sha512-AAAA", "sha512 digest has 3 bytes instead of 64"),
            (
                Format::NpmLock,
                "md5-AAAA",
                "no hash algorithm that this lockfile may use stands in front of it",
            ),
            (Format::NpmLock, "sha512-$$$", "sha512 digest is not written in the right alphabet"),
            (Format::CargoLock, short.as_str(), "sha256 digest has 31 bytes instead of 32"),
            (Format::CargoLock, "ABCD", "sha256 digest is not written in the right alphabet"),
            (
                Format::PipRequirements,
                "sha1:ab",
                "no hash algorithm that this lockfile may use stands in front of it",
            ),
        ] {
            assert_eq!(Checksum::parse(format, text).unwrap_err().to_string(), want, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(bytes in proptest::collection::vec(any::<u8>(), 64), which in 0usize..5) {
            let algorithm = Algorithm::ALL[which];
            let checksum = Checksum::new(algorithm, &bytes[..algorithm.digest_bytes()]).unwrap();
            for format in Format::ALL.into_iter().filter(|f| f.facts().style.can_hold(algorithm)) {
                prop_assert_eq!(&Checksum::parse(format, &checksum.to_text(format)).unwrap(), &checksum, "{}", format);
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,80}") {
            for format in Format::ALL {
                let _ = Checksum::parse(format, &text);
            }
        }
    }
}
