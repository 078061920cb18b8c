//! What became of the checksums of one release: file by file where the lockfile names them, else as a set.

use crate::{Algorithm, Checksum, Entry};

/// A checksum, and the file that it is of where the lockfile names it.
pub(crate) type Artefact = (Option<String>, Checksum);

/// A checksum that took another one's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replaced<'c> {
    /// The file, where the lockfile names it.
    pub(crate) file: Option<&'c str>,
    pub(crate) from: &'c Checksum,
    pub(crate) to: &'c Checksum,
}

/// How two lists of the same release differ.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Differences<'c> {
    /// Which took which one's place, in the order of the new list.
    pub(crate) replaced: Vec<Replaced<'c>>,
    /// What else went: of an algorithm of which others came too, so that which took whose place can't be told.
    pub(crate) gone: Vec<&'c Artefact>,
    /// What else came.
    pub(crate) come: Vec<&'c Artefact>,
}

impl<'c> Differences<'c> {
    /// Compares the checksums of one release before and after. A file that was published later is in `come` alone.
    pub(crate) fn between(old: &'c [Artefact], new: &'c [Artefact]) -> Differences<'c> {
        let mut found = Differences::default();
        for algorithm in Algorithm::ALL.into_iter().rev() {
            let of = |list: &'c [Artefact]| -> Vec<&'c Artefact> {
                list.iter().filter(|(_, c)| c.algorithm() == algorithm).collect()
            };
            found.compare(&of(old), &of(new));
        }
        found
    }

    /// Whether nothing took another one's place.
    pub(crate) fn is_consistent(&self) -> bool {
        self.replaced.is_empty() && !self.is_unclear()
    }

    /// Whether some went and others came, and which took whose place can't be told.
    pub(crate) fn is_unclear(&self) -> bool {
        let algorithms = |of: &[&Artefact]| of.iter().map(|(_, c)| c.algorithm()).collect::<Vec<_>>();
        let came = algorithms(&self.come);
        algorithms(&self.gone).iter().any(|a| came.contains(a))
    }

    /// Lists of one algorithm.
    fn compare(&mut self, old: &[&'c Artefact], new: &[&'c Artefact]) {
        let mut gone: Vec<&Artefact> = old.iter().copied().filter(|a| !holds(new, a)).collect();
        let mut come: Vec<&Artefact> = new.iter().copied().filter(|a| !holds(old, a)).collect();
        // A file of which both know one.
        come.retain(|artefact| {
            let (Some(file), to) = artefact else { return true };
            let Some(at) = gone.iter().position(|(f, _)| f.as_ref() == Some(file)) else { return true };
            self.replaced.push(Replaced { file: Some(file), from: &gone.remove(at).1, to });
            false
        });
        // The same bytes by another name are the same file.
        let elsewhere = |of: &[&Artefact], c: &Checksum| of.iter().any(|(_, other)| other == c);
        gone.retain(|(_, c)| !elsewhere(new, c));
        come.retain(|(_, c)| !elsewhere(old, c));
        let named = |of: &[&Artefact]| of.iter().any(|(file, _)| file.is_some());
        if !named(&gone) && !named(&come) {
            self.in_place(old, new, &mut gone, &mut come);
        }
        self.gone.extend(gone);
        self.come.extend(come);
    }

    /// Without names: the only one, or those that stand where the others stood.
    fn in_place(
        &mut self,
        old: &[&'c Artefact],
        new: &[&'c Artefact],
        gone: &mut Vec<&'c Artefact>,
        come: &mut Vec<&'c Artefact>,
    ) {
        let pairs: Vec<(&Artefact, &Artefact)> = match (gone.as_slice(), come.as_slice()) {
            ([from], [to]) => vec![(*from, *to)],
            _ if old.len() == new.len() => {
                old.iter().zip(new).filter(|(a, b)| a.1 != b.1).map(|(a, b)| (*a, *b)).collect()
            }
            _ => return,
        };
        let all = pairs.iter().all(|(from, to)| gone.contains(from) && come.contains(to));
        if all && pairs.len() == gone.len() && pairs.len() == come.len() {
            self.replaced.extend(pairs.iter().map(|(from, to)| Replaced {
                file: None,
                from: &from.1,
                to: &to.1,
            }));
            gone.clear();
            come.clear();
        }
    }
}

/// Whether the list has this checksum for this file; for any, where one of them has no name.
fn holds(list: &[&Artefact], (file, checksum): &Artefact) -> bool {
    list.iter().any(|(f, c)| c == checksum && (f.is_none() || file.is_none() || f == file))
}

impl Entry {
    /// The well-formed checksums, each with the file that it is of where the lockfile names it.
    pub fn artefacts(&self) -> impl Iterator<Item = (Option<&str>, &Checksum)> {
        self.sites.iter().filter_map(|s| Some((s.file.as_deref(), s.checksum.as_ref()?)))
    }

    pub(crate) fn owned_artefacts(&self) -> Vec<Artefact> {
        self.artefacts().map(|(file, c)| (file.map(str::to_owned), c.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a.whl=1` is the checksum 1 of `a.whl`, `2` one without a name, `s3` a SHA-512.
    fn list(said: &str) -> Vec<Artefact> {
        let artefact = |word: &str| {
            let (file, sum) = word.split_once('=').map_or((None, word), |(f, s)| (Some(f.to_owned()), s));
            let (algorithm, digit) = match sum.strip_prefix('s') {
                Some(digit) => (Algorithm::Sha512, digit),
                None => (Algorithm::Sha256, sum),
            };
            let bytes = vec![digit.parse().unwrap(); algorithm.digest_bytes()];
            (file, Checksum::new(algorithm, &bytes).unwrap())
        };
        said.split_whitespace().map(artefact).collect()
    }

    fn said(old: &str, new: &str) -> String {
        let (old, new) = (list(old), list(new));
        let found = Differences::between(&old, &new);
        let digit = |c: &Checksum| c.digest()[0];
        let mut words: Vec<String> = (found.replaced.iter())
            .map(|r| {
                format!(
                    "{}{}>{}",
                    r.file.map(|f| format!("{f} ")).unwrap_or_default(),
                    digit(r.from),
                    digit(r.to)
                )
            })
            .collect();
        words.extend(found.gone.iter().map(|(_, c)| format!("-{}", digit(c))));
        words.extend(found.come.iter().map(|(_, c)| format!("+{}", digit(c))));
        words.extend(found.is_unclear().then(|| "unclear".to_owned()));
        words.join(", ")
    }

    #[test]
    fn files_are_compared_by_name_and_the_rest_as_a_set() {
        for (old, new, want) in [
            // By name, in whatever order.
            ("a=1 b=2", "b=2 a=1", ""),
            ("a=1 b=2", "b=2 a=3", "a 1>3"),
            ("a=1 b=2", "a=3 b=4", "a 1>3, b 2>4"),
            // Two that were exchanged, and one beside a file that was published later.
            ("a=1 b=2", "a=2 b=1", "a 1>2, b 2>1"),
            ("a=1", "a=3 b=2", "a 1>3, +2"),
            ("a=1 b=2", "a=1", "-2"),
            // Another file instead, and the same under another name.
            ("a=1 b=2", "a=1 c=3", "-2, +3, unclear"),
            ("a=1 b=2", "a=1 c=2", ""),
            // Without names: the only one, or in the same place.
            ("1", "2", "1>2"),
            ("1 2 3", "1 4 3", "2>4"),
            ("1 2 3", "3 4 1", "2>4"),
            ("1 2 3", "4 2 5", "1>4, 3>5"),
            ("1 2 3", "4 5 2", "-1, -3, +4, +5, unclear"),
            ("1", "2 3", "-1, +2, +3, unclear"),
            ("1", "1 2", "+2"),
            // Names on one side only.
            ("1 2", "a=1 b=2", ""),
            ("1 2", "a=1 b=3", "-2, +3, unclear"),
            // Algorithm by algorithm.
            ("1 s2", "1 s3", "2>3"),
            ("1", "s1", "-1, +1"),
        ] {
            assert_eq!(said(old, new), want, "{old} -> {new}");
        }
    }
}
