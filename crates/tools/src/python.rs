//! What Python's package managers share: the simple index, and which programs run a project's tests.

use std::time::Duration;

use regreen_domain::CommandKind;
use regreen_lockfile::{Algorithm, Checksum, Entry};

use crate::{
    adapter::{Remote, host_of, program, without_user},
    remote::fetch,
};

/// The Python Package Index. Source: pip's `--index-url` documentation.
pub(crate) const PYPI: &str = "https://pypi.org/simple/";
/// Where it keeps the files that its pages link to.
const PYPI_FILES: &str = "https://files.pythonhosted.org/";

/// Longest that an index page may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The hosts behind these index addresses, each once; for PyPI the one that keeps its files too.
pub(crate) fn remotes_of(indexes: &[String]) -> Vec<Remote> {
    let mut remotes: Vec<Remote> = Vec::new();
    for index in indexes {
        let files = (host_of(index).as_deref() == Some("pypi.org")).then_some(PYPI_FILES);
        for url in std::iter::once(index.as_str()).chain(files) {
            let Some(base) = without_user(url) else { continue };
            let base_url = format!("{}/", base.trim_end_matches('/'));
            let Some(host) = host_of(&base_url) else { continue };
            if !remotes.iter().any(|r| r.base_url == base_url) {
                remotes.push(Remote { host, probe_url: base_url.clone(), base_url });
            }
        }
    }
    remotes
}

/// Where the files of this version can be fetched now, by the pages of these indexes; those that a page itself says
/// to have a checksum of the lockfile come first. What is fetched there is compared anyway.
pub(crate) async fn artifact_urls(remotes: &[Remote], entry: &Entry) -> Vec<String> {
    let Some(version) = &entry.version else { return Vec::new() };
    let mut found = Vec::new();
    for remote in remotes.iter().filter(|r| r.base_url != PYPI_FILES) {
        let page_url = format!("{}{}/", remote.base_url, entry.name);
        let page = fetch(&page_url, PATIENCE).await.unwrap_or_default();
        found.extend(links(&String::from_utf8_lossy(&page), &page_url, version));
    }
    let known: Vec<String> = entry.checksums.iter().filter_map(sha256_hex).collect();
    found.sort_by_key(|(_, sha256)| !sha256.as_ref().is_some_and(|s| known.contains(s)));
    found.into_iter().map(|(url, _)| url).collect()
}

fn sha256_hex(checksum: &Checksum) -> Option<String> {
    let hex = || checksum.digest().iter().map(|b| format!("{b:02x}")).collect();
    (checksum.algorithm() == Algorithm::Sha256).then(hex)
}

/// Files of this version that a simple index page links to, with the SHA-256 that the link names. Source: PEP 503,
/// "Simple Repository API".
fn links(page: &str, page_url: &str, version: &str) -> Vec<(String, Option<String>)> {
    let authority_end = page_url.find("://").and_then(|i| Some(page_url[i + 3..].find('/')? + i + 3));
    let origin = &page_url[..authority_end.unwrap_or(page_url.len())];
    let links = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let mut found = Vec::new();
    for link in links {
        let (href, fragment) = link.split_once('#').unwrap_or((link, ""));
        let file = href.rsplit('/').next().unwrap_or(href);
        let of_version = file.split('-').any(|part| {
            part == version
                || part.strip_prefix(version).is_some_and(|r| r == ".zip" || r.starts_with(".tar"))
        });
        if !of_version {
            continue;
        }
        let sha256 = fragment.strip_prefix("sha256=").map(str::to_ascii_lowercase);
        if let Some(url) = resolve(href, page_url, origin) {
            found.push((url, sha256));
        }
    }
    found
}

/// The address that a link of the page at `page_url` leads to.
fn resolve(href: &str, page_url: &str, origin: &str) -> Option<String> {
    match href {
        h if h.starts_with("http://") || h.starts_with("https://") => without_user(h),
        h if h.starts_with('/') => Some(format!("{origin}{h}")),
        h if !h.contains("..") => Some(format!("{page_url}{h}")),
        // `../../packages/…` as most indexes write it: resolve against the page's path.
        h => {
            let mut base: Vec<&str> = page_url[origin.len()..].trim_matches('/').split('/').collect();
            for part in h.split('/') {
                match part {
                    ".." => drop(base.pop()),
                    "." => {}
                    part => base.push(part),
                }
            }
            Some(format!("{origin}/{}", base.join("/")))
        }
    }
}

/// What a program that a package manager starts in its environment does (`uv run …`, `poetry run …`): only well-known
/// test runners and checkers are known to be repeatable.
pub(crate) fn runs(argv: &[String]) -> CommandKind {
    let name = program(argv);
    let module = argv.get(1).is_some_and(|a| a == "-m") && is_python(name);
    let (name, rest) = match module {
        true => (argv.get(2).map_or("", String::as_str), argv.get(3..).unwrap_or_default()),
        false => (name, argv.get(1..).unwrap_or_default()),
    };
    let first = rest.first().map(String::as_str);
    match name {
        "pytest" | "py.test" | "tox" | "nox" | "mypy" | "flake8" | "pylint" | "pyright" => CommandKind::Test,
        "unittest" if module => CommandKind::Test,
        "ruff" if first == Some("check") => CommandKind::Test,
        "coverage" if first == Some("run") => {
            match (rest.get(1).map(String::as_str), rest.get(2).map(String::as_str)) {
                (Some("-m"), Some("pytest" | "unittest")) => CommandKind::Test,
                _ => CommandKind::Opaque,
            }
        }
        "build" if module => CommandKind::Build,
        "sphinx-build" => CommandKind::Build,
        "mkdocs" if first == Some("build") => CommandKind::Build,
        "twine" => CommandKind::Deploy,
        _ => CommandKind::Opaque,
    }
}

