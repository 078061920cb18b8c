//! Who uses what now: open and mapped files, folders that processes stand in, and programs that run. Of this user's processes only;
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
    /// The name of what was started, and of the script or module that it runs.
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
            // What is mapped needs no descriptor: a library, a program's data.
            let maps = fs::read_to_string(process.join("maps")).unwrap_or_default();
            used.paths.extend(mapped(&maps));
            let names = names(&texts("cmdline"));
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

/// The names under which a command line runs something: its program, what stands second or is the first word that is no
/// option (`node /usr/bin/npm ci`), and a module (`python -m pip`).
fn names(words: &[String]) -> Vec<String> {
    // npm gives itself the title `npm ci`.
    let name = |word: &String| {
        let first = word.split(' ').next().unwrap_or_default();
        Path::new(first).file_stem().and_then(|name| name.to_str()).map(str::to_owned)
    };
    let script = words.iter().skip(1).find(|word| !word.starts_with('-'));
    let mut names: Vec<String> = words.iter().take(2).chain(script).filter_map(name).collect();
    // `-m pip`, `-Im pip`, `-mpip`. One too many keeps a file that could go, and no more.
    for (at, word) in words.iter().enumerate().skip(1) {
        let module = match word.strip_prefix("-m") {
            Some(module) if !module.is_empty() => Some(module),
            _ if word.starts_with('-') && !word.starts_with("--") && word.ends_with('m') => {
                words.get(at + 1).map(String::as_str)
            }
            _ => None,
        };
        names.extend(module.and_then(|module| module.split('.').next()).map(str::to_owned));
    }
    names
}

/// The files of `/proc/PID/maps`. Source: `proc_pid_maps(5)`: the path comes last, and nothing before it has a slash.
fn mapped(maps: &str) -> impl Iterator<Item = PathBuf> {
    maps.lines().filter_map(|line| Some(PathBuf::from(&line[line.find('/')?..])))
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

    #[test]
    fn a_mapped_file_is_in_use_though_nobody_has_it_open() {
        use std::{
            io::Read,
            process::{Command, Stdio},
        };
        // A library of this very program, copied, and loaded into another.
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let library = mapped(&maps).find(|path| path.to_string_lossy().contains("/libgcc_s")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().canonicalize().unwrap().join("lib/copy.so");
        fs::create_dir(copy.parent().unwrap()).unwrap();
        fs::copy(library, &copy).unwrap();
        let mut child = Command::new("sh")
            .args(["-c", "echo; read end"])
            .env("LD_PRELOAD", &copy)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        let used = Used::now().is_open(copy.parent().unwrap());
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(used);
        assert!(!Used::now().is_open(copy.parent().unwrap()));
    }

    #[test]
    fn a_program_is_known_by_its_script_and_by_its_module() {
        for (line, name) in [
            ("pip install a", "pip"),
            ("/usr/bin/python3 -m pip install a", "pip"),
            ("python -X utf8 -Im pip._internal.cli install", "pip"),
            ("python -mpip install", "pip"),
            ("python -u /usr/bin/pip3 install", "pip3"),
            ("node /usr/lib/npm/bin/npm-cli.js ci", "npm-cli"),
            ("node --no-warnings /usr/bin/npm ci", "npm"),
        ] {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            assert!(names(&words).contains(&name.to_owned()), "{line}: {:?}", names(&words));
        }
    }
}
