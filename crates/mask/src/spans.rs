//! Spans of a text that are to be replaced: collected in any order, merged, applied once.

use std::ops::Range;

/// The text with each span replaced; overlapping and touching spans become one.
pub(crate) fn replace(text: &[u8], mut spans: Vec<Range<usize>>, replacement: &[u8]) -> Vec<u8> {
    spans.sort_by_key(|span| span.start);
    let mut out = Vec::with_capacity(text.len());
    let mut end_of_last = 0;
    let mut spans = spans.into_iter().peekable();
    while let Some(mut span) = spans.next() {
        while let Some(next) = spans.next_if(|next| next.start <= span.end) {
            span.end = span.end.max(next.end);
        }
        out.extend_from_slice(&text[end_of_last..span.start]);
        out.extend_from_slice(replacement);
        end_of_last = span.end;
    }
    out.extend_from_slice(&text[end_of_last..]);
    out
}

#[cfg(test)]
mod tests {
    use super::replace;

    #[test]
    fn overlapping_and_touching_spans_become_one() {
        assert_eq!(replace(b"abcdefgh", vec![4..6, 1..3, 2..4], b"*"), b"a*gh");
        assert_eq!(replace(b"abc", vec![], b"*"), b"abc");
        assert_eq!(replace(b"abc", vec![0..3, 1..2], b"*"), b"*");
    }
}
