//! What a tool itself refuses to read of a damaged lockfile is never taken for a sound one here. Tools that are not
//! installed are left out.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]
#![allow(clippy::print_stderr, reason = "says what was left out")]

#[path = "../../lockfile/tests/fixture/dice.rs"]
mod dice;

use std::{fs, path::Path, process::Command};

use dice::{Dice, damaged, number};

use regreen_lockfile::{Format, parse};

macro_rules! data {
    ($path:literal) => {
        include_str!(concat!("../../lockfile/tests/data/", $path))
    };
}

/// How a tool is asked to read a lockfile, and what it says where it can't.
struct Reader {
    format: Format,
    file: &'static str,
    sound: &'static str,
    /// Another one, to be merged with it.
    other: &'static str,
    /// Other files of the project.
    beside: &'static [(&'static str, &'static str)],
    argv: &'static [&'static str],
    refuses: &'static [&'static str],
}

const READERS: [Reader; 11] = [
    Reader {
        format: Format::NpmLock,
        file: "package-lock.json",
        sound: data!("npm-v3/both.json"),
        other: data!("npm-v3/ours.json"),
        beside: &[("package.json", data!("npm-v3/both.package.json"))],
        argv: &["npm", "ls", "--package-lock-only", "--all", "--offline"],
        refuses: &["ENOLOCK"],
    },
    Reader {
        format: Format::PipRequirements,
        file: "requirements.txt",
        sound: data!("pip/both.txt"),
        other: data!("pip/ours.txt"),
        beside: &[],
        argv: &[
            "python3",
            "-m",
            "pip",
            "download",
            "--disable-pip-version-check",
            "--no-deps",
            "--no-index",
            "-r",
            "requirements.txt",
        ],
        refuses: &["Invalid requirement", "no such option", "Arguments to --hash", "Unsupported"],
    },
    Reader {
        format: Format::PoetryLock,
        file: "poetry.lock",
        sound: data!("poetry/both.lock"),
        other: data!("poetry/ours.lock"),
        beside: &[("pyproject.toml", data!("poetry/base.pyproject.toml"))],
        argv: &["poetry", "check", "--lock", "--no-ansi"],
        refuses: &["Unable to read the lock file", "(at line ", "(at end of document)"],
    },
    Reader {
        format: Format::PipfileLock,
        file: "Pipfile.lock",
        sound: data!("pipenv/both.json"),
        other: data!("pipenv/ours.json"),
        beside: &[("Pipfile", data!("pipenv/base.Pipfile"))],
        argv: &["pipenv", "requirements", "--hash"],
        refuses: &["Failed to load lockfile"],
    },
    Reader {
        format: Format::ComposerLock,
        file: "composer.lock",
        sound: data!("composer/next.json"),
        other: data!("composer/base.json"),
        beside: &[("composer.json", data!("composer/next.composer.json"))],
        argv: &["composer", "show", "--locked", "--no-plugins", "--no-interaction"],
        refuses: &["does not contain valid JSON", "is not valid UTF-8"],
    },
    Reader {
        format: Format::CargoLock,
        file: "Cargo.lock",
        sound: data!("cargo/both.lock"),
        other: data!("cargo/ours.lock"),
        beside: &[("Cargo.toml", data!("cargo/both.toml")), ("src/lib.rs", "")],
        argv: &["cargo", "metadata", "--locked", "--offline", "--format-version", "1"],
        refuses: &["failed to parse lock file"],
    },
    Reader {
        format: Format::UvLock,
        file: "uv.lock",
        sound: data!("uv/both.lock"),
        other: data!("uv/ours.lock"),
        beside: &[("pyproject.toml", data!("uv/base.pyproject.toml"))],
        argv: &["uv", "export", "--frozen", "--offline", "--quiet"],
        refuses: &["Failed to parse `uv.lock`"],
    },
    Reader {
        format: Format::GemfileLock,
        file: "Gemfile.lock",
        sound: data!("bundler/checksums.lock"),
        other: data!("bundler/next.lock"),
        beside: &[("Gemfile", "source \"https://rubygems.org\"\n")],
        argv: &[
            "ruby",
            "-rbundler",
            "-e",
            "Bundler::LockfileParser.new(File.read('Gemfile.lock', encoding: 'UTF-8')) rescue abort \"refused: #{$!.message}\"",
        ],
        refuses: &["refused: "],
    },
    Reader {
        format: Format::PnpmLock,
        file: "pnpm-lock.yaml",
        sound: data!("pnpm-v9/base.yaml"),
        other: data!("pnpm-v9/ours.yaml"),
        beside: &[("package.json", data!("pnpm-v9/base.package.json"))],
        argv: &["pnpm", "install", "--lockfile-only", "--frozen-lockfile", "--offline", "--ignore-scripts"],
        refuses: &["ERR_PNPM_BROKEN_LOCKFILE"],
    },
    Reader {
        format: Format::BunLock,
        file: "bun.lock",
        sound: data!("bun/both.lock"),
        other: data!("bun/ours.lock"),
        beside: &[("package.json", data!("bun/base.package.json"))],
        argv: &["bun", "pm", "ls", "--all"],
        refuses: &["failed to parse lockfile"],
    },
    // Go reads it when it has a module to compare. Go 1.19 leaves out what it can't read, and
    // says nothing; Go 1.27 refuses.
    Reader {
        format: Format::GoSum,
        file: "go.sum",
        sound: data!("go/next.sum"),
        other: data!("go/base.sum"),
        beside: &[
            ("go.mod", "module example.com/demo\n\ngo 1.19\n\nrequire example.com/lab/beta v0.3.0\n"),
            ("proxy/example.com/lab/beta/@v/v0.3.0.mod", "module example.com/lab/beta\n"),
        ],
        argv: &["go", "mod", "graph"],
        refuses: &["malformed go.sum"],
    },
];

