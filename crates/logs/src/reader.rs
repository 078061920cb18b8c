//! Reads a log block by block and keeps what a diagnosis may be defined on: steps that failed, and the end.
//!
//! Memory does not grow with the log: at most four windows are held at once, one of them the log's end.

use std::collections::VecDeque;

use crate::aftermath;
use crate::dialect::Dialect;
use crate::piece::{Piece, after_a_word, after_last_feed, feeds};
use crate::step::{At, Course, Over};
use crate::{Format, Log, ReadOptions, Stamp, StepOutcome, clock};

/// Lines are read in blocks of about this size.
const BLOCK: usize = 256 * 1024;

/// A line longer than this is taken apart.
const LONGEST: usize = 1024 * 1024;

/// Of the steps that failed, so many are kept.
const MOST: usize = 64;

/// Takes a log's bytes in pieces of any size.
#[derive(Debug)]
pub struct Reader {
    pub(crate) options: ReadOptions,
    pub(crate) format: Option<Format>,
    /// Bytes that make no whole block yet.
    rest: Vec<u8>,
    /// The log's end, in blocks: at least a window, where the log is that long.
    tail: VecDeque<Block>,
    tail_bytes: usize,
    /// Where the next block starts, and its column where it starts within a line.
    pub(crate) at: At,
    column: u32,
    pub(crate) course: Course,
    pub(crate) kept: Kept,
    /// When the log's first lines were written, once they were read.
    pub(crate) first: Option<Stamp>,
}

/// The steps that a diagnosis may be about, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// Steps of the work that failed.
    pub(crate) failed: Vec<Piece>,
    /// Steps of the work that only reported an error; none, once one has failed.
    pub(crate) complained: Vec<Piece>,
    /// The last step of the clean-up that did either.
    pub(crate) cleanup: Option<Piece>,
    /// The last step of the work.
    pub(crate) last: Option<Piece>,
}

#[derive(Debug)]
struct Block {
    start: u64,
    column: u32,
    bytes: Vec<u8>,
}

impl Block {
    fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

impl Reader {
    /// Begins at the log's first byte.
    pub fn new(options: &ReadOptions) -> Reader {
        Reader::beginning_at(options, At { byte: 0, line: options.dropped.lines + 1 })
    }

    /// Begins behind what is left of a line that was cut: it is counted, and not read.
    pub(crate) fn after(options: &ReadOptions, left: &[u8]) -> Reader {
        let line = options.dropped.lines + 1 + feeds(left);
        let mut reader = Reader::beginning_at(options, At { byte: left.len() as u64, line });
        reader.column = after_last_feed(0, left);
        reader
    }

    /// Begins at a line within the log.
    pub(crate) fn beginning_at(options: &ReadOptions, at: At) -> Reader {
        Reader {
            options: *options,
            format: options.format,
            rest: Vec::new(),
            tail: VecDeque::new(),
            tail_bytes: 0,
            at,
            column: 0,
            course: Course::from(at),
            kept: Kept::default(),
            first: None,
        }
    }

