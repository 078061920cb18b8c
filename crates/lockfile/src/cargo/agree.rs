//! `Cargo.toml` against the lockfile, by what `cargo --locked` would refuse.

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::{Agreement, Entry, Lockfile, Manifest};

type Table<'t> = DeTable<'t>;

/// Compares each package's own dependencies with what the lockfile has for it.
pub(crate) fn agrees(lockfile: &Lockfile, manifest: &Manifest<'_>) -> Agreement {
    match compare(lockfile, manifest) {
        Ok(drift) => Agreement::of(drift),
        Err(why) => Agreement::NotChecked(why),
    }
}

fn compare(lockfile: &Lockfile, manifest: &Manifest<'_>) -> Result<Vec<String>, String> {
    let parse = |file: String, text| DeTable::parse(text).map_err(|e| format!("{file}: {}", e.message()));
    let root = parse("Cargo.toml".to_owned(), manifest.root)?;
    let workspace = table(root.get_ref(), "workspace");
    let mut packages = vec![("Cargo.toml".to_owned(), root.get_ref())];
    let members: Result<Vec<_>, String> = (manifest.members.iter())
        .map(|(folder, text)| {
            let file = format!("{}/Cargo.toml", folder.trim_end_matches('/'));
            Ok((file.clone(), parse(file, text)?))
        })
        .collect();
    let members = members?;
    packages.extend(members.iter().map(|(file, table)| (file.clone(), table.get_ref())));

    let locked = Locked::new(lockfile);
    let mut drift = Vec::new();
    for (file, manifest) in packages {
        if let Some(package) = table(manifest, "package") {
            let wanted = Wanted { file: &file, manifest, package, workspace };
            wanted.compare(&locked, &mut drift)?;
        }
    }
    Ok(drift)
}

/// The lockfile by name and by place.
struct Locked<'l> {
    own: BTreeMap<&'l str, &'l Entry>,
    by_place: BTreeMap<&'l str, &'l Entry>,
}

impl<'l> Locked<'l> {
    fn new(lockfile: &'l Lockfile) -> Self {
        let local = lockfile.entries.iter().filter(|e| e.local);
        Locked {
            own: local.map(|e| (e.name.as_str(), e)).collect(),
            by_place: lockfile.entries.iter().map(|e| (e.place.as_str(), e)).collect(),
        }
    }
}

/// One package's manifest.
struct Wanted<'m> {
    file: &'m str,
    manifest: &'m Table<'m>,
    package: &'m Table<'m>,
    workspace: Option<&'m Table<'m>>,
}

/// One dependency of it.
struct Ask {
    /// The real name, behind a rename.
    name: String,
    /// `None` where none is asked for.
    version: Option<String>,
}

