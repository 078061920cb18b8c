//! Somebody's own patterns: those of the operator's folder and those of the repository's `.regreen/patterns`, read within
//! limits and let in beside the built-in ones. What is wrong with one is a warning; the diagnosis goes on without it.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use regreen_catalog::{Catalog, CatalogError, LARGEST_CUSTOM_FILE, MOST_CUSTOM_FILES, PatternSource};
use regreen_detect::admit;
use regreen_domain::{FailureClass, RelPath};
use regreen_tools::{Workspace, git};

use crate::{
    context::{Context, catalog, runtime},
    exit::Failed,
};

/// Where a repository keeps its own.
pub const IN_REPOSITORY: &str = ".regreen/patterns";

/// What there is to diagnose with.
#[derive(Debug)]
pub struct Known {
    /// Built-in, operator's and repository's.
    pub catalog: Catalog,
    /// What was left out, and why; for people.
    pub warnings: Vec<String>,
}

/// Files, (name, text), and what is wrong with those that could not be read.
#[derive(Debug, Default)]
struct Files {
    read: Vec<(String, String)>,
    wrong: Vec<CatalogError>,
}

/// For a command that only reads: the operator's folder as flag, environment or configuration name it, and the
/// repository in which it was started.
///
/// # Errors
/// A bug: the catalogue in the binary can't be read; or the operator's file, where the command was told which.
pub fn known_here(context: &Context, given: Option<&Path>, config: Option<&Path>) -> Result<Known, Failed> {
    let Ok(workspace) = context.workspace() else {
        return Ok(Known { catalog: catalog()?, warnings: Vec::new() });
    };
    let mut said = Vec::new();
    let folder = match crate::config::patterns_folder(context, given, config, &workspace) {
        Err(failed) if config.is_none() => {
            said.push(format!("without the operator's patterns: {failed}"));
            None
        }
        folder => folder?,
    };
    let mut known = match is_in_git(&workspace) {
        true => runtime()?.block_on(known(&workspace, folder.as_deref()))?,
        false => with(&workspace, folder.as_deref(), Files::default())?,
    };
    said.append(&mut known.warnings);
    Ok(Known { warnings: said, ..known })
}

/// For a node beside the fleet: the operator's folder, which `REGREEN_PATTERNS` or the operator's file names, and no repository's.
///
/// # Errors
/// As [`operators_beside_a_fleet`].
pub fn known_beside_a_fleet(
    context: &Context,
    config: Option<&Path>,
    workspace: &Workspace,
) -> Result<Known, Failed> {
    let given = context.env.get(OsStr::new("REGREEN_PATTERNS")).map(Path::new);
    operators_beside_a_fleet(context, given, config, workspace)
}

/// The same of the folder that is given, or else that the operator's file names.
///
/// # Errors
/// A bug: the catalogue in the binary can't be read; or what is wrong with the operator's file.
pub fn operators_beside_a_fleet(
    context: &Context,
    given: Option<&Path>,
    config: Option<&Path>,
    workspace: &Workspace,
) -> Result<Known, Failed> {
    let folder = crate::config::patterns_folder(context, given, config, workspace)?;
    let mut known = Known { catalog: catalog()?, warnings: Vec::new() };
    let Some(folder) = folder else { return Ok(known) };
    if is_in_git(workspace) && is_inside(&folder, workspace) {
        let what =
            "it lies in the checkout, so its patterns are the repository's, and a fleet has none of these";
        known.warnings.push(format!("without the patterns of {}: {what}", folder.display()));
        return Ok(known);
    }
    Ok(known.and(PatternSource::Operator, of_folder(&folder, PatternSource::Operator)))
}

fn is_inside(folder: &Path, workspace: &Workspace) -> bool {
    folder.canonicalize().is_ok_and(|folder| folder.starts_with(workspace.checkout()))
}

/// Everything that is known in a workspace.
///
/// # Errors
/// A bug: the catalogue in the binary can't be read.
pub async fn known(workspace: &Workspace, operator: Option<&Path>) -> Result<Known, Failed> {
    with(workspace, operator, of_repository(workspace).await)
}

fn with(workspace: &Workspace, operator: Option<&Path>, repository: Files) -> Result<Known, Failed> {
    let mut known = Known { catalog: catalog()?, warnings: Vec::new() };
    if let Some(folder) = operator {
        // What lies in the checkout is the repository's, whoever names it.
        let source =
            if is_inside(folder, workspace) { PatternSource::Repository } else { PatternSource::Operator };
        known = known.and(source, of_folder(folder, source));
    }
    Ok(known.and(PatternSource::Repository, repository))
}