    /// Takes the next bytes.
    pub fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK));
            self.rest.extend_from_slice(now);
            bytes = later;
            if self.rest.len() >= BLOCK {
                self.take_lines();
            }
        }
    }

    /// The log.
    pub fn finish(mut self) -> Log<'static> {
        self.end();
        self.log()
    }

    /// Reads what is left, and ends the last step.
    pub(crate) fn end(&mut self) {
        let rest = std::mem::take(&mut self.rest);
        if !rest.is_empty() {
            self.block(rest);
        }
        let mut over = Vec::new();
        self.course.end(self.at, &mut over);
        over.into_iter().for_each(|over| self.keep(over));
    }

    /// Takes the whole lines of what was not read yet; of a line that is too long, what is there of it.
    fn take_lines(&mut self) {
        let end = match memchr::memrchr(b'\n', &self.rest) {
            Some(feed) => feed + 1,
            None if self.rest.len() < LONGEST => return,
            None => whole_characters(&self.rest),
        };
        let later = self.rest.split_off(end);
        let block = std::mem::replace(&mut self.rest, later);
        self.block(block);
    }

    fn block(&mut self, bytes: Vec<u8>) {
        let format = *self.format.get_or_insert_with(|| Format::detect(&bytes));
        let dialect = format.dialect();
        if self.at.byte == 0 {
            self.first = clock::first(&bytes, format);
        }
        let marks = marks(&bytes, dialect, self.column > 0);
        let block = Block { start: self.at.byte, column: self.column, bytes };
        self.column = after_last_feed(self.column, &block.bytes);
        self.at.byte = block.end();
        self.tail_bytes += block.bytes.len();
        self.tail.push_back(block);
        let mut over = Vec::new();
        let mut counted = 0;
        for mark in marks {
            let Some(block) = self.tail.back() else { break };
            self.at.line += feeds(&block.bytes[counted..mark]);
            counted = mark;
            let line = line_at(&block.bytes, mark);
            let start = At { byte: block.start + mark as u64, line: self.at.line };
            let feed = u64::from(mark + line.len() < block.bytes.len());
            let end = At { byte: start.byte + line.len() as u64 + feed, line: start.line + feed };
            self.course.read(start, end, line, dialect, &mut over);
            for over in std::mem::take(&mut over) {
                self.keep(over);
            }
        }
        self.at.line += self.tail.back().map_or(0, |block| feeds(&block.bytes[counted..]));
        while self.tail.front().is_some_and(|b| self.tail_bytes - b.bytes.len() >= self.options.window_bytes)
        {
            self.tail_bytes -= self.tail.pop_front().map_or(0, |b| b.bytes.len());
        }
    }

    /// Keeps a step that is over, where a diagnosis may be about it.
    fn keep(&mut self, Over { step, end }: Over) {
        let mut piece = self.piece(step.start, end);
        piece.step = step.name;
        piece.job = step.job;
        let room = self.options.window_bytes;
        // Of a step that turned out to go on behind an end that it printed itself, the part that was kept is in it.
        self.kept.failed.retain(|kept| kept.began < piece.began);
        let cleanup = step.cleanup || self.follows(&piece, step.outcome);
        match (step.outcome, cleanup) {
            (StepOutcome::Failed, false) => {
                self.kept.complained.clear();
                push(&mut self.kept.failed, piece, room);
            }
            (StepOutcome::Complained, false) if self.kept.failed.is_empty() => {
                push(&mut self.kept.complained, piece, room);
            }
            (StepOutcome::Passed, false) if !piece.bytes.trim_ascii().is_empty() => {
                self.kept.last = Some(piece);
            }
            (StepOutcome::Failed | StepOutcome::Complained, true) => self.kept.cleanup = Some(piece),
            _ => {}
        }
    }

    /// Whether the step runs because of a failure before it, in the same job.
    fn follows(&self, step: &Piece, outcome: StepOutcome) -> bool {
        let complained = self.kept.complained.last().filter(|_| outcome == StepOutcome::Complained);
        let failed = self.kept.failed.last().or(complained).filter(|failed| failed.job == step.job);
        let marks = self.format.is_some_and(|format| format.dialect().marks_failures());
        let unmarked = || !marks && self.kept.last.as_ref().is_some_and(aftermath::complains);
        (failed.is_some() || unmarked()) && aftermath::is_aftermath(step)
    }

    /// Everything that was read, or the last of it.
    pub(crate) fn whole(&self) -> Piece {
        self.piece(self.course.base, self.at)
    }

    /// The bytes between two lines, or the last of them, from a line's start on.
    fn piece(&self, start: At, end: At) -> Piece {
        let cap = self.options.window_bytes as u64;
        let kept_from = self.tail.front().map_or(end.byte, |block| block.start);
        let from = start.byte.max(kept_from).max(end.byte.saturating_sub(cap)).min(end.byte);
        let mut bytes = Vec::with_capacity((end.byte - from) as usize);
        let first = self.tail.partition_point(|block| block.end() <= from);
        let mut column = 0;
        for block in self.tail.range(first..).take_while(|block| block.start < end.byte) {
            let within = |byte: u64| (byte.saturating_sub(block.start) as usize).min(block.bytes.len());
            if bytes.is_empty() {
                column = after_last_feed(block.column, &block.bytes[..within(from)]);
            }
            bytes.extend_from_slice(&block.bytes[within(from)..within(end.byte)]);
        }
        // It begins with a line's start; where it holds none, with a word's: half of a secret no longer looks like one.
        if column > 0 {
            match memchr::memchr(b'\n', &bytes).filter(|feed| feed + 1 < bytes.len()) {
                Some(feed) => {
                    bytes.drain(..=feed);
                    column = 0;
                }
                None if from > start.byte => {
                    let left = after_a_word(&bytes);
                    column = after_last_feed(column, &bytes[..left]);
                    bytes.drain(..left);
                }
                None => {}
            }
        }
        Piece {
            began: start.byte,
            line: end.line - feeds(&bytes),
            column,
            cut: from > start.byte,
            step: String::new(),
            job: None,
            bytes,
        }
    }
}

/// Adds a piece; the oldest go, where all together take more than the room there is: the last ones are what a
/// diagnosis is about.
fn push(pieces: &mut Vec<Piece>, piece: Piece, room: usize) {
    pieces.push(piece);
    let mut all: usize = pieces.iter().map(|piece| piece.bytes.len()).sum();
    while (all > room || pieces.len() > MOST) && pieces.len() > 1 {
        all -= pieces.remove(0).bytes.len();
    }
}

/// Where the lines start that may carry a mark, in order. `in_line`: the first bytes are the middle of a line.
fn marks(bytes: &[u8], dialect: &dyn Dialect, in_line: bool) -> Vec<usize> {
    let mut starts = Vec::new();
    let Some(literals) = dialect.mark_literals() else {
        let feeds = memchr::memchr_iter(b'\n', bytes).map(|feed| feed + 1);
        return (!in_line).then_some(0).into_iter().chain(feeds).filter(|at| *at < bytes.len()).collect();
    };
    for literal in literals {
        let mut from = 0;
        for at in memchr::memmem::find_iter(bytes, literal.as_bytes()) {
            if at >= from {
                starts.push(memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |feed| feed + 1));
                from = at + line_at(bytes, at).len();
            }
        }
    }
    starts.sort_unstable();
    starts.dedup();
    if in_line && starts.first() == Some(&0) {
        starts.remove(0);
    }
    starts
}

/// The rest of the line, without its feed.
fn line_at(bytes: &[u8], at: usize) -> &[u8] {
    let rest = &bytes[at..];
    &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())]
}

/// How many of the bytes are whole characters, where the last may be cut.
fn whole_characters(bytes: &[u8]) -> usize {
    let cut = bytes.iter().rev().take(3).position(|b| *b >= 0xc0);
    cut.map_or(bytes.len(), |back| bytes.len() - back - 1)
}
