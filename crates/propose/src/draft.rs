//! A draft as the text of a pattern file.

use std::fmt::Write;

use regreen_catalog::TO_FILL_IN;
use regreen_domain::{FailureClass, Tool};

/// Words that name nothing.
const PLAIN: [&str; 26] = [
    "a", "an", "and", "at", "be", "by", "can", "could", "error", "err", "failed", "fatal", "for", "from",
    "in", "is", "it", "not", "of", "on", "the", "to", "was", "while", "with", "within",
];

/// Words in an id, and characters.
const WORDS: usize = 5;
const LONGEST: usize = 48;

/// Longest title and explanation, in characters.
const LONGEST_TITLE: usize = 120;
const LONGEST_TEXT: usize = 3000;

/// What stands where there is no example yet.
const NO_EXAMPLE: &str = "
# FILL IN: a log in which it must be found, before it can be stable:
# [[example]]
# name = \"seen\"
# origin = \"recorded: TOOL VERSION, how\"
# log = \"\"
# expect = { line = 1 }
";

/// Longest line that is quoted, in characters.
const QUOTED: usize = 400;

/// What a draft is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The id, which is the file's name.
    pub id: String,
    /// What it may mean.
    pub class: FailureClass,
    /// Why that class, for whoever completes it; a sentence, or nothing.
    pub class_note: String,
    /// Whose words they are, where that is known.
    pub tool: Option<Tool>,
    /// The line's expression.
    pub expression: String,
    /// Lines that it must find, masked: at least one.
    pub examples: Vec<String>,
    /// What stands above everything: where it comes from; lines.
    pub about: Vec<String>,
    /// What it means, where somebody has said so.
    pub words: Option<Words>,
}

/// What only a person, or another tool's rule, can say of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// What happened, in one line.
    pub title: String,
    /// What it means.
    pub explain: String,
    /// The rest; with it the draft is whole.
    pub rest: Option<Rest>,
}

/// What a draft needs beside its title and explanation to be whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// What a person can do.
    pub fix: String,
    /// Where the examples come from.
    pub origin: String,
    /// Where else such words stand and mean nothing.
    pub elsewhere: String,
}

/// A draft that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drafted {
    /// The id; the file is `<id>.toml`.
    pub id: String,
    /// The file's text.
    pub text: String,
}

impl Draft {
    /// Writes it.
    pub fn write(&self) -> Drafted {
        let mut text = String::new();
        self.write_head(&mut text);
        put(&mut text, &format!("\n[match]\nline = {}\n", quoted(&self.expression)));
        let holes = captures(&self.expression);
        if !holes.is_empty() {
            put(&mut text, "\n[holes]\n");
            holes.iter().for_each(|name| put(&mut text, &format!("{name} = \"text\"\n")));
        }
        match self.examples.first() {
            Some(first) => self.write_proof(&mut text, &short(first)),
            None => put(&mut text, NO_EXAMPLE),
        }
        Drafted { id: self.id.clone(), text }
    }

    fn write_head(&self, text: &mut String) {
        let fill = TO_FILL_IN;
        for line in &self.about {
            put(text, &format!("# {}\n", on_one_line(line)));
        }
        let rest = self.rest();
        if rest.is_none() {
            let id = &self.id;
            put(
                text,
                &format!("# A draft: replace every `{fill}`, then `regreen patterns test {id}.toml`.\n"),
            );
        }
        put(text, &format!("id = {}\nclass = {}", quoted(&self.id), quoted(self.class.id())));
        if !self.class_note.is_empty() {
            put(text, &format!("  # {}", on_one_line(&self.class_note)));
        }
        let (title, explain) = match &self.words {
            Some(words) => (words.title.clone(), words.explain.clone()),
            None => (
                format!("{fill}: what happened, in one line"),
                format!("{fill}: what it means, for whoever meets it."),
            ),
        };
        let title: String = on_one_line(&title).chars().take(LONGEST_TITLE).collect();
        put(text, &format!("\ntitle = {}\nsince = \"0.1.0\"\n", quoted(&title)));
        put(text, &format!("status = \"{}\"\n", if rest.is_some() { "stable" } else { "draft" }));
        if let Some(tool) = &self.tool {
            put(text, &format!("tools = [{}]\n", quoted(tool.as_str())));
        }
        put(text, &format!("strength = \"cause\"\n\nexplain = {}\n", block(&on_lines(&explain))));
        let fix = rest.map_or_else(|| format!("{fill}: what a person can do."), |rest| rest.fix.clone());
        put(text, &format!("fix = {}\n", block(&on_lines(&fix))));
    }