/// Whether this is the name of a Python interpreter: `python`, `python3`, `python3.12`.
pub(crate) fn is_python(name: &str) -> bool {
    name.strip_prefix("python").is_some_and(|v| v.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
}

/// How many arguments at the front are known options with their values; `None` where one is not known.
pub(crate) fn options(argv: &[String], flags: &[&[&str]], valued: &[&[&str]]) -> Option<usize> {
    let known = |lists: &[&[&str]], name: &str| lists.iter().any(|list| list.contains(&name));
    let mut at = 0;
    while let Some(word) = argv.get(at).filter(|w| w.starts_with('-') && *w != "--") {
        let name = word.split('=').next().unwrap_or_default();
        match word.contains('=') {
            true if known(valued, name) => at += 1,
            false if known(flags, name) => at += 1,
            false if known(valued, name) => at += 2,
            _ => return None,
        }
    }
    Some(at)
}

/// A command line in parts: how the tool is started, its command, and what follows.
pub(crate) struct Line<'a> {
    /// The program and the options before the command.
    pub(crate) start: &'a [String],
    /// The command.
    pub(crate) command: &'a str,
    /// What follows the command.
    pub(crate) rest: &'a [String],
}

impl<'a> Line<'a> {
    /// Reads an argv whose options begin at `at`; `None` where one before the command is not known, or there is no
    /// command.
    pub(crate) fn read(argv: &'a [String], at: usize, flags: &[&str], valued: &[&str]) -> Option<Line<'a>> {
        let at = at + options(argv.get(at..)?, &[flags], &[valued])?;
        let command = argv.get(at)?;
        Some(Line { start: &argv[..at], command, rest: &argv[at + 1..] })
    }
}

/// Whether an argv is `python -m <module> …`.
pub(crate) fn by_module(argv: &[String], module: &str) -> bool {
    is_python(program(argv))
        && argv.get(1).is_some_and(|a| a == "-m")
        && argv.get(2).is_some_and(|a| a == module)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn only_known_runners_are_repeatable() {
        for (text, kind) in [
            ("pytest -q", CommandKind::Test),
            ("python -m pytest", CommandKind::Test),
            ("python3.12 -m unittest discover", CommandKind::Test),
            ("coverage run -m pytest", CommandKind::Test),
            ("coverage run manage.py", CommandKind::Opaque),
            ("ruff check .", CommandKind::Test),
            ("ruff format .", CommandKind::Opaque),
            ("python -m build", CommandKind::Build),
            ("build", CommandKind::Opaque),
            ("unittest", CommandKind::Opaque),
            ("twine upload dist/a.whl", CommandKind::Deploy),
            ("python manage.py", CommandKind::Opaque),
            ("python -m", CommandKind::Opaque),
        ] {
            assert_eq!(runs(&argv(text)), kind, "{text}");
        }
    }

    #[test]
    fn the_file_that_the_lockfile_knows_is_looked_at_first() {
        let page = "<a href=\"../../packages/app-1.0-a.whl#sha256=AA\">a</a>\n\
                    <a href=\"/files/app-1.0-b.whl#sha256=bb\">b</a>\n\
                    <a href=\"app-1.0.tar.gz\">c</a><a href=\"app-1.0.1.zip\">d</a>\n\
                    <a href=\"https://me:secret@cdn.example/app-1.0.zip\">e</a>";
        let found = links(page, "https://pypi.example/simple/app/", "1.0");
        let said: Vec<(&str, Option<&str>)> = found.iter().map(|(u, s)| (u.as_str(), s.as_deref())).collect();
        assert_eq!(
            said,
            [
                ("https://pypi.example/packages/app-1.0-a.whl", Some("aa")),
                ("https://pypi.example/files/app-1.0-b.whl", Some("bb")),
                ("https://pypi.example/simple/app/app-1.0.tar.gz", None),
                ("https://cdn.example/app-1.0.zip", None),
            ]
        );
    }

    #[test]
    fn the_public_index_has_a_second_host() {
        let urls = |of: &[&str]| {
            let of: Vec<String> = of.iter().map(|s| (*s).to_owned()).collect();
            remotes_of(&of).into_iter().map(|r| (r.host, r.probe_url)).collect::<Vec<_>>()
        };
        let pypi = urls(&[PYPI, "https://pypi.org/simple"]);
        assert_eq!(pypi.len(), 2, "{pypi:?}");
        assert_eq!(pypi[1].0, "files.pythonhosted.org");
        let own = urls(&["https://me:secret@pypi.example:8443/simple"]);
        assert_eq!(own, [("pypi.example:8443".to_owned(), "https://pypi.example:8443/simple/".to_owned())]);
    }
}
