//! The readable text of one line, and where each of its characters stands in the raw line.

/// Decoded text: no escape sequences, control or invisible characters, timestamp or overwritten progress bar.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text {
    text: String,
    /// (byte in `text`, raw column): from this byte on, columns count up one by one.
    jumps: Vec<(usize, u32)>,
    /// The column after the last character.
    next: u32,
}

impl Text {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The raw line's column, in Unicode scalars counted from 1, of the character at this byte of the text.
    pub fn column(&self, byte: usize) -> u32 {
        let last = self.jumps.partition_point(|(at, _)| *at <= byte);
        let Some(&(from, column)) = last.checked_sub(1).and_then(|i| self.jumps.get(i)) else { return 1 };
        let mut end = byte.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let between = self.text.get(from..end).map_or(0, |t| t.chars().count());
        column.saturating_add(u32::try_from(between).unwrap_or(u32::MAX))
    }

    /// Appends a character that stands at this column of the raw line.
    pub(crate) fn push(&mut self, character: char, column: u32) {
        if self.jumps.is_empty() || self.next != column {
            self.jumps.push((self.text.len(), column));
        }
        self.text.push(character);
        self.next = column.saturating_add(1);
    }

    /// Appends characters of one byte each that follow each other in the raw line, from this column on.
    pub(crate) fn push_plain(&mut self, text: &str, column: u32) {
        if self.jumps.is_empty() || self.next != column {
            self.jumps.push((self.text.len(), column));
        }
        self.text.push_str(text);
        self.next = column.saturating_add(u32::try_from(text.len()).unwrap_or(u32::MAX));
    }

    /// Takes the last character back, as a backspace does.
    pub(crate) fn pop(&mut self) {
        self.text.pop();
        while self.jumps.last().is_some_and(|(at, _)| *at >= self.text.len()) {
            self.jumps.pop();
        }
        self.next = 0;
    }

    pub(crate) fn trim_end(&mut self) {
        self.text.truncate(self.text.trim_end().len());
    }

    pub(crate) fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::Text;

    #[test]
    fn columns_jump_where_something_was_left_out() {
        let mut text = Text::default();
        for (c, column) in [('ä', 5), ('b', 6), ('c', 12), ('d', 13)] {
            text.push(c, column);
        }
        assert_eq!(text.as_str(), "äbcd");
        assert_eq!([0, 2, 3, 4, 5].map(|byte| text.column(byte)), [5, 6, 12, 13, 14]);
        assert_eq!(text.column(99), 14);
    }
}
