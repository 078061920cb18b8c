//! uv's command line: options before the command, the command's one or two words, and what follows.
//! Source: `uv --help` and `uv run --help` of uv 0.13.9.

use crate::{
    adapter::{Job, option_value, program},
    python::{by_module, options},
};

/// A command line of uv's.
pub(super) struct Asked<'a> {
    /// How this job starts uv: the program and the options before the command.
    pub(super) start: &'a [String],
    /// The command: one word, or two where the first is a group.
    words: Vec<&'a str>,
    /// What follows the command.
    pub(super) rest: &'a [String],
}

/// Groups: their second word is the command.
const GROUPS: [&str; 6] = ["pip", "tool", "python", "cache", "self", "auth"];

/// Options that stand before the command, or behind it, and take no value.
const FLAGS: [&str; 18] = [
    "-q",
    "--quiet",
    "-qq",
    "-v",
    "--verbose",
    "-vv",
    "-n",
    "--no-cache",
    "--no-progress",
    "--offline",
    "--no-config",
    "--system-certs",
    "--native-tls",
    "--managed-python",
    "--no-managed-python",
    "--no-python-downloads",
    "--preview",
    "--no-preview",
];
/// Those that take one.
const VALUED: [&str; 7] = [
    "--cache-dir",
    "--color",
    "--allow-insecure-host",
    "--directory",
    "--project",
    "--config-file",
    "--preview-features",
];
/// Options of `uv run` and `uv tool run` that take no value.
const RUN_FLAGS: [&str; 23] = [
    "--all-extras",
    "--no-dev",
    "--only-dev",
    "--dev",
    "--no-default-groups",
    "--all-groups",
    "--no-editable",
    "--inexact",
    "--exact",
    "--isolated",
    "--active",
    "--no-sync",
    "--locked",
    "--frozen",
    "--no-env-file",
    "--all-packages",
    "--no-project",
    "--no-index",
    "--no-build",
    "--no-sources",
    "--refresh",
    "--reinstall",
    "--compile-bytecode",
];
/// Those that take one, but `-m`, which names what is run.
const RUN_VALUED: [&str; 21] = [
    "--extra",
    "--no-extra",
    "--group",
    "--no-group",
    "--only-group",
    "--env-file",
    "--with",
    "-w",
    "--with-editable",
    "--with-requirements",
    "--package",
    "--from",
    "--index",
    "--default-index",
    "--index-url",
    "-i",
    "--extra-index-url",
    "--python",
    "-p",
    "--python-platform",
    "--resolution",
];

/// Whether an argv starts uv.
pub(super) fn is_uv(argv: &[String]) -> bool {
    matches!(program(argv), "uv" | "uvx") || by_module(argv, "uv")
}

/// What an argv asks of uv; `None` where that is not clear.
pub(super) fn asked(argv: &[String]) -> Option<Asked<'_>> {
    if !is_uv(argv) {
        return None;
    }
    if program(argv) == "uvx" {
        return Some(Asked { start: &argv[..1], words: vec!["tool", "run"], rest: &argv[1..] });
    }
    let mut at = if by_module(argv, "uv") { 3 } else { 1 };
    at += options(argv.get(at..)?, &[&FLAGS], &[&VALUED])?;
    let first = argv.get(at)?.as_str();
    let mut words = vec![first];
    if GROUPS.contains(&first) {
        words.push(argv.get(at + 1)?.as_str());
    }
    let rest = argv.get(at + words.len()..).unwrap_or_default();
    Some(Asked { start: &argv[..at], words, rest })
}

/// How many arguments behind `run` are uv's own; `None` where that is not clear.
fn options_of_run(rest: &[String]) -> Option<usize> {
    options(rest, &[&FLAGS, &RUN_FLAGS], &[&VALUED, &RUN_VALUED])
}

impl<'a> Asked<'a> {
    /// The command's words.
    pub(super) fn words(&self) -> &[&str] {
        &self.words
    }