    fn rest(&self) -> Option<&Rest> {
        self.words.as_ref()?.rest.as_ref()
    }

    fn write_proof(&self, text: &mut String, first: &str) {
        let fill = TO_FILL_IN;
        let unsaid = || {
            let origin = format!("recorded: {fill} the tool, its version and how it came about");
            (origin, format!("{fill}: where else such words stand and mean nothing"))
        };
        let said = self.rest().map(|rest| (rest.origin.clone(), rest.elsewhere.clone()));
        let (origin, elsewhere) = said.unwrap_or_else(unsaid);
        let origin = quoted(&on_one_line(&origin));
        for (i, line) in self.examples.iter().enumerate() {
            put(text, &format!("\n[[example]]\nname = \"seen ({})\"\norigin = {origin}\n", i + 1));
            put(text, &format!("log = {}\nexpect = {{ line = 1 }}\n", block(&short(line))));
        }
        let why = quoted(&on_one_line(&elsewhere));
        let alike = block(&format!("expected output: \"{first}\""));
        put(text, "\n[[counterexample]]\nname = \"a test that expects it\"\n");
        put(text, &format!("why = {why}\nlog = {alike}\n"));
    }
}

/// An id from the words of a line, one that is not taken.
pub fn id_for(line: &str, taken: &dyn Fn(&str) -> bool) -> String {
    let words = line
        .split(|c: char| !c.is_ascii_alphabetic())
        .map(str::to_ascii_lowercase)
        .filter(|word| word.len() > 1 && !PLAIN.contains(&word.as_str()));
    let mut id = String::new();
    for word in words.take(WORDS) {
        if id.len() + 1 + word.len() > LONGEST {
            break;
        }
        if !id.is_empty() {
            id.push('-');
        }
        id.push_str(&word);
    }
    if id.is_empty() {
        id.push_str("our-pattern");
    }
    let numbered = (2..).map(|n: u32| format!("{id}-{n}"));
    std::iter::once(id.clone()).chain(numbered).find(|id| !taken(id)).unwrap_or(id)
}

/// The names of an expression's captures.
fn captures(expression: &str) -> Vec<&str> {
    let begins = ["(?<", "(?P<"].iter().flat_map(|begins| expression.split(begins).skip(1));
    let name = |rest: &'_ str| rest.find('>').filter(|_| !rest.starts_with(['=', '!']));
    let mut names: Vec<&str> = begins.filter_map(|rest| Some(&rest[..name(rest)?])).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn on_one_line(text: &str) -> String {
    text.split(|c: char| c.is_control() || c == '\u{2028}').collect::<Vec<_>>().join(" ")
}

fn on_lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(on_one_line).collect();
    lines.join("\n").chars().take(LONGEST_TEXT).collect()
}

fn short(line: &str) -> String {
    on_one_line(line).trim_end_matches('…').chars().take(QUOTED).collect()
}

