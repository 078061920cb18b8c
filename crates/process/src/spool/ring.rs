//! A ring of bytes that keeps the last of them and counts what it forgot.

/// Keeps the last `capacity` bytes that were pushed.
pub(super) struct Ring {
    bytes: Vec<u8>,
    /// Where the oldest byte is, once the ring is full.
    oldest: usize,
    capacity: usize,
    pushed_bytes: u64,
    pushed_lines: u64,
}

/// What a ring held, oldest first.
pub(super) struct RingContent {
    pub(super) bytes: Vec<u8>,
    pub(super) dropped_bytes: u64,
    pub(super) dropped_lines: u64,
}

impl Ring {
    /// Reserves address space only: a page becomes memory when the first byte reaches it.
    pub(super) fn new(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity), oldest: 0, capacity, pushed_bytes: 0, pushed_lines: 0 }
    }

    /// Newlines are counted in the chunk, which is still in the processor's cache; what it overwrites no longer is.
    pub(super) fn push(&mut self, chunk: &[u8]) {
        self.pushed_bytes += chunk.len() as u64;
        self.pushed_lines += newlines(chunk);
        let (_, kept) = chunk.split_at(chunk.len().saturating_sub(self.capacity));
        let room = (self.capacity - self.bytes.len()).min(kept.len());
        let (filling, overwriting) = kept.split_at(room);
        self.bytes.extend_from_slice(filling);
        self.overwrite_oldest(overwriting);
    }

    /// The content in order; the ring is as new afterwards.
    pub(super) fn take(&mut self) -> RingContent {
        let mut taken = std::mem::replace(self, Self::new(self.capacity));
        taken.bytes.rotate_left(taken.oldest);
        RingContent {
            dropped_bytes: taken.pushed_bytes - taken.bytes.len() as u64,
            dropped_lines: taken.pushed_lines - newlines(&taken.bytes),
            bytes: taken.bytes,
        }
    }

    /// A copy of the last `most` bytes, from a line's start on where some are missing before them.
    pub(super) fn last(&self, most: usize) -> Vec<u8> {
        let (newer, older) = self.bytes.split_at(self.oldest);
        let of_newer = newer.len().min(most);
        let of_older = older.len().min(most - of_newer);
        let mut last = older[older.len() - of_older..].to_vec();
        last.extend_from_slice(&newer[newer.len() - of_newer..]);
        if (last.len() as u64) < self.pushed_bytes {
            let start = memchr::memchr(b'\n', &last).map_or(last.len(), |feed| feed + 1);
            last.drain(..start);
        }
        last
    }

    fn overwrite_oldest(&mut self, chunk: &[u8]) {
        let (until_end, from_start) = chunk.split_at(chunk.len().min(self.bytes.len() - self.oldest));
        for part in [until_end, from_start] {
            let end = self.oldest + part.len();
            self.bytes[self.oldest..end].copy_from_slice(part);
            self.oldest = if end == self.capacity { 0 } else { end };
        }
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}
