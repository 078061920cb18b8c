//! The text of a `Cargo.lock` as its tables, with the places of what may be edited.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use url::Url;

use super::tree;
use crate::Damage;
use crate::json::syntax;
use crate::position::Lines;

/// Everything that a `Cargo.lock` says.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// 3 or 4 as written; 1 or 2, which write none, by where the checksums are.
    pub(super) version: u64,
    pub(super) packages: Vec<Package>,
    /// `[[patch.unused]]`, which no package depends on.
    pub(super) unused: Vec<Package>,
    /// Tables and keys that are not known here, by name.
    pub(super) unknown: Vec<String>,
}

/// One `[[package]]`.
#[derive(Debug, Clone)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) source: Option<String>,
    /// As written, `<none>` left out.
    pub(super) checksum: Option<Text>,
    /// As written: `name`, `name version` or `name version (source)`.
    pub(super) dependencies: Vec<String>,
    /// What a `[replace]` section put in its place, as written.
    pub(super) replace: Option<String>,
    /// A key that is not known here.
    pub(super) unknown: Option<String>,
    /// Offset of its name.
    pub(super) at: usize,
}

/// A string and where its contents stand, without the quotes.
#[derive(Debug, Clone)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) span: Range<usize>,
}

type Table<'t> = DeTable<'t>;

/// Reads the tables.
pub(super) fn read(text: &str, lines: &Lines<'_>) -> Result<Document, Damage> {
    match tree::document(text) {
        Some(document) => Ok(document),
        None => read_whole(text, lines),
    }
}

/// As [`read`], whatever the text is like.
pub(super) fn read_whole(text: &str, lines: &Lines<'_>) -> Result<Document, Damage> {
    let table = DeTable::parse(text).map_err(|e| syntax(text, lines, &e))?;
    // Only the comment at its head is left: even a lockfile without packages has a version.
    if table.get_ref().is_empty() {
        return Err(Damage::Truncated { line: lines.last() });
    }
    let reader = Reader { text, lines };
    reader.document(table.get_ref()).map_err(|damage| {
        // A table that lacks something, at the very end, was cut off.
        let last = text.rfind("[[package]]").map_or(0, |at| lines.line(at));
        match damage {
            Damage::Unparsable { line, ref why, .. } if line >= last && why.starts_with(LACKS) => {
                Damage::Truncated { line: lines.last() }
            }
            damage => damage,
        }
    })
}

/// Whether Cargo has such a source. Source: `SourceId::from_url` in its `source_id.rs`.
pub(super) fn is_source(text: &str) -> bool {
    // What nearly every package has needs no look.
    if text == "registry+https://github.com/rust-lang/crates.io-index" {
        return true;
    }
    let kinds = ["registry", "sparse", "git", "path", "local-registry", "directory"];
    let Some((kind, url)) = text.split_once('+') else { return false };
    // The kind is a part of this one's URL.
    let url = if kind == "sparse" { text } else { url };
    kinds.contains(&kind) && Url::parse(url).is_ok()
}

/// How the message about an incomplete table begins.
const LACKS: &str = "a table without";

struct Reader<'r> {
    text: &'r str,
    lines: &'r Lines<'r>,
}

