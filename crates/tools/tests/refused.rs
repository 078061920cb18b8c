//! What a tool itself refuses to read of a damaged lockfile is never taken for a sound one here. Tools that are not
//! installed are left out.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]
#![allow(clippy::print_stderr, reason = "says what was left out")]

use std::{env, fs, path::Path, process::Command};

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
    /// Other files of the project.
    beside: &'static [(&'static str, &'static str)],
    argv: &'static [&'static str],
    refuses: &'static [&'static str],
}

const READERS: [Reader; 4] = [
    Reader {
        format: Format::CargoLock,
        file: "Cargo.lock",
        sound: data!("cargo/both.lock"),
        beside: &[("Cargo.toml", data!("cargo/both.toml")), ("src/lib.rs", "")],
        argv: &["cargo", "metadata", "--locked", "--offline", "--format-version", "1"],
        refuses: &["failed to parse lock file"],
    },
    Reader {
        format: Format::UvLock,
        file: "uv.lock",
        sound: data!("uv/both.lock"),
        beside: &[("pyproject.toml", data!("uv/base.pyproject.toml"))],
        argv: &["uv", "export", "--frozen", "--offline", "--quiet"],
        refuses: &["Failed to parse `uv.lock`"],
    },
    Reader {
        format: Format::GemfileLock,
        file: "Gemfile.lock",
        sound: data!("bundler/checksums.lock"),
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
        beside: &[("package.json", data!("pnpm-v9/base.package.json"))],
        argv: &["pnpm", "install", "--lockfile-only", "--frozen-lockfile", "--offline", "--ignore-scripts"],
        refuses: &["ERR_PNPM_BROKEN_LOCKFILE"],
    },
];

/// The same numbers in every run with the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most.max(1)
    }
}

/// A bit that fell over, a cut, a line that is gone or doubled, a stray sign.
fn damaged(text: &str, dice: &mut Dice) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    let at = dice.below(bytes.len());
    let mut lines: Vec<Vec<u8>> = bytes.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
    let line = dice.below(lines.len());
    match dice.below(5) {
        0 => bytes[at] ^= 1 << dice.below(8),
        1 => bytes.truncate(at),
        2 => {
            lines.remove(line);
            bytes = lines.concat();
        }
        3 => {
            lines.insert(line, lines[line].clone());
            bytes = lines.concat();
        }
        _ => {
            let signs = ["{", "\"", "[[package]]", "\\", "=", "@", ": "];
            bytes.splice(at..(at + 2).min(text.len()), signs[dice.below(signs.len())].bytes());
        }
    }
    bytes
}

fn said(folder: &Path, argv: &[&str]) -> Option<String> {
    let mut command = Command::new(argv[0]);
    command.args(&argv[1..]).current_dir(folder);
    let out = command.env("BUNDLE_GEMFILE", folder.join("Gemfile")).output().ok()?;
    Some(String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned())
}

fn number(name: &str, usual: u64) -> u64 {
    env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(usual)
}

#[test]
fn what_the_tool_refuses_is_not_taken_for_sound() {
    let count = number("REGREEN_REFUSED_COUNT", 6);
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
        let mut dice = Dice(number("REGREEN_REFUSED_SEED", 1));
        let mut many = 0;
        for _ in 0..count {
            let bytes = damaged(reader.sound, &mut dice);
            let Some(Some(said)) = refused(&bytes) else { continue };
            many += 1;
            let sound = parse(reader.format, &bytes).is_ok_and(|lockfile| lockfile.damage.is_empty());
            assert!(!sound, "{said}\n{}", String::from_utf8_lossy(&bytes));
        }
        eprintln!("{}: refused {many} of {count}", reader.argv[0]);
    }
}
