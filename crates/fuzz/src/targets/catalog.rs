//! The catalogue's files, each of which may be a user's own.

use regreen_catalog::{Catalog, CatalogError};

use super::bytes;
use crate::Target;

const LAW: &str =
    "a file is taken, and can be proved, or is an error that names a place in it and says what to do";

pub(super) fn targets() -> [Target; 3] {
    let target = |name, run, seeds| Target { name, law: LAW, run, seeds, words: &WORDS, share: 25 };
    [
        target("pattern", pattern as fn(&[u8]), patterns as fn() -> Vec<Vec<u8>>),
        target("playbook", playbook, playbooks),
        target("expression", expression, expressions),
    ]
}

const WORDS: [&str; 34] = [
    "[match]\n",
    "line = '",
    "near = ",
    "[[example]]\n",
    "[[counterexample]]\n",
    "[measured]\n",
    "status = \"draft\"\n",
    "strength = \"cause\"\n",
    "explains = [\"x\"]\n",
    "also = [\"cache-corruption\"]\n",
    "class = \"unknown\"\n",
    "tools = [\"npm\"]\n",
    "id = \"x\"\n",
    "expect = { line = 9 }\n",
    "'''",
    "\"\"\"",
    "(?P<host>",
    "(?:",
    "[^",
    "]",
    ")*",
    "{1000}",
    "{0,9999}",
    "\\",
    ".*",
    "|",
    "\\b",
    "(?i)",
    "^",
    "$",
    "\\x00",
    "é",
    "\u{202e}",
    "[[step]]\n",
];

const PATTERN: &str = "id = \"x\"\nclass = \"network-timeout\"\ntitle = 'x lost the network'\nsince = \"0.1.0\"\nstatus = \"draft\"\ntools = [\"npm\"]\n\
    strength = \"cause\"\n\nexplain = '''\nIt did.\n'''\nfix = 'Run it again.'\n\n[match]\nline = '^x error: (?:lost|reset) by (?P<host>[a-z.]+)'\n\n\
    [measured]\nhits = 0\nright = 0\nn = 0\nby = \"\"\n\n[[example]]\nname = 'a'\norigin = 'invented'\nlog = '''\nx error: lost by a.example\n'''\n\
    expect = { line = 1 }\n\n[[counterexample]]\nname = 'b'\nwhy = 'no'\nlog = '''\nhello\n'''\n";

fn patterns() -> Vec<Vec<u8>> {
    vec![
        bytes(PATTERN),
        bytes(&PATTERN.replace("draft", "stable")),
        bytes(&PATTERN.replace("cause", "symptom")),
    ]
}

fn playbooks() -> Vec<Vec<u8>> {
    let playbook = "id = \"x\"\ntitle = 'x'\nsince = \"0.1.0\"\nstatus = \"draft\"\nheals = [\"network-timeout\"]\ntools = [\"npm\"]\nexplain = '''\nx\n'''\n\n\
        [guard]\nrisk = \"low\"\nmode = \"auto\"\nconfidence = 0.85\nattempts = 3\ncooldown = \"30s\"\n\n[[step]]\nid = \"wait\"\nkind = \"wait-until-reachable\"\n";
    vec![bytes(playbook), bytes(&playbook.replace("[[step]]", "[[break]]\nid = \"x\"\n[[step]]"))]
}

fn expressions() -> Vec<Vec<u8>> {
    let regexes = [
        "^npm error code (?P<code>E[A-Z]+)$",
        "(?:a|b)*c{2,5}",
        "error\\[E\\d{4}\\]: ",
        "[^\\n]+ failed: (?P<host>\\S+)",
        "x",
    ];
    regexes.map(bytes).to_vec()
}

fn taken(file: &str, text: &str) {
    match Catalog::load([(file, text)]) {
        Ok(catalog) => {
            for pattern in catalog.patterns() {
                pattern.prove();
                assert!(pattern.matcher.line.literals().next().is_some(), "nothing to search for");
            }
        }
        Err(error) => explained(&error, file, text),
    }
}

fn explained(error: &CatalogError, file: &str, text: &str) {
    assert_eq!(error.file, file);
    assert!(!error.what.is_empty() && !error.help.is_empty(), "{error:?}");
    let lines = text.split('\n').count();
    assert!(error.line <= lines, "{error:?} of {lines} lines");
    let line = error.line.checked_sub(1).and_then(|at| text.split('\n').nth(at));
    assert!(line.is_none_or(|line| error.column <= line.chars().count() + 1), "{error:?}");
}

fn pattern(input: &[u8]) {
    taken("patterns/network-timeout/x.toml", &String::from_utf8_lossy(input));
}

fn playbook(input: &[u8]) {
    taken("playbooks/x.toml", &String::from_utf8_lossy(input));
    taken("banners/x.toml", &String::from_utf8_lossy(input));
    taken("probes.toml", &String::from_utf8_lossy(input));
}

fn expression(input: &[u8]) {
    let text = String::from_utf8_lossy(input).replace('\'', "");
    let old = "line = '^x error: (?:lost|reset) by (?P<host>[a-z.]+)'";
    taken("patterns/network-timeout/x.toml", &PATTERN.replace(old, &format!("line = '''{text}'''")));
}
