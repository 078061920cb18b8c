//! A labelled log, as JSON Lines hold it.

use std::io::{self, BufRead, BufReader, Read};

use serde::Deserialize;
use thiserror::Error;

use crate::Label;

/// A labelled log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its name.
    pub id: String,
    /// What it is.
    pub label: Label,
    /// What an expert would accept as well.
    pub also: Vec<Label>,
    /// The repository; rows of one are never split over learning and measuring.
    pub repo: String,
    /// The line that shows the cause best, where one was marked.
    pub evidence: String,
    /// The log.
    pub log: String,
}

/// The lines of a log that people marked as the description of the failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The row's name.
    pub id: String,
    /// First line, counted from 1.
    pub first_line: u64,
    /// Last line.
    pub last_line: u64,
}

/// A line that is no row.
#[derive(Debug, Error)]
pub enum RowError {
    /// It is no JSON of this shape.
    #[error("not a labelled log")]
    Shape(#[from] serde_json::Error),
    /// Its label is no class and not `passing`.
    #[error("`{0}` is no class and not `passing`")]
    Label(String),
    /// It can't be read or unpacked.
    #[error("it can't be read")]
    Read(#[from] io::Error),
}

#[derive(Deserialize)]
struct RawRow {
    id: String,
    label: String,
    #[serde(default)]
    also: Vec<String>,
    #[serde(default)]
    repo: String,
    #[serde(default)]
    evidence: Option<String>,
    log: String,
}

#[derive(Deserialize)]
struct RawChunk {
    id: String,
    first_line: Option<u64>,
    last_line: Option<u64>,
}

/// The lines of a file, unpacked where it is packed with zstd.
pub fn lines<'r>(
    file: impl Read + 'r,
    packed: bool,
) -> Result<Box<dyn Iterator<Item = io::Result<String>> + 'r>, RowError> {
    if !packed {
        return Ok(Box::new(BufReader::new(file).lines()));
    }
    let decoder = ruzstd::decoding::StreamingDecoder::new(file).map_err(io::Error::other)?;
    Ok(Box::new(BufReader::new(decoder).lines()))
}

/// The row that this line holds.
pub fn row(line: &str) -> Result<Row, RowError> {
    let RawRow { id, label, also, repo, evidence, log } = serde_json::from_str(line)?;
    let parse = |id: String| Label::parse(&id).ok_or(RowError::Label(id));
    let also = also.into_iter().map(parse).collect::<Result<_, _>>()?;
    Ok(Row { id, label: parse(label)?, also, repo, evidence: evidence.unwrap_or_default(), log })
}

/// All the marked chunks of a file whose place in the log is known.
pub fn chunks(file: impl Read, packed: bool) -> Result<Vec<Chunk>, RowError> {
    let chunk = |line: io::Result<String>| -> Result<Option<Chunk>, RowError> {
        let RawChunk { id, first_line, last_line } = serde_json::from_str(&line?)?;
        let place = first_line.zip(last_line);
        Ok(place.map(|(first_line, last_line)| Chunk { id, first_line, last_line }))
    };
    lines(file, packed)?.filter_map(|line| chunk(line).transpose()).collect()
}

#[cfg(test)]
mod tests {
    use regreen_domain::{CodeClass, FailureClass};

    use super::*;

    #[test]
    fn a_row_is_read_and_a_wrong_one_is_an_error_that_says_why() {
        let good = row(
            r#"{"id":"a","label":"passing","also":["test-failure"],"repo":"o/r","log":"x\ny","hard":true}"#,
        );
        let good = good.unwrap();
        assert_eq!(good.label, Label::Passing);
        assert_eq!(good.also, [Label::Failed(FailureClass::Code(CodeClass::TestFailure))]);
        assert_eq!(good.log, "x\ny");
        let wrong = row(r#"{"id":"a","label":"weather","log":""}"#).unwrap_err();
        assert_eq!(wrong.to_string(), "`weather` is no class and not `passing`");
        assert!(matches!(row("{"), Err(RowError::Shape(_))));
    }

    #[test]
    fn packed_and_plain_hold_the_same() {
        let text = "{\"id\":\"a\",\"first_line\":3,\"last_line\":4}\n{\"id\":\"b\",\"first_line\":null,\"last_line\":null}\n";
        let packed =
            ruzstd::encoding::compress_to_vec(text.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest);
        let want = [Chunk { id: "a".to_owned(), first_line: 3, last_line: 4 }];
        assert_eq!(chunks(text.as_bytes(), false).unwrap(), want);
        assert_eq!(chunks(packed.as_slice(), true).unwrap(), want);
        assert!(lines(&b"no zstd"[..], true).is_err());
    }
}
