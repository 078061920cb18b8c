//! Expressions of `java.util.regex` for Rust's engine. What means the same in both is carried over; what Rust can't do, or
//! would read otherwise, is an error that names it. Source: the Javadoc of `java.util.regex.Pattern`, the documentation of
//! the `regex` crate.

/// The expression for Rust's engine, or what of it that engine can't do as Java does.
pub(super) fn translated(java: &str) -> Result<String, String> {
    let mut out = String::with_capacity(java.len());
    let mut rest = java;
    let mut in_class = 0_usize;
    let mut after_quantifier = false;
    while let Some(c) = rest.chars().next() {
        let mut quantifier = false;
        let mut taken = c.len_utf8();
        match c {
            '\\' => {
                let escape = rest.chars().nth(1).ok_or("a backslash at its end")?;
                taken += escape.len_utf8();
                out.push_str(&escaped(escape, in_class > 0)?);
            }
            '[' => {
                in_class += 1;
                out.push(c);
            }
            ']' if in_class > 0 => {
                in_class -= 1;
                out.push(c);
            }
            '-' | '~' if in_class > 0 && rest[1..].starts_with(c) => {
                return Err(format!("`{c}{c}` in a set, which Rust reads as an operation on sets"));
            }
            _ if in_class > 0 => out.push(c),
            '(' => {
                if let Some(what) = group(rest) {
                    return Err(what);
                }
                out.push(c);
            }
            '+' if after_quantifier => {
                return Err(
                    "a possessive quantifier such as `*+`, for which a linear engine has no equal".to_owned()
                );
            }
            '?' if after_quantifier => out.push(c),
            '*' | '+' | '?' => {
                quantifier = true;
                out.push(c);
            }
            '{' => {
                let end = rest.find('}').ok_or("an unpaired `{`")?;
                out.push_str(&rest[..=end]);
                taken = end + 1;
                quantifier = true;
            }
            c => out.push(c),
        }
        after_quantifier = quantifier;
        rest = &rest[taken..];
    }
    Ok(out)
}

/// What begins with a bracket and can't be carried over.
fn group(rest: &str) -> Option<String> {
    let kinds = [
        ("(?=", "look-ahead"),
        ("(?!", "look-ahead"),
        ("(?<=", "look-behind"),
        ("(?<!", "look-behind"),
        ("(?>", "an atomic group"),
    ];
    if let Some((begins, what)) = kinds.iter().find(|(begins, _)| rest.starts_with(begins)) {
        return Some(format!("{what} `{begins}`, which needs an engine that may take exponential time"));
    }
    let flags = rest.strip_prefix("(?")?;
    let flags = &flags[..flags.find([')', ':']).unwrap_or(0)];
    let is_flags = !flags.is_empty() && flags.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-');
    let strange = flags.chars().find(|c| is_flags && !"imsx-".contains(*c));
    strange.map(|flag| format!("the flag `(?{flag})`, which Rust has not or reads otherwise"))
}

fn escaped(escape: char, in_class: bool) -> Result<String, String> {
    let same = match escape {
        // Literally so in Java, the edges of a word in Rust.
        '<' | '>' => return Ok(escape.to_string()),
        'd' | 'D' | 's' | 'S' | 'w' | 'W' | 't' | 'n' | 'r' | 'f' | 'a' | 'x' => true,
        'b' | 'B' | 'A' | 'z' => !in_class,
        c => !c.is_ascii_alphanumeric(),
    };
    if same {
        return Ok(format!("\\{escape}"));
    }
    Err(match escape {
        '0'..='9' | 'k' => {
            format!("a reference back to a group, `\\{escape}`, which a linear engine can't do")
        }
        'Q' | 'E' => "a quotation, `\\Q…\\E`; write its characters out".to_owned(),
        'p' | 'P' => "a class such as `\\p{Alpha}`; write the set out, for example `[A-Za-z]`".to_owned(),
        'v' => "`\\v`, which is any vertical space in Java and one character in Rust".to_owned(),
        other => format!("`\\{other}`, which Rust has not"),
    })
}

/// The analyzer asks whether the whole line matches; Regreen asks whether a match is in it.
pub(super) fn as_a_whole_line(expression: &str) -> String {
    let begun = expression.strip_prefix(".*");
    let rest = begun.unwrap_or(expression);
    // The dot of `\.*` is no any-character.
    let ended = rest.strip_suffix(".*").filter(|rest| !ends_in_a_backslash(rest));
    let inner = ended.unwrap_or(rest);
    if (begun.is_none() && ended.is_none()) || has_a_bare_alternative(expression) {
        return format!("^(?:{expression})$");
    }
    format!("{}{inner}{}", if begun.is_some() { "" } else { "^" }, if ended.is_some() { "" } else { "$" })
}

fn ends_in_a_backslash(text: &str) -> bool {
    text.bytes().rev().take_while(|b| *b == b'\\').count() % 2 == 1
}

/// `a.*|.*b`: what stands at the ends belongs to one branch only.
fn has_a_bare_alternative(expression: &str) -> bool {
    let (mut depth, mut in_class, mut escaped) = (0_usize, false, false);
    for c in expression.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => depth += 1,
            ')' if !in_class => depth = depth.saturating_sub(1),
            '|' if !in_class && depth == 0 => return true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{as_a_whole_line, translated};

    #[test]
    fn what_means_the_same_is_carried_over() {
        for (java, rust) in [
            (r"error: \d{3}+", Err("a possessive")),
            (r"a\.b [a-z&&[^b]] (?i)x(?:y|z)*? \<tag\>", Ok(r"a\.b [a-z&&[^b]] (?i)x(?:y|z)*? <tag>")),
            (r"(?<name>x) {2}y{1,3}", Ok(r"(?<name>x) {2}y{1,3}")),
            (r"a++", Err("a possessive")),
            (r"a*+b", Err("a possessive")),
            (r"[*+]+", Ok(r"[*+]+")),
            (r"(?=x)", Err("look-ahead")),
            (r"(?<!x)y", Err("look-behind")),
            (r"(a)\1", Err("a reference back")),
            (r"\Qa.b\E", Err("a quotation")),
            (r"\p{Alpha}", Err("a class such as")),
            (r"\h", Err("`\\h`")),
            (r"(?d)x", Err("the flag `(?d)`")),
            (r"[a--b]", Err("`--` in a set")),
            (r"x\", Err("a backslash")),
        ] {
            let made = translated(java);
            match rust {
                Ok(rust) => assert_eq!(made.as_deref(), Ok(rust), "{java}"),
                Err(why) => assert!(made.as_ref().is_err_and(|e| e.starts_with(why)), "{java}: {made:?}"),
            }
        }
    }

    #[test]
    fn the_whole_line_is_meant() {
        for (analyzer, ours) in [
            (".*a b.*", "a b"),
            ("a.*", "^a"),
            (".*a", "a$"),
            ("a", "^(?:a)$"),
            (r".*a\.*", r"a\.*$"),
            ("a.*|.*b", "^(?:a.*|.*b)$"),
            (".*(a|b).*", "(a|b)"),
        ] {
            assert_eq!(as_a_whole_line(analyzer), ours, "{analyzer}");
        }
    }
}