/// A TOML string on one line.
fn quoted(text: &str) -> String {
    if !text.contains('\'') && !text.chars().any(char::is_control) {
        return format!("'{text}'");
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => put(&mut out, &format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out + "\""
}

/// A TOML string on lines of its own.
fn block(text: &str) -> String {
    let plain =
        !text.contains("'''") && !text.ends_with('\'') && !text.chars().any(|c| c.is_control() && c != '\n');
    if plain { format!("'''\n{}\n'''", text.trim_end()) } else { quoted(text) }
}

fn put(text: &mut String, more: &str) {
    let _infallible = text.write_str(more);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use regreen_catalog::{Catalog, PatternSource};
    use regreen_domain::FailureClass;

    use super::{Draft, Rest, Words, id_for};
    use crate::{Clusters, expression};

    /// Reads it as a custom file, and what does not hold of it.
    fn problems(draft: &Draft) -> Vec<String> {
        let drafted = draft.write();
        let file = format!("{}.toml", drafted.id);
        let files = [(file.as_str(), drafted.text.as_str())];
        let (catalog, wrong) = Catalog::default().with_custom(PatternSource::Operator, files);
        let wrong = wrong.iter().map(|e| format!("{e}\n{}", drafted.text));
        let unproved = catalog.patterns().iter().flat_map(|p| p.prove()).map(|p| p.to_string());
        wrong.chain(unproved).collect()
    }

    fn draft(line: &str) -> Draft {
        Draft {
            id: id_for(line, &|_| false),
            class: FailureClass::parse("network-timeout").unwrap(),
            class_note: "by the words".to_owned(),
            tool: None,
            expression: expression(line),
            examples: vec![line.to_owned()],
            about: vec!["From a log.".to_owned()],
            words: None,
        }
    }

    #[test]
    fn whatever_the_line_the_draft_is_valid_and_proves_itself() {
        for line in [
            "widget: the registry did not answer within 30 s",
            "it's 'quoted' \"twice\" '''thrice''' and ends with '",
            "tab\there \u{1b}[31mand colour\u{1b}[0m \\ back\\slash C:\\a\\b.txt",
            "→ naïve: 世界 could not be reached at https://a.example/x?y=1",
            "error[E0425]: cannot find value `x` in this scope (a+b)*{c}|^d$",
            &"long words ".repeat(200),
            "cut off here because it is too long…",
        ] {
            assert_eq!(problems(&draft(line)), Vec::<String>::new(), "{line}");
        }
        let mut clusters = Clusters::default();
        clusters.add(0, "widget can't fetch 'a' from 10.0.0.1");
        clusters.add(1, "widget can't fetch 'b' from 10.0.0.2");
        let found = clusters.recurring(2)[0];
        let of_cluster =
            Draft { expression: found.expression(), examples: found.examples().to_vec(), ..draft("widget") };
        assert_eq!(problems(&of_cluster), Vec::<String>::new());
    }

    #[test]
    fn with_a_person_s_words_it_is_whole_whatever_they_are() {
        let odd =
            ["the registry is away", "it's \"quoted\" '''twice''' '", "two\nlines\u{7}", "C:\\a # b = [c]"];
        for said in odd {
            let origin = format!("recorded: {said}");
            let rest = Rest { fix: said.to_owned(), origin, elsewhere: said.to_owned() };
            let words = Words { title: said.to_owned(), explain: said.to_owned(), rest: Some(rest) };
            let whole = Draft { words: Some(words), ..draft("widget: no answer within 30 s") };
            assert_eq!(problems(&whole), Vec::<String>::new(), "{said}");
            let text = whole.write().text;
            assert!(text.contains("status = \"stable\"") && !text.contains(super::TO_FILL_IN), "{text}");
        }
    }

    #[test]
    fn an_id_is_made_of_telling_words_and_is_free() {
        assert_eq!(
            id_for("Error: the Widget-Server at 10.0.0.1 is not reachable", &|_| false),
            "widget-server-reachable"
        );
        assert_eq!(id_for("404", &|_| false), "our-pattern");
        assert_eq!(
            id_for("widget away", &|id| id == "widget-away" || id == "widget-away-2"),
            "widget-away-3"
        );
        assert!(id_for(&"abcdefghijkl ".repeat(20), &|_| false).len() <= 48);
    }
}
