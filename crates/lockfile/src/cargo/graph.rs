//! Which package a dependency means, and how shortly it can be written.

use std::collections::BTreeMap;

use super::document::Package;

/// The packages of one lockfile by name; among namesakes by version and source. The same package twice, which
/// is damage of another kind, counts as one.
pub(super) struct Index<'p> {
    by_name: BTreeMap<&'p str, BTreeMap<(&'p str, Option<&'p str>), usize>>,
}

impl<'p> Index<'p> {
    pub(super) fn new(packages: &'p [Package]) -> Self {
        let mut by_name: BTreeMap<&str, BTreeMap<_, usize>> = BTreeMap::new();
        for (n, package) in packages.iter().enumerate() {
            let namesakes = by_name.entry(&package.name).or_default();
            namesakes.entry((package.version.as_str(), package.source.as_deref())).or_insert(n);
        }
        Index { by_name }
    }

    /// The position of the package that `name`, `name version` or `name version (source)` means; `None`
    /// where there is none, or more than one.
    pub(super) fn find(&self, written: &str) -> Option<usize> {
        let mut words = written.splitn(3, ' ');
        let namesakes = self.by_name.get(words.next()?)?;
        let Some(version) = words.next() else {
            return namesakes.values().next().copied().filter(|_| namesakes.len() == 1);
        };
        match words.next() {
            Some(source) => {
                let source = source.trim_start_matches('(').trim_end_matches(')');
                namesakes.get(&(version, Some(source))).copied()
            }
            None => {
                let mut fitting = self.of_version(namesakes, version);
                fitting.next().filter(|_| fitting.next().is_none())
            }
        }
    }

    /// The shortest way to write a dependency on this package; `in_full` is version 1's.
    pub(super) fn shortest(&self, package: &Package, in_full: bool) -> String {
        let Package { name, version, .. } = package;
        let Some(namesakes) = self.by_name.get(name.as_str()) else { return name.clone() };
        let several = self.of_version(namesakes, version).nth(1).is_some();
        match &package.source {
            _ if namesakes.len() == 1 && !in_full => name.clone(),
            Some(source) if in_full || several => format!("{name} {version} ({source})"),
            _ => format!("{name} {version}"),
        }
    }

    fn of_version<'a>(
        &self,
        namesakes: &'a BTreeMap<(&'p str, Option<&'p str>), usize>,
        version: &'a str,
    ) -> impl Iterator<Item = usize> + 'a {
        let from = namesakes.range((version, None)..);
        from.take_while(move |((v, _), _)| *v == version).map(|(_, n)| *n)
    }
}
