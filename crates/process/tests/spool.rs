//! Laws of the spool, for any order of chunks from the two streams.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use proptest::prelude::*;
use regreen_process::{Spool, SpoolContent, Stream};

/// `Out` prints upper-case letters, `Err` lower-case ones, so that every byte tells where it came from.
fn chunks(longest: usize) -> impl Strategy<Value = Vec<(Stream, Vec<u8>)>> {
    let out = proptest::collection::vec(prop_oneof![6 => b'A'..=b'Z', 1 => Just(b'\n')], 0..longest)
        .prop_map(|bytes| (Stream::Out, bytes));
    let err = proptest::collection::vec(prop_oneof![6 => b'a'..=b'z', 1 => Just(b'\n')], 0..longest)
        .prop_map(|bytes| (Stream::Err, bytes));
    proptest::collection::vec(prop_oneof![out, err], 0..24)
}

fn spooled(capacity: usize, pushes: &[(Stream, Vec<u8>)]) -> SpoolContent {
    let spool = Spool::new(capacity);
    for (stream, bytes) in pushes {
        spool.push(*stream, bytes);
    }
    spool.take()
}

/// The end of what came, from a line's start on where it is cut.
fn end(whole: &[u8], most: usize) -> Vec<u8> {
    let cut = whole.len().saturating_sub(most);
    let kept = &whole[cut..];
    let start =
        if cut == 0 { 0 } else { kept.iter().position(|b| *b == b'\n').map_or(kept.len(), |at| at + 1) };
    kept[start..].to_vec()
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

proptest! {
    /// A look at the end copies it and changes nothing.
    #[test]
    fn a_copy_of_the_end_begins_with_a_line(pushes in chunks(40), capacity in 0_usize..120, most in 0_usize..150) {
        let whole = spooled(usize::pow(2, 20), &pushes).bytes;
        let spool = Spool::new(capacity);
        for (stream, bytes) in &pushes {
            spool.push(*stream, bytes);
        }
        prop_assert_eq!(spool.last(most), end(&whole, most.min(capacity)));
        prop_assert_eq!(spool.take(), spooled(capacity, &pushes));
    }

    /// Whatever the capacity, the content is the end of what an unbounded spool would hold, and the counts say
    /// exactly what is missing.
    #[test]
    fn keeps_the_end_and_counts_the_rest(pushes in chunks(40), capacity in 0_usize..120) {
        let whole = spooled(usize::pow(2, 20), &pushes);
        prop_assert_eq!(whole.dropped_bytes, 0);
        let kept = spooled(capacity, &pushes);
        prop_assert!(kept.bytes.len() <= capacity);
        let cut = whole.bytes.len() - kept.bytes.len();
        prop_assert_eq!(kept.bytes.len(), whole.bytes.len().min(capacity));
        prop_assert_eq!(kept.dropped_bytes, cut as u64);
        prop_assert_eq!(kept.dropped_lines, newlines(&whole.bytes[..cut]));
        prop_assert_eq!(kept.bytes, &whole.bytes[cut..]);
    }

    /// One stream alone is kept as it came.
    #[test]
    fn one_stream_is_unchanged(chunks in proptest::collection::vec(any::<Vec<u8>>(), 0..16), capacity in 1_usize..200) {
        let all = chunks.concat();
        let pushes: Vec<_> = chunks.into_iter().map(|bytes| (Stream::Err, bytes)).collect();
        let kept = spooled(capacity, &pushes);
        prop_assert_eq!(&kept.bytes[..], &all[all.len().saturating_sub(capacity)..]);
        prop_assert_eq!(kept.dropped_bytes as usize + kept.bytes.len(), all.len());
    }

    /// No byte is lost or swapped within a stream, and no line mixes both, but for one where the end was reached
    /// within a line.
    #[test]
    fn lines_stay_whole(pushes in chunks(40)) {
        let whole = spooled(usize::pow(2, 20), &pushes).bytes;
        for (stream, of_stream) in [
            (Stream::Out, u8::is_ascii_uppercase as fn(&u8) -> bool),
            (Stream::Err, u8::is_ascii_lowercase as fn(&u8) -> bool),
        ] {
            let pushed: Vec<u8> = pushes.iter().filter(|(s, _)| *s == stream)
                .flat_map(|(_, bytes)| bytes.iter().copied().filter(|b| *b != b'\n')).collect();
            let kept: Vec<u8> = whole.iter().copied().filter(of_stream).collect();
            prop_assert_eq!(pushed, kept);
        }
        prop_assert_eq!(newlines(&whole), pushes.iter().map(|(_, bytes)| newlines(bytes)).sum::<u64>());
        let mixed = whole.split(|b| *b == b'\n')
            .filter(|line| line.iter().any(u8::is_ascii_uppercase) && line.iter().any(u8::is_ascii_lowercase));
        prop_assert!(mixed.count() <= 1);
    }
}

#[test]
fn a_line_that_never_ends_holds_the_other_stream_only_so_long() {
    let spool = Spool::new(1 << 20);
    spool.push(Stream::Err, b"progress 10%");
    for _ in 0..10 {
        spool.push(Stream::Out, &[b'x'; 20_000]);
    }
    spool.push(Stream::Out, b"\nlast\n");
    spool.push(Stream::Err, b" done\n");
    let content = spool.take();
    assert_eq!(content.bytes.len(), 12 + 200_000 + 6 + 6);
    assert!(content.bytes.starts_with(b"progress 10%xxx"));
    assert!(content.bytes.ends_with(b"xx\nlast\n done\n"));
}

#[test]
fn halves_of_lines_are_not_glued() {
    let spool = Spool::new(1 << 20);
    spool.push(Stream::Out, b"Compiling a");
    spool.push(Stream::Err, b"error: disk full\nwarn");
    spool.push(Stream::Out, b" v1.0\nnext");
    spool.push(Stream::Err, b"ing: x\n");
    let content = spool.take();
    assert_eq!(
        String::from_utf8(content.bytes).unwrap(),
        "Compiling a v1.0\nerror: disk full\nwarning: x\nnext"
    );
}

#[test]
fn taking_leaves_it_as_new() {
    let spool = Spool::new(4);
    spool.push(Stream::Out, b"ab\ncdef");
    let same = spool.clone();
    assert_eq!(same.take(), SpoolContent { bytes: b"cdef".to_vec(), dropped_bytes: 3, dropped_lines: 1 });
    assert_eq!(spool.take(), SpoolContent::default());
    spool.push(Stream::Err, b"z");
    assert_eq!(spool.take(), SpoolContent { bytes: b"z".to_vec(), dropped_bytes: 0, dropped_lines: 0 });
}
