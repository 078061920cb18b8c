//! A line's words as the model sees them: lower case, with numbers, paths, addresses and hashes masked.

/// So many words of a line count.
const WORDS: usize = 40;
/// So many bytes of a line are looked at.
const BYTES: usize = 300;
/// So many bytes of a word count.
const WORD_BYTES: usize = 24;

/// Numbers that mean something wherever they stand: exit codes that shells and kernels give.
const TELLING: [&str; 8] = ["0", "1", "2", "126", "127", "137", "139", "143"];

/// The words of a line.
pub(crate) fn words(line: &str) -> Vec<String> {
    let line = crate::scan::first_bytes(line, BYTES);
    let mut words = Vec::new();
    for chunk in line.split_ascii_whitespace() {
        if words.len() >= WORDS {
            break;
        }
        chunk_words(chunk, &mut words);
    }
    words.truncate(WORDS);
    words
}

fn chunk_words(chunk: &str, words: &mut Vec<String>) {
    if chunk.contains("://") {
        words.push("<url>".to_owned());
        return;
    }
    let bare =
        chunk.trim_matches(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '/' | '.' | '~' | '_'));
    if bare.len() > 2 && bare.contains(['/', '\\']) && !chunk.starts_with("##[") {
        words.push(path(bare));
        return;
    }
    plain_words(chunk, words);
}

/// Of a path, only the kind of file is kept.
fn path(path: &str) -> String {
    let last = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let last = last.split([':', '(', ',', ')']).next().unwrap_or_default();
    match last.rsplit_once('.') {
        Some((stem, kind))
            if !stem.is_empty()
                && (1..=5).contains(&kind.len())
                && kind.bytes().all(|b| b.is_ascii_alphabetic()) =>
        {
            format!("<path.{}>", kind.to_ascii_lowercase())
        }
        _ => "<path>".to_owned(),
    }
}

fn plain_words(chunk: &str, words: &mut Vec<String>) {
    let bytes = chunk.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        let run = |at: usize, of: fn(u8) -> bool| at + bytes[at..].iter().take_while(|b| of(**b)).count();
        if byte.is_ascii_alphanumeric() || byte == b'_' {
            at = run(at, |b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'\'' | b'-' | b'.'));
            let word = chunk[start..at].trim_end_matches(['.', '-', '\'']);
            one_word(word, words);
        } else {
            at += 1;
        }
    }
}

/// A run of letters, digits and joining signs: a hash, a number, or words.
fn one_word(run: &str, words: &mut Vec<String>) {
    let hexadecimal = run.len() >= 7 && run.bytes().all(|b| b.is_ascii_hexdigit());
    if hexadecimal && run.bytes().any(|b| b.is_ascii_digit()) && run.bytes().any(|b| b.is_ascii_alphabetic())
    {
        words.push("<hex>".to_owned());
        return;
    }
    let mut rest = run;
    while let Some(first) = rest.bytes().next() {
        let end = if first.is_ascii_digit() {
            rest.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count()
        } else if first.is_ascii_alphabetic() || first == b'_' {
            rest.bytes().take_while(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'-' | b'\'')).count()
        } else {
            rest = &rest[1..];
            continue;
        };
        let (word, after) = rest.split_at(end);
        rest = after;
        words.push(if first.is_ascii_digit() { number(word) } else { cut(word).to_ascii_lowercase() });
    }
}

/// HTTP errors and telling exit codes stay; every other number is as good as the next.
fn number(digits: &str) -> String {
    let bare = digits.trim_end_matches('.');
    let http = bare.len() == 3 && bare.starts_with(['4', '5']) && bare.bytes().all(|b| b.is_ascii_digit());
    if http || TELLING.contains(&bare) { bare.to_owned() } else { "0".to_owned() }
}

fn cut(word: &str) -> &str {
    word.get(..WORD_BYTES).unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_run_to_run_is_masked() {
        for (line, want) in [
            ("npm ERR! code ECONNRESET", "npm err code econnreset"),
            (
                "fatal: unable to access 'https://github.com/a/b.git/': 503",
                "fatal unable to access <url> 503",
            ),
            ("src/a.rs:3:1: error[E0308]: mismatched types", "<path.rs> error e 0 mismatched types"),
            ("took 31 ms at 3f2a9c17b (exit code 137)", "took 0 ms at <hex> exit code 137"),
            ("C:\\x\\y.cs(3,4): error CS1002", "<path.cs> error cs 0"),
            ("##[error]Process completed with exit code 1.", "error process completed with exit code 1"),
            ("don't-care … é", "don't-care"),
        ] {
            assert_eq!(words(line).join(" "), want, "{line}");
        }
    }

    #[test]
    fn a_long_line_costs_no_more_than_a_line() {
        assert_eq!(words(&"word ".repeat(100_000)).len(), WORDS);
        assert!(words(&"é".repeat(100_000)).is_empty());
    }
}
