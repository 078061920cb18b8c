//! Standard output, and columns on it.

use std::io::{self, Write};

use regreen_show::harmless::harmless;
pub use regreen_show::json::line;

use crate::exit::{FINE, Failed, NOTHING_TO_READ};

/// Prints to standard output; who closes the pipe has seen enough.
///
/// # Errors
/// Where standard output can't be written to for any other reason.
pub fn print(text: &str) -> Result<u8, Failed> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failed::new(NOTHING_TO_READ, format!("standard output: {e}")))
        }
        _ => Ok(FINE),
    }
}

/// Rows with their columns aligned, the last one ragged. What is on record may come from a hostile file, so it is
/// made harmless.
pub fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let rows: Vec<[String; N]> = rows.iter().map(|row| row.clone().map(|cell| harmless(&cell))).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            let gap = 2 + width.saturating_sub(cell.chars().count());
            line.extend(std::iter::repeat_n(' ', gap));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A moment for people and programs: RFC 3339 in UTC.
pub fn moment(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |at| format!("{at:.3}"))
}
