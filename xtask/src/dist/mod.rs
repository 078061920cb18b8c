//! `cargo xtask dist [--binary FILE [--runner PROGRAM]]`: everything that a release hands out, from one built program into `target/dist`: an
//! archive, a Debian package, npm and PyPI packages that carry the program, the Homebrew formula, what the container image has
//! beside the program, an SBOM and checksums.
//!
//! All of it is written here and not by the tools of each world, so that the same program gives the same bytes anywhere;
//! the tools themselves take it in `cargo xtask soak packages`.

mod archive;
mod deb;
mod elf;
mod image;
mod npm;
mod sbom;
mod wheel;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use sha2::{Digest, Sha256};

use self::archive::Member;
use crate::{cargo, top};

/// The version of all packages.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What every package says in one line.
pub const ABOUT: &str = "Turns red CI green again when, and only when, the infrastructure was at fault";

/// Where the project is at home.
pub const HOME: &str = "https://github.com/regreen/regreen";

/// The statically linked target, where it is installed.
const MUSL: &str =
    if cfg!(target_arch = "aarch64") { "aarch64-unknown-linux-musl" } else { "x86_64-unknown-linux-musl" };

/// A program that was built, and what goes with it.
pub struct Built {
    /// The program.
    pub binary: Vec<u8>,
    /// For which processor, and what of the C library it needs.
    pub elf: elf::Elf,
    /// Man pages: file name and text.
    pub man: Vec<(String, Vec<u8>)>,
    /// Completions: file name and script, for bash, zsh and fish.
    pub completions: [(&'static str, Vec<u8>); 3],
    /// Seconds since 1970 that all files bear.
    pub at: u64,
}

/// Makes all of it.
pub fn dist(args: &[&str]) -> Result<String, String> {
    let (given, runner) = match args {
        [] => (None, None),
        ["--binary", file] => (Some(PathBuf::from(file)), None),
        // What starts a program for another processor, such as qemu-aarch64-static.
        ["--binary", file, "--runner", runner] => (Some(PathBuf::from(file)), Some(*runner)),
        other => {
            let usage = "usage: cargo xtask dist [--binary FILE [--runner PROGRAM]]";
            return Err(format!("unknown: {}; {usage}", other.join(" ")));
        }
    };
    let program = given.map_or_else(build, Ok)?;
    let built = Built::of(&program, runner)?;
    let out = top().join("target/dist");
    fs::create_dir_all(&out).map_err(|e| format!("{}: {e}", out.display()))?;
    let mut made = vec![
        (format!("regreen-{VERSION}-linux-{}.tar.gz", built.elf.arch.kernel()), tarball(&built)?),
        (format!("regreen-linux-{}", built.elf.arch.debian()), built.binary.clone()),
        (format!("regreen-{VERSION}-linux-{}.cdx.json", built.elf.arch.kernel()), sbom::sbom(&built)?),
        (image::BASE.to_owned(), image::base(built.at)?),
        deb::deb(&built)?,
        wheel::wheel(&built)?,
    ];
    made.extend(npm::npm(&built)?);
    let mut said = String::new();
    for (name, bytes) in &made {
        write(&out.join(name), bytes)?;
        said.push_str(&format!("{:>10}  {name}\n", bytes.len()));
    }
    formula(&out)?;
    sums(&out)?;
    Ok(format!("dist: in target/dist, {}\n{said}", built.elf))
}

impl Built {
    fn of(program: &Path, runner: Option<&str>) -> Result<Built, String> {
        let binary = fs::read(program).map_err(|e| format!("{}: {e}", program.display()))?;
        let start = || match runner {
            None => Command::new(program),
            Some(runner) => {
                let mut command = Command::new(runner);
                command.arg(program);
                command
            }
        };
        let says = start().arg("--version").output();
        let says = says.map_err(|e| format!("{}: {e}", program.display()))?;
        let expected = format!("regreen {VERSION}\n");
        if says.stdout != expected.as_bytes() {
            let says = String::from_utf8_lossy(&says.stdout).into_owned();
            return Err(format!("{} says {says:?}, not {expected:?}", program.display()));
        }
        let folder = top().join("target/dist/man");
        let _old = fs::remove_dir_all(&folder);
        output(start().args(["manual", "--man"]).arg(&folder))?;
        let mut man = Vec::new();
        for entry in fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))? {
            let path = entry.map_err(|e| e.to_string())?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            man.push((name, fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?));
        }
        man.sort();
        let script = |shell: &str| output(start().args(["completions", shell]));
        let completions = [
            ("regreen.bash", script("bash")?),
            ("_regreen", script("zsh")?),
            ("regreen.fish", script("fish")?),
        ];
        Ok(Built { elf: elf::Elf::of(&binary)?, binary, man, completions, at: moment()? })
    }
}

