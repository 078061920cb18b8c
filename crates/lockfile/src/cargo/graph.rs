//! Which package a dependency means, and how shortly it can be written.

use super::document::Package;
use crate::names::Names;

/// The packages of one lockfile by name; among namesakes by version and source. The same package twice, which
/// is damage of another kind, counts as one.
pub(super) struct Index<'p> {
    by_name: Names<'p, Namesakes<'p>>,
}

/// Version and source of each, sorted, with its position.
type Namesakes<'p> = Vec<((&'p str, Option<&'p str>), usize)>;

impl<'p> Index<'p> {
    pub(super) fn new(packages: &'p [Package]) -> Self {
        let mut by_name: Names<'_, Namesakes<'_>> = Names::new();
        for (n, package) in packages.iter().enumerate() {
            let namesakes = by_name.or_default(&package.name);
            let key = (package.version.as_str(), package.source.as_deref());
            if let Err(at) = namesakes.binary_search_by_key(&key, |(key, _)| *key) {
                namesakes.insert(at, (key, n));
            }
        }
        Index { by_name }
    }

    /// The position of the package that `name`, `name version` or `name version (source)` means; `None`
    /// where there is none, or more than one.
    pub(super) fn find(&self, written: &str) -> Option<usize> {
        let mut words = written.splitn(3, ' ');
        let namesakes = self.by_name.get(words.next()?)?;
        let Some(version) = words.next() else {
            return namesakes.first().map(|(_, n)| *n).filter(|_| namesakes.len() == 1);
        };
        match words.next() {
            Some(source) => {
                let source = source.trim_start_matches('(').trim_end_matches(')');
                let found = namesakes.binary_search_by_key(&(version, Some(source)), |(key, _)| *key).ok();
                found.map(|at| namesakes[at].1)
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
        let Some(namesakes) = self.by_name.get(name) else { return name.clone() };
        let several = self.of_version(namesakes, version).nth(1).is_some();
        match &package.source {
            _ if namesakes.len() == 1 && !in_full => name.clone(),
            Some(source) if in_full || several => format!("{name} {version} ({source})"),
            _ => format!("{name} {version}"),
        }
    }

    fn of_version<'a>(
        &self,
        namesakes: &'a Namesakes<'p>,
        version: &'a str,
    ) -> impl Iterator<Item = usize> + 'a {
        let from = namesakes.partition_point(|(key, _)| *key < (version, None));
        namesakes[from..].iter().take_while(move |((v, _), _)| *v == version).map(|(_, n)| *n)
    }
}
