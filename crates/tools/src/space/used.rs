//! Who uses what now: open files, folders that processes stand in, and programs that run. Of this user's processes only;
//! of the others nothing can be seen, and nothing is theirs here.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use super::places::is_named;

/// One look at `/proc`.
#[derive(Debug, Default)]
pub(super) struct Used {
    paths: BTreeSet<PathBuf>,
    programs: Vec<Program>,
}

/// A program that runs.
#[derive(Debug)]
struct Program {
    /// The name of what was started, and of the script that it runs.
    names: Vec<String>,
    /// Its environment.
    env: BTreeMap<String, String>,
}

impl Used {
    /// Looks now.
    pub(super) fn now() -> Used {
        let mut used = Used::default();
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let name = entry.file_name();
            if !name.to_str().is_some_and(|name| name.bytes().all(|b| b.is_ascii_digit())) {
                continue;
            }
            let process = entry.path();
            used.paths
                .extend(["cwd", "root", "exe"].iter().filter_map(|l| fs::read_link(process.join(l)).ok()));
            let open = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
            used.paths.extend(open.filter_map(|fd| fs::read_link(fd.path()).ok()));
            let texts = |name: &str| {
                let bytes = fs::read(process.join(name)).unwrap_or_default();
                let texts = bytes.split(|b| *b == 0).map(|text| String::from_utf8_lossy(text).into_owned());
                texts.collect::<Vec<_>>()
            };
            // A script's own name stands second: `node /usr/bin/npm ci`. npm gives itself the title `npm ci`.
            let name = |word: &String| {
                let first = word.split(' ').next().unwrap_or_default();
                Path::new(first).file_stem().and_then(|name| name.to_str()).map(str::to_owned)
            };
            let names = texts("cmdline").iter().take(2).filter_map(name).collect();
            let pair = |text: &String| text.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned()));
            used.programs.push(Program { names, env: texts("environ").iter().filter_map(pair).collect() });
        }
        used
    }

    /// Whether somebody has it, or something in it, open.
    pub(super) fn is_open(&self, path: &Path) -> bool {
        self.paths.range(path.to_owned()..).next().is_some_and(|first| first.starts_with(path))
    }

    /// The environments in which one of these programs runs. A form may hold `#` for digits.
    pub(super) fn environments<'u>(
        &'u self,
        forms: &'u [&str],
    ) -> impl Iterator<Item = &'u BTreeMap<String, String>> {
        let is_meant = |name: &String| forms.iter().any(|form| is_named(form, name));
        self.programs.iter().filter(move |p| p.names.iter().any(is_meant)).map(|program| &program.env)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use super::*;

    #[test]
    fn an_open_file_is_seen_and_so_is_the_folder_around_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::create_dir(root.join("in")).unwrap();
        let file = fs::File::create(root.join("in/open")).unwrap();
        let used = Used::now();
        assert!(used.is_open(&root.join("in")) && used.is_open(&root.join("in/open")));
        assert!(!used.is_open(&root.join("i")) && !used.is_open(&root.join("in/o")));
        drop(file);
        assert!(!Used::now().is_open(&root));
        assert_eq!(used.environments(&["no-such-program"]).count(), 0);
    }
}
