//! A ring of bytes that keeps the last of them and counts what it forgot.

/// Keeps the last `capacity` bytes that were pushed.
pub(super) struct Ring {
    bytes: Vec<u8>,
    /// Where the oldest byte is, once the ring is full.
    oldest: usize,
    capacity: usize,
    dropped_bytes: u64,
    dropped_lines: u64,
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
        Self { bytes: Vec::with_capacity(capacity), oldest: 0, capacity, dropped_bytes: 0, dropped_lines: 0 }
    }

    pub(super) fn push(&mut self, chunk: &[u8]) {
        if chunk.len() >= self.capacity {
            self.replace_all(chunk);
            return;
        }
        let room = (self.capacity - self.bytes.len()).min(chunk.len());
        let (filling, overwriting) = chunk.split_at(room);
        self.bytes.extend_from_slice(filling);
        self.overwrite_oldest(overwriting);
    }

    /// The content in order; the ring is as new afterwards.
    pub(super) fn take(&mut self) -> RingContent {
        let mut taken = std::mem::replace(self, Self::new(self.capacity));
        taken.bytes.rotate_left(taken.oldest);
        RingContent {
            bytes: taken.bytes,
            dropped_bytes: taken.dropped_bytes,
            dropped_lines: taken.dropped_lines,
        }
    }

    /// Both parts are plain copies: this is all the work that the hot path has.
    fn overwrite_oldest(&mut self, chunk: &[u8]) {
        let (until_end, from_start) = chunk.split_at(chunk.len().min(self.bytes.len() - self.oldest));
        for part in [until_end, from_start] {
            if part.is_empty() {
                continue;
            }
            let place = self.oldest..self.oldest + part.len();
            self.dropped_lines += newlines(&self.bytes[place.clone()]);
            self.dropped_bytes += part.len() as u64;
            self.bytes[place].copy_from_slice(part);
            self.oldest = (self.oldest + part.len()) % self.capacity;
        }
    }

    /// For a chunk that leaves no room for anything before it.
    fn replace_all(&mut self, chunk: &[u8]) {
        let (lost, kept) = chunk.split_at(chunk.len() - self.capacity);
        self.dropped_lines += newlines(&self.bytes) + newlines(lost);
        self.dropped_bytes += (self.bytes.len() + lost.len()) as u64;
        self.bytes.clear();
        self.bytes.extend_from_slice(kept);
        self.oldest = 0;
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}
