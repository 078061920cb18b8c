//! Zstandard as a stream: one frame after the other, skippable ones skipped.

use std::io::{self, BufRead, BufReader, Read};

use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

/// Unpacks every frame.
pub(crate) struct Zstd<R: Read> {
    state: State<R>,
}

enum State<R: Read> {
    Between(BufReader<R>, Box<FrameDecoder>),
    Within(Box<StreamingDecoder<BufReader<R>, FrameDecoder>>),
    Over,
}

impl<R: Read> Zstd<R> {
    pub(crate) fn new(source: R) -> Zstd<R> {
        Zstd { state: State::Between(BufReader::new(source), Box::default()) }
    }
}

impl<R: Read> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.state = match std::mem::replace(&mut self.state, State::Over) {
                State::Over => return Ok(0),
                State::Between(mut source, decoder) => {
                    if source.fill_buf()?.is_empty() {
                        return Ok(0);
                    }
                    begin(source, decoder)?
                }
                State::Within(mut frame) => match frame.read(buffer)? {
                    0 if !buffer.is_empty() => {
                        let (source, decoder) = frame.into_parts();
                        State::Between(source, Box::new(decoder))
                    }
                    length => {
                        self.state = State::Within(frame);
                        return Ok(length);
                    }
                },
            };
        }
    }
}

/// Begins the next frame, or skips one that holds no log.
fn begin<R: Read>(mut source: BufReader<R>, decoder: Box<FrameDecoder>) -> io::Result<State<R>> {
    // A skippable frame: four bytes of magic, four of length.
    if let [0x50..=0x5f, 0x2a, 0x4d, 0x18] = source.fill_buf()?.get(..4).unwrap_or_default() {
        let mut head = [0; 8];
        source.read_exact(&mut head)?;
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        io::copy(&mut source.by_ref().take(u64::from(length)), &mut io::sink())?;
        return Ok(State::Between(source, decoder));
    }
    let frame = StreamingDecoder::new_with_decoder(source, *decoder)
        .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
    Ok(State::Within(Box::new(frame)))
}
