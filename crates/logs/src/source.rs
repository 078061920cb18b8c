//! Where a log comes from: a stream, a file that can be read from its end, either of them packed.

use std::io::{Read, Seek, SeekFrom};

use crate::encoding::Utf8;
use crate::ending::HORIZON;
use crate::step::At;
use crate::unpack::{Kind, Limited, Limits, SAMPLE, Zstd};
use crate::{Format, Log, ReadError, ReadOptions, Reader};

/// Bytes that are read at once.
const BUFFER: usize = 256 * 1024;

/// Files shorter than this are read from their beginning.
const SHORT: u64 = 2 * HORIZON;

/// The end of a file is read from here on; a line starts within this before the horizon.
const SLACK: u64 = 1024 * 1024;

/// Reads logs from where they come from.
#[derive(Debug, Clone, Copy, Default)]
pub struct Source {
    /// How they are read.
    pub options: ReadOptions,
    /// How much may come out of packed ones.
    pub limits: Limits,
}

/// A log that was read from a file's end.
#[derive(Debug)]
pub struct Tail {
    /// The log; its lines are counted from the first one that was read.
    pub log: Log<'static>,
    /// So many bytes of the file lie before that line: whoever counts their line feeds knows the line numbers.
    pub unread: u64,
}

impl Source {
    /// Reads a stream to its end; packed ones are unpacked.
    ///
    /// # Errors
    /// Where the stream fails, is no text, an archive, or unpacks to more than the limits allow.
    pub fn read(&self, mut stream: impl Read) -> Result<Log<'static>, ReadError> {
        let mut head = Vec::new();
        stream.by_ref().take(SAMPLE as u64).read_to_end(&mut head)?;
        let packed = std::io::Cursor::new(head.clone()).chain(stream);
        match Kind::of(&head) {
            Kind::Gzip => {
                let (source, taken) = crate::unpack::counted(packed);
                self.text(Limited::new(flate2::read::MultiGzDecoder::new(source), self.limits), || {
                    taken.get()
                })
            }
            Kind::Zstd => {
                let (source, taken) = crate::unpack::counted(packed);
                self.text(Limited::new(Zstd::new(source), self.limits), || taken.get())
            }
            Kind::Zip => Err(ReadError::Archive),
            Kind::Binary(what) => Err(ReadError::Binary(what)),
            Kind::Text => {
                self.text(Limited::new(packed, Limits { bytes: u64::MAX, ..self.limits }), || u64::MAX)
            }
        }
    }

    /// Reads a file. One that is long is read from its end, where that is enough: the numbers of lines are then
    /// counted from there ([`Tail::unread`]).
    ///
    /// # Errors
    /// As [`Source::read`].
    pub fn read_file(&self, file: &mut (impl Read + Seek)) -> Result<Tail, ReadError> {
        let length = file.seek(SeekFrom::End(0))?;
        if length > SHORT
            && let Some(tail) = self.read_end(file, length)?
        {
            return Ok(tail);
        }
        file.seek(SeekFrom::Start(0))?;
        Ok(Tail { log: self.read(file)?, unread: 0 })
    }

    /// How many of a file's first bytes [`Source::read_file`] does not read, where it need not: not more than
    /// [`Tail::unread`] will say.
    pub fn skipped(length: u64) -> u64 {
        if length > SHORT { length - HORIZON - SLACK } else { 0 }
    }

    /// What an entry of an archive unpacks to; `packed` bytes are what it takes there.
    pub(crate) fn read_unpacked(&self, entry: impl Read, packed: u64) -> Result<Log<'static>, ReadError> {
        self.text(Limited::new(entry, self.limits), || packed)
    }

    fn text<R: Read>(
        &self,
        mut source: Limited<R>,
        taken: impl Fn() -> u64,
    ) -> Result<Log<'static>, ReadError> {
        let mut buffer = vec![0; BUFFER];
        let mut reader = Reader::new(&self.options);
        let mut utf8: Option<Utf8> = None;
        // The beginning tells what it is, so it must not be cut.
        let mut filled = 0;
        loop {
            let length = source.read(&mut buffer[filled..], taken())?;
            filled += length;
            if length > 0 && filled < SAMPLE {
                continue;
            }
            if utf8.is_none() {
                match Kind::of(&buffer[..filled]) {
                    _ if filled == 0 => return Err(ReadError::Empty),
                    Kind::Text => utf8 = Some(Utf8::of(&buffer[..filled])),
                    Kind::Binary(what) => return Err(ReadError::Binary(what)),
                    Kind::Gzip | Kind::Zstd | Kind::Zip => return Err(ReadError::Binary("packed twice")),
                }
            }
            if let Some(utf8) = &mut utf8 {
                reader.push(&utf8.text(&buffer[..filled]));
                if length == 0 {
                    reader.push(&utf8.end());
                    return Ok(reader.finish());
                }
            }
            filled = 0;
        }
    }

    /// The log from what stands near the file's end, where that decides.
    fn read_end(&self, file: &mut (impl Read + Seek), length: u64) -> Result<Option<Tail>, ReadError> {
        let mut buffer = vec![0; BUFFER];
        file.seek(SeekFrom::Start(0))?;
        file.by_ref().take(SAMPLE as u64).read_exact(&mut buffer[..SAMPLE])?;
        let head = buffer[..SAMPLE].to_vec();
        if Kind::of(&head) != Kind::Text || Utf8::of(&head).is_utf16() {
            return Ok(None);
        }
        let format = self.options.format.unwrap_or_else(|| Format::detect(&head));
        let from = Source::skipped(length);
        file.seek(SeekFrom::Start(from))?;
        let mut left = 0;
        let mut reader: Option<Reader> = None;
        loop {
            let got = file.read(&mut buffer)?;
            let mut bytes = &buffer[..got];
            if got == 0 {
                break;
            }
            if reader.is_none() {
                // What stands before the first line feed is the rest of a line.
                match memchr::memchr(b'\n', bytes) {
                    Some(feed) => {
                        left += feed as u64 + 1;
                        bytes = &bytes[feed + 1..];
                        let options = ReadOptions { format: Some(format), ..self.options };
                        let at = At { byte: from + left, line: 1 };
                        let first = crate::clock::first(&head, format);
                        let mut begun = Reader::beginning_at(&options, at);
                        begun.first = first;
                        reader = Some(begun);
                    }
                    None => left += got as u64,
                }
            }
            if let Some(reader) = &mut reader {
                reader.push(bytes);
            }
        }
        Ok(reader
            .filter(|_| left <= SLACK)
            .and_then(Reader::decided)
            .map(|log| Tail { log, unread: from + left }))
    }
}