impl Reader<'_> {
    fn document(&self, table: &Table<'_>) -> Result<Document, Damage> {
        let mut document = Document { version: 2, ..Document::default() };
        let mut legacy = BTreeMap::new();
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "version" => document.version = self.version(value)?,
                "package" => document.packages = self.packages(value)?,
                // Before 2017 the project itself stood apart.
                "root" => {
                    document.packages.push(self.package(value)?);
                    document.unknown.push("`[root]`".to_owned());
                }
                "metadata" => legacy = self.metadata(value, &mut document.unknown)?,
                "patch" => {
                    let unused = value.get_ref().as_table().and_then(|t| t.get("unused"));
                    document.unused = unused.map(|u| self.packages(u)).transpose()?.unwrap_or_default();
                }
                other => document.unknown.push(format!("`{other}`")),
            }
        }
        if !legacy.is_empty() {
            document.version = 1;
        }
        for package in &mut document.packages {
            let key = format!(
                "{} {} ({})",
                package.name,
                package.version,
                package.source.as_deref().unwrap_or_default()
            );
            if package.checksum.is_none() {
                package.checksum = legacy.remove(&key);
            }
        }
        document.packages.sort_by_key(|p| p.at);
        document.unknown.extend(document.packages.iter().filter_map(|p| p.unknown.clone()));
        Ok(document)
    }

    fn version(&self, value: &Spanned<DeValue<'_>>) -> Result<u64, Damage> {
        let number = value.get_ref().as_integer().and_then(|i| i.as_str().parse().ok());
        match number {
            Some(version @ (3 | 4)) => Ok(version),
            // As `into_resolve` of Cargo's `encode.rs` has it.
            Some(version @ 0..=2) => {
                let why =
                    format!("lockfiles of version {version} don't say so, and Cargo refuses those that do");
                Err(self.lines.unparsable(value.span().start, why))
            }
            _ => Err(Damage::Unsupported {
                line: self.lines.line(value.span().start),
                why: format!("lockfile version {}", self.text.get(value.span()).unwrap_or_default()),
            }),
        }
    }

    fn packages(&self, value: &Spanned<DeValue<'_>>) -> Result<Vec<Package>, Damage> {
        let items = value.get_ref().as_array().ok_or_else(|| self.expected(value, "a list of tables"))?;
        items.iter().map(|item| self.package(item)).collect()
    }

    fn package(&self, value: &Spanned<DeValue<'_>>) -> Result<Package, Damage> {
        let table = value.get_ref().as_table().ok_or_else(|| self.expected(value, "a table"))?;
        let (name, at) = self.required(value, table, "name")?;
        let (version, version_at) = self.required(value, table, "version")?;
        // Cargo reads both of every package before anything else.
        if let Err(e) = semver::Version::parse(&version) {
            return Err(self.lines.unparsable(version_at, e.to_string()));
        }
        let mut package = Package {
            name,
            version,
            source: None,
            checksum: None,
            dependencies: Vec::new(),
            replace: None,
            unknown: None,
            at,
        };
        for (key, value) in table {
            let string = || self.string(value).map(|t| t.text);
            match key.get_ref().as_ref() {
                "name" | "version" => {}
                "source" => {
                    let source = string()?;
                    if !is_source(&source) {
                        return Err(self.expected(value, "a source of a kind that Cargo has"));
                    }
                    package.source = Some(source);
                }
                "checksum" => package.checksum = Some(self.string(value)?),
                "replace" => package.replace = Some(string()?),
                "dependencies" => {
                    let items =
                        value.get_ref().as_array().ok_or_else(|| self.expected(value, "a list of names"))?;
                    let names: Result<Vec<String>, Damage> =
                        items.iter().map(|i| Ok(self.string(i)?.text)).collect();
                    package.dependencies = names?;
                }
                // Cargo ignores what it doesn't know here; a merge must not lose it.
                other => package.unknown = Some(format!("`{other}` of {}", package.name)),
            }
        }
        Ok(package)
    }

    fn metadata(
        &self,
        value: &Spanned<DeValue<'_>>,
        unknown: &mut Vec<String>,
    ) -> Result<BTreeMap<String, Text>, Damage> {
        let table = value.get_ref().as_table().ok_or_else(|| self.expected(value, "a table"))?;
        let mut checksums = BTreeMap::new();
        for (key, value) in table {
            match key.get_ref().strip_prefix("checksum ") {
                Some(package) => {
                    let text = self.string(value)?;
                    if text.text != "<none>" {
                        checksums.insert(package.to_owned(), text);
                    }
                }
                None => unknown.push(format!("`{}` in `[metadata]`", key.get_ref())),
            }
        }
        Ok(checksums)
    }

    fn required(
        &self,
        value: &Spanned<DeValue<'_>>,
        table: &Table<'_>,
        key: &str,
    ) -> Result<(String, usize), Damage> {
        let found = table.get(key).ok_or_else(|| {
            let at = table.keys().map(|k| k.span().start).max().unwrap_or(value.span().start);
            self.lines.unparsable(at, format!("{LACKS} `{key}`"))
        })?;
        Ok((self.string(found)?.text, found.span().start))
    }

    fn string(&self, value: &Spanned<DeValue<'_>>) -> Result<Text, Damage> {
        let text = value.get_ref().as_str().ok_or_else(|| self.expected(value, "a string"))?.to_owned();
        let span = value.span();
        // Whatever the quotes are, the outermost ones stay if this is replaced.
        Ok(Text { text, span: span.start + 1..span.end.saturating_sub(1).max(span.start + 1) })
    }

    fn expected(&self, value: &Spanned<DeValue<'_>>, what: &str) -> Damage {
        self.lines.unparsable(value.span().start, format!("expected {what}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_a_url_of_a_kind_that_cargo_has() {
        for (source, is) in [
            ("registry+https://github.com/rust-lang/crates.io-index", true),
            ("sparse+https://crates.example:8443/index/", true),
            ("git+ssh://git@git.example/a/b.git?branch=main#0f", true),
            ("git+file:///tmp/a%20b#0f", true),
            ("path+file:///a/b", true),
            ("registry+http: //github.com/rust-lang/crates.io-index", false),
            ("registry+https://", false),
            ("registry+https://git hub.com/a", false),
            ("registry+https://github.com:port/a", false),
            ("registrx+https://github.com/a", false),
            ("https://github.com/a", false),
            ("registry", false),
            ("", false),
        ] {
            assert_eq!(is_source(source), is, "{source}");
        }
    }
}