/// Builds the program, without what it needs of a C library where the target for that is installed.
fn build() -> Result<PathBuf, String> {
    let installed =
        output(Command::new("rustup").args(["target", "list", "--installed"])).unwrap_or_default();
    let fixed = String::from_utf8_lossy(&installed).lines().any(|target| target == MUSL);
    let mut cargo = cargo();
    cargo.args(["build", "--release", "--locked", "--package", "regreen-cli"]).current_dir(top());
    if fixed {
        cargo.args(["--target", MUSL]).env(format!("CC_{}", MUSL.replace('-', "_")), "musl-gcc");
    }
    let status = cargo.status().map_err(|e| format!("cargo build: {e}"))?;
    let folder =
        if fixed { format!("target/{MUSL}/release/regreen") } else { "target/release/regreen".to_owned() };
    if status.success() { Ok(top().join(folder)) } else { Err("cargo build failed".to_owned()) }
}

/// When the commit was made: whoever builds it later gets the same bytes.
fn moment() -> Result<u64, String> {
    let text = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text,
        Err(_) => String::from_utf8_lossy(&output(
            Command::new("git").args(["log", "-1", "--format=%ct"]).current_dir(top()),
        )?)
        .into_owned(),
    };
    text.trim().parse().map_err(|e| format!("the commit's time: {e}"))
}

/// A file of the repository.
pub fn text(path: &str) -> Result<Vec<u8>, String> {
    fs::read(top().join(path)).map_err(|e| format!("{path}: {e}"))
}

/// What a command printed.
pub fn output(command: &mut Command) -> Result<Vec<u8>, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let out = command.output().map_err(|e| format!("{name}: {e}"))?;
    match out.status.success() {
        true => Ok(out.stdout),
        false => Err(format!("{name}: {}", String::from_utf8_lossy(&out.stderr).trim_end())),
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    fs::write(path, bytes).map_err(|e| format!("{}: {e}", path.display()))
}

/// The archive for everybody else.
fn tarball(built: &Built) -> Result<Vec<u8>, String> {
    let folder = format!("regreen-{VERSION}-linux-{}", built.elf.arch.kernel());
    let mut members = vec![Member::program(format!("{folder}/bin/regreen"), &built.binary)];
    for name in ["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"] {
        members.push(Member::file(format!("{folder}/{name}"), &text(name)?));
    }
    let units = ["regreen-serve.service", "regreen-worker.service"];
    for name in units {
        let unit = text(&format!("packaging/systemd/{name}"))?;
        members.push(Member::file(format!("{folder}/share/systemd/{name}"), &unit));
    }
    let man =
        built.man.iter().map(|(name, page)| Member::file(format!("{folder}/share/man/man1/{name}"), page));
    members.extend(man);
    let scripts = built.completions.iter();
    members.extend(
        scripts.map(|(name, script)| Member::file(format!("{folder}/share/completions/{name}"), script)),
    );
    archive::tar_gz(&members, built.at)
}

/// The formula, once the archives of both processors lie there; else with what is there.
fn formula(out: &Path) -> Result<(), String> {
    let template = String::from_utf8_lossy(&text("packaging/homebrew/regreen.rb.in")?).into_owned();
    let sum = |arch: &str| {
        let file = out.join(format!("regreen-{VERSION}-linux-{arch}.tar.gz"));
        fs::read(file).map_or_else(|_| format!("@SHA256_{}@", arch.to_uppercase()), |bytes| digest(&bytes))
    };
    let filled = template
        .replace("@VERSION@", VERSION)
        .replace("@SHA256_X86_64@", &sum("x86_64"))
        .replace("@SHA256_AARCH64@", &sum("aarch64"));
    write(&out.join("regreen.rb"), filled.as_bytes())
}

/// `SHA256SUMS` of everything that lies there, as `sha256sum --check` takes it.
fn sums(out: &Path) -> Result<(), String> {
    let entries = fs::read_dir(out).map_err(|e| format!("{}: {e}", out.display()))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter(|entry| entry.path().is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name != "SHA256SUMS")
        .collect();
    names.sort();
    let mut sums = String::new();
    for name in names {
        let bytes = fs::read(out.join(&name)).map_err(|e| format!("{name}: {e}"))?;
        sums.push_str(&format!("{}  {name}\n", digest(&bytes)));
    }
    write(&out.join("SHA256SUMS"), sums.as_bytes())
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
