//! A diagnosis in Markdown, for a comment or the summary of a job.

use std::fmt::Write;

use crate::{
    Diagnosed,
    harmless::{harmless, short},
};

/// So many lines of evidence are shown.
const SHOWN: usize = 6;
/// So many characters of each.
const WIDE: usize = 500;

/// A section for one input.
pub fn section(of: &Diagnosed<'_>) -> String {
    let d = &of.diagnosis;
    let mut text = format!("### {}\n\n{}", code(&of.input), of.headline());
    if !d.failed {
        return text + "\n\n";
    }
    let sentence = |text: &str| escaped(&harmless(text));
    let _infallible = write!(text, " ({})\n\n{}.\n", code(of.rule()), sentence(&d.reason));
    if !d.evidence.is_empty() {
        let lines: String = d.evidence.iter().take(SHOWN).fold(String::new(), |mut lines, e| {
            let _infallible = writeln!(lines, "{}:{}: {}", e.line, e.column, short(&harmless(&e.text), WIDE));
            lines
        });
        let fence = fence(&lines, 3);
        let _infallible = write!(text, "\n{fence}text\n{lines}{fence}\n");
    }
    let _infallible = write!(text, "\n- {}, fingerprint {}\n", of.sure(), code(d.fingerprint.as_str()));
    if let Some(step) = d.step.as_deref().filter(|step| !step.is_empty()) {
        let _infallible = writeln!(text, "- step {}", code(step));
    }
    if let Some(last) = of.last_line() {
        let _infallible = writeln!(text, "- the last line: {}", code(&last));
    }
    if let Some(hang) = &of.hang {
        let _infallible = writeln!(text, "- what to try: {}", hang.advice);
    }
    if let Some(fix) = of.fix() {
        let _infallible =
            writeln!(text, "- what to do: {}", fix.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    if let Some(advice) = of.advice() {
        for (i, check) in advice.checks.iter().enumerate() {
            let _infallible = writeln!(text, "- look, {}: {}", i + 1, code(check));
        }
        let _infallible = writeln!(text, "- whom to ask: {}", code(&advice.who));
    }
    if let Some(playbook) = of.cure.playbook {
        let _infallible =
            writeln!(text, "- in a job, `regreen run` would heal this by the playbook `{playbook}`");
    }
    if d.truncated {
        text.push_str("- a part of the log lay outside the window that was read\n");
    }
    text + "\n"
}

/// Text as code: whatever it holds, it does not end early.
pub fn code(text: &str) -> String {
    let text = harmless(text);
    let fence = fence(&text, 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// More backticks than the text has in a row.
pub(crate) fn fence(text: &str, least: usize) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(least.max(longest + 1))
}

/// Text that means itself. A mention, a reference or a bare address is found in the text as it is shown, after the
/// escapes are gone (`@all`, `#1`, `https://…`), so something without width stands within it.
pub fn escaped(text: &str) -> String {
    const NOTHING: &str = "&#8203;";
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        if matches!(
            c,
            '\\' | '`'
                | '*'
                | '_'
                | '{'
                | '}'
                | '['
                | ']'
                | '<'
                | '>'
                | '#'
                | '|'
                | '!'
                | '~'
                | '@'
                | '&'
                | '$'
                | '='
        ) {
            out.push('\\');
        }
        out.push(c);
        let before = &text[..at];
        let www = c == '.' && before.len() > 2 && before.as_bytes()[at - 3..].eq_ignore_ascii_case(b"www");
        if matches!(c, '@' | '#') || (c == ':' && text[at..].starts_with("://")) || www {
            out.push_str(NOTHING);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{code, escaped};

    #[test]
    fn nothing_gets_out() {
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`x`"), "`` `x` ``");
        for (text, want) in [
            ("<img src=x> `a`", "\\<img src\\=x\\> \\`a\\`"),
            ("@all #12 a@b.c", "\\@&#8203;all \\#&#8203;12 a\\@&#8203;b.c"),
            ("https://x.example WWW.x.example", "https:&#8203;//x.example WWW.&#8203;x.example"),
            ("![a](b) &amp; $x$", "\\!\\[a\\](b) \\&amp; \\$x\\$"),
        ] {
            assert_eq!(escaped(text), want);
        }
    }
}