    /// uv's own arguments: what `uv run` hands on is not among them.
    fn own(&self) -> Vec<&'a String> {
        let runs = matches!(self.words(), ["run"] | ["tool", "run"]);
        let upto = match runs {
            true => options_of_run(self.rest).unwrap_or_default(),
            false => self.rest.iter().position(|a| a == "--").unwrap_or(self.rest.len()),
        };
        self.start.iter().skip(1).chain(self.rest.iter().take(upto)).collect()
    }

    /// Whether uv is given this option.
    pub(super) fn has(&self, option: &str) -> bool {
        let with_value = |a: &str| a.strip_prefix(option).is_some_and(|v| v.starts_with('='));
        self.own().into_iter().any(|a| a == option || with_value(a))
    }

    /// The value of the first of these options.
    pub(super) fn value(&self, names: &[&str]) -> Option<&'a str> {
        self.values(names).into_iter().next()
    }

    /// The values of every one of these options.
    pub(super) fn values(&self, names: &[&str]) -> Vec<&'a str> {
        let own = self.own();
        let value = |(i, arg): (usize, &&'a String)| -> Option<&'a str> {
            if names.contains(&arg.as_str()) {
                return own.get(i + 1).map(|v| v.as_str());
            }
            let (name, value) = arg.split_once('=')?;
            names.contains(&name).then_some(value)
        };
        own.iter().enumerate().filter_map(value).collect()
    }

    /// The first file of requirements that `uv pip` is given.
    pub(super) fn requirements(&self) -> Option<&str> {
        match self.words() {
            ["pip", "sync"] => self.rest.iter().map(String::as_str).find(|a| !a.starts_with('-')),
            _ => option_value(self.rest, &["-r", "--requirements", "--requirement"])
                .or_else(|| self.rest.iter().find_map(|a| a.strip_prefix("-r").filter(|p| !p.is_empty()))),
        }
    }

    /// A path of the project, below the folder in which the job stands; `None` where it is not below it.
    pub(super) fn below(&self, job: &Job, path: &str) -> Option<String> {
        let path = path.strip_prefix("./").unwrap_or(path);
        let folder = self
            .value(&["--directory", "--project"])
            .or_else(|| job.workspace.var("UV_PROJECT"))
            .or_else(|| job.workspace.var("UV_WORKING_DIR"))
            .map(|folder| folder.strip_prefix("./").unwrap_or(folder).trim_end_matches('/'))
            .filter(|folder| !folder.is_empty() && *folder != ".");
        match folder {
            // A file is named from where the job stands, a project's from where the project is.
            Some(_) if self.words().first() == Some(&"pip") && !self.has("--directory") => {
                Some(path.to_owned())
            }
            Some(folder) if folder.starts_with('/') => None,
            Some(folder) => Some(format!("{folder}/{path}")),
            None => Some(path.to_owned()),
        }
    }

    /// The command that `uv run` or `uv tool run` starts, as if it were typed alone.
    pub(super) fn inner(&self) -> Option<Vec<String>> {
        let Some(before) = options_of_run(self.rest) else { return self.module() };
        let mut rest = self.rest.get(before..)?;
        if rest.first().is_some_and(|a| a == "--") {
            rest = &rest[1..];
        }
        // `uvx ruff@0.14 check` runs the tool before the `@`.
        let mut inner = rest.to_vec();
        if let Some(first) = inner.first_mut().filter(|_| self.words() == ["tool", "run"])
            && let Some((name, _)) = first.split_once('@')
        {
            *first = name.to_owned();
        }
        (!inner.is_empty()).then_some(inner)
    }

    /// `uv run -m pytest` is `python -m pytest`.
    fn module(&self) -> Option<Vec<String>> {
        let at = self.rest.iter().position(|a| a == "-m" || a == "--module")?;
        options_of_run(&self.rest[..at])?;
        let python = ["python".to_owned(), "-m".to_owned()];
        Some(python.into_iter().chain(self.rest[at + 1..].iter().cloned()).collect())
    }
}