impl Known {
    fn and(self, source: PatternSource, files: Files) -> Known {
        let admitted = admit(self.catalog, source, &files.read);
        let mut warnings = self.warnings;
        let wrong = files.wrong.iter().chain(&admitted.refused);
        warnings.extend(wrong.map(|e| format!("this pattern is left out: {e}")));
        Known { catalog: admitted.catalog, warnings }
    }
}

impl Files {
    fn refuse(&mut self, file: &str, what: impl Into<String>, help: &str) {
        let (file, what, help) = (file.to_owned(), what.into(), help.to_owned());
        self.wrong.push(CatalogError { file, line: 0, column: 0, what, help });
    }

    fn take(&mut self, file: String, bytes: Vec<u8>) {
        match String::from_utf8(bytes) {
            Ok(text) => self.read.push((file, text)),
            Err(_) => self.refuse(&file, "it is not UTF-8", "save it as UTF-8"),
        }
    }

    /// Takes the first ones only; whether there is room for one more.
    fn has_room(&mut self, at: usize, folder: &str) -> bool {
        if at == MOST_CUSTOM_FILES {
            let what = format!("there are more than {MOST_CUSTOM_FILES} pattern files");
            self.refuse(folder, what, "the first ones by name count; put the rest elsewhere");
        }
        at < MOST_CUSTOM_FILES
    }
}

/// `<id>.toml` or `<class>/<id>.toml`.
fn is_pattern_file(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    let folder = match parts[..] {
        [_] => true,
        [class, _] => FailureClass::parse(class).is_some(),
        _ => false,
    };
    folder && path.ends_with(".toml")
}

async fn of_repository(workspace: &Workspace) -> Files {
    let mut files = Files::default();
    let Some(folder) = RelPath::parse(IN_REPOSITORY) else { return files };
    let entries = git::trusted_folder(workspace, &folder).await;
    for (at, entry) in entries.iter().filter(|e| is_pattern_file(&e.path)).enumerate() {
        if !files.has_room(at, IN_REPOSITORY) {
            break;
        }
        let name = format!("{IN_REPOSITORY}/{}", entry.path);
        if entry.size > LARGEST_CUSTOM_FILE as u64 {
            too_large(&mut files, &name);
            continue;
        }
        match git::trusted_content(workspace, entry).await {
            Some(bytes) => files.take(name, bytes),
            None => files.refuse(&name, "git can't read it", "see what `git fsck` says"),
        }
    }
    files
}

fn too_large(files: &mut Files, name: &str) {
    let what = format!("the file is larger than {} KiB", LARGEST_CUSTOM_FILE >> 10);
    files.refuse(name, what, "cut its examples to the lines that matter");
}

fn of_folder(folder: &Path, source: PatternSource) -> Files {
    let mut files = Files::default();
    let paths = match paths(folder, source) {
        Ok(paths) => paths,
        Err(e) => {
            files.refuse(
                &folder.display().to_string(),
                e.to_string(),
                "name a folder of pattern files with --patterns, REGREEN_PATTERNS or `patterns` in the configuration",
            );
            return files;
        }
    };
    for (at, path) in paths.iter().enumerate() {
        let name = path.display().to_string();
        if !files.has_room(at, &folder.display().to_string()) {
            break;
        }
        let mut bytes = Vec::new();
        let most = LARGEST_CUSTOM_FILE as u64 + 1;
        match File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes)) {
            Err(e) => files.refuse(&name, e.to_string(), "make it readable, or take it away"),
            Ok(_) if bytes.len() > LARGEST_CUSTOM_FILE => too_large(&mut files, &name),
            Ok(_) => files.take(name, bytes),
        }
    }
    files
}

/// The pattern files of a folder and of its folders that are named after a class, by name.
fn paths(folder: &Path, source: PatternSource) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![(folder.to_owned(), String::new())];
    while let Some((at, prefix)) = folders.pop() {
        for entry in fs::read_dir(&at)? {
            let entry = entry?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            // A checkout's link may lead anywhere; an operator's is the operator's.
            if source == PatternSource::Repository && entry.file_type()?.is_symlink() {
                continue;
            }
            let path = entry.path();
            if path.is_dir() && prefix.is_empty() && FailureClass::parse(&name).is_some() {
                folders.push((path, format!("{name}/")));
            } else if path.is_file() && is_pattern_file(&name) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Whether there can be a trusted commit, without asking git.
fn is_in_git(workspace: &Workspace) -> bool {
    workspace.root.ancestors().any(|folder| folder.join(".git").exists())
}

#[cfg(test)]
mod tests {
    use super::is_pattern_file;

    #[test]
    fn pattern_files_lie_in_the_folder_or_in_one_of_a_class() {
        for (path, is) in [
            ("a.toml", true),
            ("test-failure/a.toml", true),
            ("old/a.toml", false),
            ("test-failure/old/a.toml", false),
            ("README.md", false),
        ] {
            assert_eq!(is_pattern_file(path), is, "{path}");
        }
    }
}