impl Wanted<'_> {
    fn compare(&self, locked: &Locked<'_>, drift: &mut Vec<String>) -> Result<(), String> {
        let file = self.file;
        let name = text(self.package, "name").ok_or_else(|| format!("{file}: the package has no name"))?;
        let Some(entry) = locked.own.get(name) else {
            drift.push(format!("the lockfile doesn't know the package {name} of {file}"));
            return Ok(());
        };
        let version = self.version()?;
        if entry.version.as_deref() != Some(&version) {
            let before = entry.version.as_deref().unwrap_or_default();
            drift.push(format!("{file} says {name} {version}, the lockfile has {before}"));
        }
        let asks = self.asks()?;
        let mut locked_for: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for dependency in &entry.dependencies {
            let found = dependency.place.as_deref().and_then(|place| locked.by_place.get(place));
            let versions = locked_for.entry(&dependency.name).or_default();
            versions.extend(found.and_then(|e| e.version.as_deref()));
        }
        for ask in &asks {
            let found = locked_for.get(ask.name.as_str()).map(Vec::as_slice).unwrap_or_default();
            if let Some(reason) = unmet(ask, found)? {
                let range = ask.version.as_deref().map(|v| format!(" {v}")).unwrap_or_default();
                drift.push(format!("{file} asks for {}{range}, {reason}", ask.name));
            }
        }
        let asked: BTreeSet<&str> = asks.iter().map(|a| a.name.as_str()).collect();
        for name in locked_for.keys().filter(|name| !asked.contains(**name)) {
            drift.push(format!("{file} no longer asks for {name}, which the lockfile still has for it"));
        }
        Ok(())
    }

    /// The package's version, also where the workspace gives it.
    fn version(&self) -> Result<String, String> {
        let inherited = || {
            let package = self.workspace.and_then(|w| table(w, "package"));
            package.and_then(|p| text(p, "version")).ok_or_else(|| {
                format!("{}: the version is the workspace's, which has none in the root manifest", self.file)
            })
        };
        match self.package.get("version").map(Spanned::get_ref) {
            None => Ok("0.0.0".to_owned()),
            Some(DeValue::String(version)) => Ok(version.to_string()),
            Some(_) => inherited().map(str::to_owned),
        }
    }

    /// Every dependency, of all kinds and for all targets: Cargo locks them whatever is built.
    fn asks(&self) -> Result<Vec<Ask>, String> {
        let targets = table(self.manifest, "target").into_iter().flat_map(Table::values);
        let scopes = std::iter::once(self.manifest).chain(targets.filter_map(|t| t.get_ref().as_table()));
        let mut asks = Vec::new();
        for scope in scopes {
            // The spellings with `_` are old and still read.
            for kind in [
                "dependencies",
                "dev-dependencies",
                "dev_dependencies",
                "build-dependencies",
                "build_dependencies",
            ] {
                for (key, value) in table(scope, kind).into_iter().flatten() {
                    asks.push(self.ask(key.get_ref(), value.get_ref())?);
                }
            }
        }
        Ok(asks)
    }

    fn ask(&self, key: &str, value: &DeValue<'_>) -> Result<Ask, String> {
        let file = self.file;
        match value {
            DeValue::String(version) => Ok(Ask { name: key.to_owned(), version: Some(version.to_string()) }),
            DeValue::Table(details) if details.get("workspace").is_some() => {
                let inherited =
                    self.workspace.and_then(|w| table(w, "dependencies")).and_then(|d| d.get(key));
                match inherited.map(Spanned::get_ref) {
                    // A workspace's own list can't point on to itself.
                    Some(DeValue::Table(t)) if t.get("workspace").is_some() => {
                        Err(format!("{file}: {key} is inherited from itself"))
                    }
                    Some(found) => self.ask(key, found),
                    None => {
                        Err(format!("{file}: {key} is the workspace's, which has none in the root manifest"))
                    }
                }
            }
            DeValue::Table(details) => Ok(Ask {
                name: text(details, "package").unwrap_or(key).to_owned(),
                version: text(details, "version").map(str::to_owned),
            }),
            _ => Err(format!("{file}: {key} is neither a version nor a table")),
        }
    }
}

/// Why none of the versions that are locked for the package answers what it asks for.
fn unmet(ask: &Ask, found: &[&str]) -> Result<Option<String>, String> {
    let range = ask.version.as_deref().map(semver::VersionReq::parse).transpose();
    let range = range.map_err(|e| format!("the range of {}: {e}", ask.name))?;
    if found.is_empty() {
        return Ok(Some("the lockfile has none for it".to_owned()));
    }
    let fits = |version: &&str| match (&range, semver::Version::parse(version)) {
        (Some(range), Ok(version)) => range.matches(&version),
        (None, _) => true,
        (Some(_), Err(_)) => false,
    };
    Ok((!found.iter().any(fits)).then(|| format!("the lockfile has {}", found.join(" and "))))
}

fn table<'t>(of: &'t Table<'_>, key: &str) -> Option<&'t Table<'t>> {
    of.get(key)?.get_ref().as_table()
}

fn text<'t>(of: &'t Table<'_>, key: &str) -> Option<&'t str> {
    of.get(key)?.get_ref().as_str()
}
