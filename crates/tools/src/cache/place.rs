//! Where a cache is: data that says who is asked, in which order.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::workspace::Workspace;

/// Somebody who may say where a cache is, and what lies below the folder that is named.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Who is asked.
    pub asked: Ask,
    /// The cache's own folder below what is named; empty where that is it.
    pub below: &'static str,
}

/// Who is asked.
#[derive(Debug, Clone, Copy)]
pub enum Ask {
    /// An environment variable with a folder.
    Env(&'static str),
    /// A line `key = value`, `key: value` or `key "value"`, or an element `<key>value</key>`, in a file of the user's.
    Setting {
        /// Below which folder the file is.
        base: Base,
        /// The file.
        file: &'static str,
        /// What stands before the value.
        key: &'static str,
    },
    /// A folder that the tool takes where it runs as root, at home in `/root`.
    Root(&'static str),
    /// The tool's default.
    Default(Base, &'static str),
}

/// A folder of the user's. Source: XDG Base Directory Specification.
#[derive(Debug, Clone, Copy)]
pub enum Base {
    /// `HOME`.
    Home,
    /// `XDG_CACHE_HOME`, else `~/.cache`.
    Cache,
    /// `XDG_CONFIG_HOME`, else `~/.config`.
    Config,
    /// `XDG_DATA_HOME`, else `~/.local/share`.
    Data,
}

/// Largest configuration file that is looked at, in bytes.
const LARGEST: u64 = 1 << 20;

/// The folder that the first of `places` names which names one. It need not be there.
pub(crate) fn find(places: &[Place], workspace: &Workspace) -> Option<PathBuf> {
    let named = places.iter().find_map(|place| Some((answer(place.asked, workspace)?, place.below)));
    let (folder, below) = named?;
    let folder = if below.is_empty() { folder } else { folder.join(below) };
    folder.is_absolute().then_some(folder)
}

fn answer(ask: Ask, workspace: &Workspace) -> Option<PathBuf> {
    match ask {
        Ask::Env(name) => workspace.var(name).map(|folder| workspace.root.join(folder)),
        Ask::Setting { base, file, key } => {
            let path = folder(base, workspace)?.join(file);
            if fs::metadata(&path).ok()?.len() > LARGEST {
                return None;
            }
            let text = fs::read_to_string(path).ok()?;
            expanded(setting(&text, key)?, workspace)
        }
        Ask::Root(folder) => {
            let is_root =
                rustix::process::geteuid().is_root() && workspace.home() == Some(Path::new("/root"));
            is_root.then(|| PathBuf::from(folder))
        }
        Ask::Default(base, below) => Some(folder(base, workspace)?.join(below)),
    }
}

fn folder(base: Base, workspace: &Workspace) -> Option<PathBuf> {
    let (name, below) = match base {
        Base::Home => return workspace.home().map(Path::to_owned),
        Base::Cache => ("XDG_CACHE_HOME", ".cache"),
        Base::Config => ("XDG_CONFIG_HOME", ".config"),
        Base::Data => ("XDG_DATA_HOME", ".local/share"),
    };
    // A relative path in such a variable is invalid and ignored, as the specification has it.
    let named = workspace.var(name).map(PathBuf::from).filter(|p| p.is_absolute());
    named.or_else(|| workspace.home().map(|home| home.join(below)))
}

/// The value of a key in the manner of INI, YAML, TOML, Yarn's own format, JSON or XML; the last one counts.
fn setting<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let element = format!("<{key}>");
    if let Some((_, rest)) = text.split_once(&element) {
        return rest.split('<').next().map(str::trim).filter(|v| !v.is_empty());
    }
    let value = |line: &'a str| {
        let line = line.trim_start().trim_start_matches('"');
        let rest = line.strip_prefix(key)?.trim_start_matches('"');
        let rest = rest.strip_prefix([' ', '\t']).map_or(rest, str::trim_start);
        let (rest, marked) = match rest.strip_prefix(['=', ':']) {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let value = rest.trim().trim_end_matches(',').trim_matches(['"', '\'']);
        // `cachet = 1` is not `cache`.
        (!value.is_empty() && (marked || rest.starts_with('"'))).then_some(value)
    };
    text.lines().filter_map(value).next_back()
}

/// `~`, `$NAME` and `${NAME}` at the beginning of a path.
fn expanded(value: &str, workspace: &Workspace) -> Option<PathBuf> {
    if let Some(rest) = value.strip_prefix("~/") {
        return workspace.home().map(|home| home.join(rest));
    }
    let Some(rest) = value.strip_prefix('$') else { return Some(PathBuf::from(value)) };
    let (name, rest) = match rest.strip_prefix('{') {
        Some(rest) => rest.split_once('}')?,
        None => rest.split_at(rest.find('/').unwrap_or(rest.len())),
    };
    // Maven writes `${user.home}`.
    let name = if name == "user.home" { "HOME" } else { name.strip_prefix("env.").unwrap_or(name) };
    Some(Path::new(workspace.var(name)?).join(rest.trim_start_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_in_the_manner_of_their_files() {
        for (text, key, want) in [
            ("registry=x\ncache=/a/b\n", "cache", Some("/a/b")),
            ("cache-min=3\ncachet = /x\n", "cache", None),
            ("[global]\ncache-dir = /c\n", "cache-dir", Some("/c")),
            ("cache-folder \"/y/z\"\n", "cache-folder", Some("/y/z")),
            ("cacheFolder: ./a\n", "cacheFolder", Some("./a")),
            ("cacheFolder: '/a b'\n", "cacheFolder", Some("/a b")),
            ("{\"config\": {\n  \"cache-dir\": \"/j\",\n}}", "cache-dir", Some("/j")),
            ("<settings>\n<localRepository>\n /m </localRepository>", "localRepository", Some("/m")),
            ("# cache=/no\ncache=\n", "cache", None),
        ] {
            assert_eq!(setting(text, key), want, "{text}");
        }
    }

    #[test]
    fn the_first_who_says_something_is_believed() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join(".toolrc"), "cache = ~/from/file\n").unwrap();
        let places = [
            Place { asked: Ask::Env("TOOL_CACHE"), below: "v1" },
            Place { asked: Ask::Setting { base: Base::Home, file: ".toolrc", key: "cache" }, below: "v1" },
            Place { asked: Ask::Default(Base::Cache, "tool"), below: "v1" },
        ];
        let with = |extra: &[(&str, &str)]| {
            let mut env = vec![("HOME", home.path().to_str().unwrap())];
            env.extend(extra);
            let env = env.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
            find(&places, &Workspace::new("/w".into(), env)).unwrap()
        };
        assert_eq!(with(&[("TOOL_CACHE", "/e")]), Path::new("/e/v1"));
        assert_eq!(with(&[("TOOL_CACHE", "e")]), Path::new("/w/e/v1"));
        assert_eq!(with(&[]), home.path().join("from/file/v1"));
        fs::remove_file(home.path().join(".toolrc")).unwrap();
        assert_eq!(with(&[]), home.path().join(".cache/tool/v1"));
        assert_eq!(with(&[("XDG_CACHE_HOME", "/x")]), Path::new("/x/tool/v1"));
    }
}
