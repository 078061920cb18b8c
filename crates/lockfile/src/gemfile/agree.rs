//! A `Gemfile` against the lockfile, where it is a plain list: it is code, and nothing of it is run here.
//!
//! As in `Definition#ensure_equivalent_gemfile_and_lockfile` of Bundler 2.3: the gems that are asked for, with their
//! ranges, must be those under `DEPENDENCIES`.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Agreement, Lockfile, Manifest};

/// Each gem that is asked for, with the clauses of its range.
type Wanted = BTreeMap<String, BTreeSet<String>>;

pub(crate) fn agrees(lockfile: &Lockfile, manifest: &Manifest<'_>) -> Agreement {
    let asked = match plain(manifest.root) {
        Ok(asked) if !asked.is_empty() => asked,
        Ok(_) => return Agreement::NotChecked("the manifest is code".to_owned()),
        Err(line) => return Agreement::NotChecked(format!("the manifest is code, in line {line}")),
    };
    let mut locked = Wanted::new();
    for wanted in &lockfile.wanted {
        let clauses = wanted.requirement.iter().flat_map(|range| range.split(',')).map(clause);
        locked.entry(wanted.name.clone()).or_default().extend(clauses);
    }
    let mut drift = Vec::new();
    for (name, range) in &asked {
        match locked.get(name) {
            None => drift.push(format!("the manifest asks for {name}, which the lockfile does not know")),
            Some(locked) if locked != range => {
                let said = |range: &BTreeSet<String>| match range.is_empty() {
                    true => "any version".to_owned(),
                    false => range.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
                };
                let (range, locked) = (said(range), said(locked));
                drift.push(format!("the manifest asks for {name} {range}, the lockfile for {locked}"));
            }
            Some(_) => {}
        }
    }
    let gone = locked.keys().filter(|name| !asked.contains_key(*name));
    drift.extend(gone.map(|name| format!("the manifest does not ask for {name} any more")));
    Agreement::of(drift)
}

/// What a `Gemfile` asks for that says nothing but which gems, from where and in which groups; else the line that says
/// more. Blocks of sources and groups, and options behind the ranges, change nothing of what is asked for.
fn plain(text: &str) -> Result<Wanted, usize> {
    let mut asked = Wanted::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let head = line.split([' ', '(', '\t']).next().unwrap_or_default();
        match head {
            "" | "end" => {}
            _ if line.starts_with('#') => {}
            "source" | "ruby" | "git_source" => {}
            "group" | "platforms" | "platform" if line.ends_with(" do") => {}
            "gem" => {
                let (name, range) = gem(&line[head.len()..]).ok_or(number + 1)?;
                // Twice, in two groups.
                asked.entry(name).or_default().extend(range);
            }
            _ => return Err(number + 1),
        }
    }
    Ok(asked)
}

/// `"name", "~> 1.0", ">= 1.0.1", require: false` and the like.
fn gem(arguments: &str) -> Option<(String, Vec<String>)> {
    let arguments = arguments.trim().trim_start_matches('(').trim_end_matches(')');
    let conditional = [" if ", " unless ", "#{", "ENV", "*", "<<"];
    if conditional.iter().any(|word| arguments.contains(word)) || arguments.ends_with(',') {
        return None;
    }
    let mut words = arguments.split(',').map(str::trim);
    let name = quoted(words.next()?)?;
    let mut range = Vec::new();
    for word in words.map(|word| word.trim_start_matches('[').trim_end_matches(']').trim()) {
        match quoted(word) {
            Some(text) => range.push(clause(text)),
            // `require: false`, `:require => false`: nothing behind it is a range.
            None if word.contains(": ") || word.contains("=>") => break,
            None => return None,
        }
    }
    Some((name.to_owned(), range))
}

fn quoted(text: &str) -> Option<&str> {
    let inner = |mark| text.strip_prefix(mark)?.strip_suffix(mark);
    inner('"').or_else(|| inner('\'')).filter(|inner| !inner.contains(['"', '\'', '\\']))
}

/// `= 1.0` for `1.0`, without spaces.
fn clause(text: &str) -> String {
    let text: String = text.split_whitespace().collect();
    match text.starts_with(|c: char| c.is_ascii_digit()) {
        true => format!("={text}"),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Format, parse};

    const LOCK: &str = "GEM\n  remote: https://rubygems.org/\n  specs:\n    a (1.2.0)\n    b (2.0.0)\n    c (3.0)\n\n\
                        PLATFORMS\n  ruby\n\nDEPENDENCIES\n  a (>= 1.1, ~> 1.0)\n  b!\n  c (= 3.0)\n";

    fn agreement(gemfile: &str) -> Agreement {
        let lockfile = parse(Format::GemfileLock, LOCK.as_bytes()).unwrap();
        agrees(&lockfile, &Manifest { root: gemfile, members: &[] })
    }

    #[test]
    fn a_plain_list_is_compared() {
        let agreeing = "# frozen_string_literal: true\nsource \"https://rubygems.org\"\ngit_source(:x) { |r| r }\n\n\
                        ruby '3.1.2'\n\ngem 'a', '~> 1.0', \">= 1.1\", require: false\ngroup :test do\n  \
                        gem(\"b\", git: \"https://g.example/b.git\")\nend\ngem \"c\", \"3.0\"\n";
        assert_eq!(agreement(agreeing), Agreement::Agrees);
        let drifted = agreeing.replace("\"3.0\"", "\"3.1\"").replace("'a', ", "'d', ");
        let Agreement::Drift(reasons) = agreement(&drifted) else { panic!("{:?}", agreement(&drifted)) };
        assert_eq!(
            reasons,
            [
                "the manifest asks for c =3.1, the lockfile for =3.0",
                "the manifest asks for d, which the lockfile does not know",
                "the manifest does not ask for a any more",
            ]
        );
    }

    #[test]
    fn code_is_not_guessed_at() {
        for (gemfile, line) in [
            ("gem \"a\"\ngemspec\n", 2),
            ("gem \"a\" if ENV[\"CI\"]\n", 1),
            ("%w[a b].each { |name| gem name }\n", 1),
            ("gem \"a\",\n  \"~> 1.0\"\n", 1),
            ("gem NAME\n", 1),
            ("gem \"a\", VERSION\n", 1),
        ] {
            let why = format!("the manifest is code, in line {line}");
            assert_eq!(agreement(gemfile), Agreement::NotChecked(why), "{gemfile}");
        }
        assert_eq!(agreement(""), Agreement::NotChecked("the manifest is code".to_owned()));
    }
}