fn said(folder: &Path, argv: &[&str]) -> Option<String> {
    let mut command = Command::new(argv[0]);
    command.args(&argv[1..]).current_dir(folder);
    command.env("BUNDLE_GEMFILE", folder.join("Gemfile"));
    command.env("GOPROXY", format!("file://{}", folder.join("proxy").display()));
    command.env("GOMODCACHE", folder.join("modules")).env("GOFLAGS", "-mod=mod -modcacherw");
    command.env("GONOSUMDB", "*").env("GOTOOLCHAIN", "local");
    let out = command.output().ok()?;
    Some(String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned())
}

#[test]
fn what_the_tool_refuses_is_not_taken_for_sound() {
    let count = usize::try_from(number("REGREEN_REFUSED_COUNT", 6)).unwrap();
    let seed = number("REGREEN_REFUSED_SEED", 1);
    let mut missed = Vec::new();
    for reader in READERS {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in reader.beside {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let file = folder.path().join(reader.file);
        let refused = |bytes: &[u8]| {
            fs::write(&file, bytes).unwrap();
            let said = said(folder.path(), reader.argv)?;
            Some(reader.refuses.iter().any(|words| said.contains(words)).then_some(said))
        };
        match refused(reader.sound.as_bytes()) {
            None => {
                eprintln!("{} is not installed: left out", reader.argv[0]);
                continue;
            }
            Some(refused) => assert_eq!(refused, None, "the sound one"),
        }
        let mut dice = Dice(seed);
        // A few tests each need not begin with the same kinds of damage.
        let first = usize::try_from(seed).unwrap();
        let mut many = 0;
        for n in first..first + count {
            let bytes = damaged(n, reader.sound, reader.other, &mut dice);
            let Some(Some(said)) = refused(&bytes) else { continue };
            many += 1;
            if parse(reader.format, &bytes).is_ok_and(|lockfile| lockfile.damage.is_empty()) {
                missed.push(format!("{}, {said}\n{}", reader.file, String::from_utf8_lossy(&bytes)));
            }
        }
        eprintln!("{}: refused {many} of {count}", reader.argv[0]);
    }
    let many = missed.len();
    assert!(missed.is_empty(), "{many} taken for sound:\n{}", missed.join("\n---\n"));
}
