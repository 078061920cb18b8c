//! `cargo xtask picture`: docs/images/demo.svg, a recording of a real `regreen demo`: what it printed, in its colours and at
//! its times. Nothing is made up, and nothing left out; lines that are too long are broken at a blank.

use std::{
    fmt::Write,
    fs,
    io::Read,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::{cargo, top};

/// What is recorded.
const DEMO: [&str; 4] = ["demo", "lockfile", "--tool", "cargo"];
/// Columns of the terminal.
const COLUMNS: usize = 96;
/// Size of a character, in pixels.
const WIDE: f32 = 8.43;
/// From line to line, in pixels.
const HIGH: f32 = 19.0;
/// Around the text, in pixels.
const MARGIN: f32 = 16.0;

/// A piece of a line in one style.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    style: String,
    text: String,
}

/// A line on the screen, and when it was there.
struct Line {
    at: Duration,
    pieces: Vec<Piece>,
}

/// Records it.
pub fn picture() -> Result<String, String> {
    let build = cargo().args(["build", "--quiet", "--package", "regreen-cli"]).current_dir(top()).status();
    if !build.is_ok_and(|status| status.success()) {
        return Err("cargo build failed".to_owned());
    }
    let program = top().join("target/debug/regreen");
    // One pipe for both streams, so that they come in order.
    let mut child = Command::new("sh")
        .args(["-c", "exec \"$0\" \"$@\" 2>&1"])
        .arg(program)
        .args(DEMO)
        .args(["--color", "always"])
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("sh: {e}"))?;
    let started = Instant::now();
    let mut out = child.stdout.take().ok_or("no output")?;
    let (mut chunk, mut line, mut lines) = ([0; 4096], Vec::new(), vec![typed()]);
    loop {
        let length = out.read(&mut chunk).map_err(|e| e.to_string())?;
        if length == 0 {
            break;
        }
        let at = started.elapsed() + Duration::from_millis(600);
        for byte in &chunk[..length] {
            match byte {
                b'\n' => lines.extend(shown(&String::from_utf8_lossy(&std::mem::take(&mut line)), at)),
                byte => line.push(*byte),
            }
        }
    }
    let status = child.wait().map_err(|e| e.to_string())?;
    if !status.success() {
        return Err(format!("regreen {} ended with {status}", DEMO.join(" ")));
    }
    let path = top().join("docs/images/demo.svg");
    fs::create_dir_all(top().join("docs/images")).map_err(|e| e.to_string())?;
    fs::write(&path, svg(&lines)).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(format!("picture: {} lines in docs/images/demo.svg", lines.len()))
}

fn typed() -> Line {
    let pieces = vec![
        Piece { style: "p".to_owned(), text: "$ ".to_owned() },
        Piece { style: "b".to_owned(), text: format!("regreen {}", DEMO.join(" ")) },
    ];
    Line { at: Duration::ZERO, pieces }
}

/// The lines of the screen that a printed line takes: broken at a blank where there is one, else wherever the line ends.
fn shown(text: &str, at: Duration) -> Vec<Line> {
    let styled: Vec<(String, char)> = pieces_of(text)
        .into_iter()
        .flat_map(|Piece { style, text }| text.chars().map(|c| (style.clone(), c)).collect::<Vec<_>>())
        .collect();
    let (mut lines, mut rest) = (Vec::new(), &styled[..]);
    while rest.len() > COLUMNS {
        let blank = rest[..=COLUMNS].iter().rposition(|(_, c)| *c == ' ');
        // What begins with blanks is not broken before its first word.
        let blank = blank.filter(|blank| rest[..*blank].iter().any(|(_, c)| *c != ' '));
        let (line, after) = rest.split_at(blank.unwrap_or(COLUMNS));
        lines.push(Line { at, pieces: pieces(line) });
        rest = &after[usize::from(blank.is_some())..];
    }
    lines.push(Line { at, pieces: pieces(rest) });
    lines
}

/// What follows each other in one style is one piece.
fn pieces(styled: &[(String, char)]) -> Vec<Piece> {
    let piece = |run: &[(String, char)]| Piece {
        style: run[0].0.clone(),
        text: run.iter().map(|(_, c)| *c).collect(),
    };
    styled.chunk_by(|one, next| one.0 == next.0).map(piece).collect()
}

/// Text with its SGR sequences (ECMA-48) as classes: `b`old, `d`im, and the colours by their number.
fn pieces_of(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut style = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (plain, sequence) = rest.split_once("\x1b[").unwrap_or((rest, ""));
        if !plain.is_empty() {
            pieces.push(Piece { style: style.trim_end().to_owned(), text: plain.replace('\t', "    ") });
        }
        let end = sequence.find(|c: char| c.is_ascii_alphabetic()).map_or(sequence.len(), |at| at + 1);
        for code in sequence[..end].trim_end_matches(char::is_alphabetic).split(';') {
            match code {
                "1" => style.push_str("b "),
                "2" => style.push_str("d "),
                "" | "0" => style.clear(),
                code => _ = write!(style, "c{code} "),
            }
        }
        rest = &sequence[end..];
    }
    pieces
}

fn svg(lines: &[Line]) -> String {
    let (wide, high) = (COLUMNS as f32 * WIDE + 2.0 * MARGIN, lines.len() as f32 * HIGH + 2.0 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {wide:.0} {high:.0}\" width=\"{wide:.0}\" role=\"img\">\n\
         <title>regreen {}, recorded</title>\n\
         <style>text{{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#e6edf3;white-space:pre;\
         animation:in 0s both}}@keyframes in{{from{{visibility:hidden}}}}.b{{font-weight:bold}}.d{{opacity:.65}}.p,.c32{{fill:#56d364}}\
         .c31{{fill:#ff7b72}}.c33{{fill:#e3b341}}.c36{{fill:#76e3ea}}\
         @media(prefers-reduced-motion){{text{{animation:none}}}}</style>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#0d1117\"/>\n",
        DEMO.join(" ")
    );
    for (row, line) in lines.iter().enumerate() {
        let y = MARGIN + row as f32 * HIGH + 14.0;
        let delay = line.at.as_secs_f32();
        _ = write!(svg, "<text x=\"{MARGIN}\" y=\"{y:.0}\" style=\"animation-delay:{delay:.2}s\">");
        for Piece { style, text } in &line.pieces {
            let text = text.replace('&', "&amp;").replace('<', "&lt;");
            match style.as_str() {
                "" => svg.push_str(&text),
                style => _ = write!(svg, "<tspan class=\"{style}\">{text}</tspan>"),
            }
        }
        svg.push_str("</text>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_become_classes_and_long_lines_are_wrapped() {
        let piece = |style: &str, text: &str| Piece { style: style.to_owned(), text: text.to_owned() };
        assert_eq!(pieces_of("\x1b[32;1mok\x1b[0m <b>"), [piece("c32 b", "ok"), piece("", " <b>")]);
        let lines = shown(&"x".repeat(COLUMNS + 1), Duration::from_secs(2));
        assert_eq!(lines.len(), 2);
        assert!(svg(&lines).contains("animation-delay:2.00s"));
        let words = format!("\x1b[1m{}\x1b[0m second third", "x".repeat(COLUMNS - 7));
        let texts: Vec<String> = shown(&words, Duration::ZERO)
            .iter()
            .map(|line| line.pieces.iter().map(|piece| piece.text.as_str()).collect())
            .collect();
        assert_eq!(texts, [format!("{} second", "x".repeat(COLUMNS - 7)), "third".to_owned()]);
    }
}
