//! Lines of failures that nothing names, grouped by the template that printed them.
//!
//! The parse tree of Drain: lines of as many words, then by their first words, then by how alike the rest is (P. He,
//! J. Zhu, Z. Zheng, M. R. Lyu, "Drain: an online log parsing approach with fixed depth tree", ICWS 2017). Words count
//! by their shape, so numbers, paths and hosts are alike from the start.

use std::collections::{BTreeMap, BTreeSet};

use crate::shape::{Part, beginning, escaped, parts};

/// So many first words choose the group; a word with something variable in it chooses nothing.
const DEPTH: usize = 2;

/// Two lines are of one template from this share of like words on. Drain's authors use 0.3 to 0.7; failures are few, so
/// rather two templates too many.
const ALIKE: f64 = 0.6;

/// So many different lines of a template are kept.
const EXAMPLES: usize = 3;

/// Words of which a template must keep this many letters, or it says nothing.
const LETTERS: usize = 8;

/// Endings that every failure has.
const ENDINGS: [&str; 8] = [
    "exit code",
    "exited with",
    "exit status",
    "exit value",
    "script returned",
    "build failed",
    "job failed",
    "process completed",
];

/// A word of a template: its parts, or anything.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    Shape(Vec<Part>),
    Any,
}

/// Lines of one template.
#[derive(Debug, Clone)]
pub struct Cluster {
    template: Vec<Word>,
    logs: BTreeSet<usize>,
    examples: Vec<String>,
}

/// The tree.
#[derive(Debug, Clone, Default)]
pub struct Clusters {
    all: Vec<Cluster>,
    leaves: BTreeMap<(usize, Vec<String>), Vec<usize>>,
}

impl Clusters {
    /// Adds a line of a log, which is already masked. A line that only says that something failed is left out.
    pub fn add(&mut self, log: usize, line: &str) {
        let (line, _) = beginning(line.trim_start());
        let lower = line.to_ascii_lowercase();
        if ENDINGS.iter().any(|ending| lower.contains(ending)) {
            return;
        }
        let words: Vec<Word> = line.split_ascii_whitespace().map(|word| Word::Shape(parts(word))).collect();
        if words.is_empty() {
            return;
        }
        let first: Vec<String> = words.iter().take(DEPTH).map(Word::key).collect();
        let leaf = self.leaves.entry((words.len(), first)).or_default();
        let alike =
            |at: &&usize| self.all.get(**at).map_or(0.0, |cluster| likeness(&cluster.template, &words));
        let best = leaf.iter().max_by(|a, b| alike(a).total_cmp(&alike(b))).copied();
        let known = best.filter(|at| alike(&at) >= ALIKE);
        let at = known.unwrap_or_else(|| {
            leaf.push(self.all.len());
            self.all.push(Cluster { template: words.clone(), logs: BTreeSet::new(), examples: Vec::new() });
            self.all.len() - 1
        });
        if let Some(cluster) = self.all.get_mut(at) {
            cluster.take(log, line, &words);
        }
    }

    /// Templates that stand in at least so many logs, the one in most logs first; of what a log holds only the first of
    /// them counts, for one failure prints many lines.
    pub fn recurring(&self, least: usize) -> Vec<&Cluster> {
        let mut found: Vec<&Cluster> = Vec::new();
        let mut named = BTreeSet::new();
        loop {
            let telling = self.all.iter().filter(|cluster| cluster.letters() >= LETTERS);
            let left = |cluster: &&Cluster| cluster.logs.difference(&named).count();
            // Of several, the one that says most, and of those the first that was added.
            let next = telling.rev().max_by_key(|cluster| (left(cluster), cluster.letters()));
            match next.filter(|cluster| left(cluster) >= least) {
                Some(cluster) => {
                    named.extend(cluster.logs.iter().copied());
                    found.push(cluster);
                }
                None => return found,
            }
        }
    }
}

impl Cluster {
    /// The logs, by the numbers with which they were added.
    pub fn logs(&self) -> &BTreeSet<usize> {
        &self.logs
    }

    /// Some of its lines, the first that was seen first.
    pub fn examples(&self) -> &[String] {
        &self.examples
    }

    /// A regular expression for its lines.
    pub fn expression(&self) -> String {
        let words: Vec<String> = self.template.iter().map(Word::expression).collect();
        format!(r"^[ \t]*{}", words.join(r"[ \t]+"))
    }

    fn take(&mut self, log: usize, line: &str, words: &[Word]) {
        for (ours, theirs) in self.template.iter_mut().zip(words) {
            if ours != theirs {
                *ours = Word::Any;
            }
        }
        self.logs.insert(log);
        if self.examples.len() < EXAMPLES && !self.examples.iter().any(|known| known == line) {
            self.examples.push(line.to_owned());
        }
    }

    fn letters(&self) -> usize {
        let fixed = |part: &Part| match part {
            Part::Fixed(text) => text.bytes().filter(u8::is_ascii_alphabetic).count(),
            Part::Differs(_) => 0,
        };
        let of = |word: &Word| match word {
            Word::Shape(parts) => parts.iter().map(fixed).sum(),
            Word::Any => 0,
        };
        self.template.iter().map(of).sum()
    }
}

impl Word {
    fn key(&self) -> String {
        match self {
            Word::Shape(parts) => match parts.as_slice() {
                [Part::Fixed(text)] => text.clone(),
                _ => "*".to_owned(),
            },
            Word::Any => "*".to_owned(),
        }
    }

    fn expression(&self) -> String {
        let part = |part: &Part| match part {
            Part::Fixed(text) => escaped(text),
            Part::Differs(open) => (*open).to_owned(),
        };
        match self {
            Word::Shape(parts) => parts.iter().map(part).collect(),
            Word::Any => "[^ ]+".to_owned(),
        }
    }
}

/// The share of words that are alike.
fn likeness(template: &[Word], words: &[Word]) -> f64 {
    let alike = template.iter().zip(words).filter(|(ours, theirs)| ours == theirs).count();
    alike as f64 / words.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use super::Clusters;

    #[test]
    fn one_failure_is_one_template_however_many_lines_it_prints() {
        let mut clusters = Clusters::default();
        for (log, name) in ["alpha", "beta", "gamma"].into_iter().enumerate() {
            clusters.add(log, &format!("widget: cannot fetch {name} from 10.0.0.{log} after {log}1 s"));
            clusters.add(log, "widget: giving up now");
            clusters.add(log, "Error: Process completed with exit code 1.");
        }
        clusters.add(3, "gadget: out of ink in tray 4");
        clusters.add(4, "  gadget: out of ink in tray 77");
        clusters.add(5, "nobody else says this");
        let found = clusters.recurring(2);
        let logs: Vec<Vec<usize>> = found.iter().map(|c| c.logs().iter().copied().collect()).collect();
        assert_eq!(logs, [vec![0, 1, 2], vec![3, 4]]);
        assert_eq!(found[0].examples().len(), 3);
        for cluster in found {
            let regex =
                regex::bytes::RegexBuilder::new(&cluster.expression()).unicode(false).build().unwrap();
            assert!(cluster.examples().iter().all(|line| regex.is_match(line.as_bytes())), "{regex}");
        }
    }

    #[test]
    fn what_only_looks_alike_in_length_is_apart() {
        let mut clusters = Clusters::default();
        clusters.add(0, "cannot open the first door");
        clusters.add(1, "cannot open a different window");
        assert!(clusters.recurring(2).is_empty());
    }
}
