//! The real package managers against the lab: sound, and under every damage and fault.
//!
//! A package manager that isn't installed is skipped with a word on stderr.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that can't go on should stop; a skipped one should say so"
)]

use std::process::Output;

use regreen_lab::damage::{CacheDamage, LockfileDamage};
use regreen_lab::{Fault, Lab, LabError, Outage, PackageManager, PathGlob, Project, Script, Until};

/// A lab, and a project in a folder that goes with it.
struct Stage {
    lab: Lab,
    project: Project,
    _folder: tempfile::TempDir,
}

impl Stage {
    fn set(manager: PackageManager) -> Stage {
        let folder = tempfile::tempdir().unwrap();
        let lab = Lab::start().unwrap();
        let project = Project::create(manager, folder.path(), &lab).unwrap();
        Stage { lab, project, _folder: folder }
    }

    fn install(&self) -> Seen {
        Seen::new(self.project.run(self.project.install_argv()).unwrap())
    }

    /// pip keeps even an answer with a wrong checksum; cargo an index that was tampered with.
    fn forget_cache(&self) {
        let _ = std::fs::remove_dir_all(self.project.cache());
    }

    /// Whatever makes the tool read its cache in full: cargo unpacks only when it builds.
    fn use_cache(&self) -> Seen {
        match self.project.manager() {
            PackageManager::Cargo => Seen::new(self.project.run(&["cargo", "check", "--locked"]).unwrap()),
            _ => self.install(),
        }
    }
}

#[derive(Debug)]
struct Seen {
    success: bool,
    text: String,
}

impl Seen {
    fn new(output: Output) -> Seen {
        let text = [output.stdout, output.stderr].concat();
        Seen { success: output.status.success(), text: String::from_utf8_lossy(&text).into_owned() }
    }

    #[track_caller]
    fn failed_saying(&self, words: &str) {
        assert!(
            !self.success && self.text.contains(words),
            "expected a failure with {words:?}: {}",
            self.text
        );
    }

    #[track_caller]
    fn succeeded(&self) {
        assert!(self.success, "{}", self.text);
    }
}

fn installed(manager: PackageManager) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let lab = Lab::start().unwrap();
    match Project::create(manager, folder.path(), &lab) {
        Err(missing @ LabError::Missing { .. }) => {
            eprintln!("skipped: {missing}");
            false
        }
        made => made.is_ok(),
    }
}

/// The script under which every download fails in this way; metadata stays sound.
fn downloads(manager: PackageManager, fault: Fault) -> Script {
    Script::fault(manager.downloads(), fault, Until::Forever)
}

fn a_sound_project_installs_and_passes_its_test(manager: PackageManager) {
    if !installed(manager) {
        return;
    }
    let stage = Stage::set(manager);
    assert_eq!(stage.project.uncommitted().unwrap(), "");
    stage.install().succeeded();
    Seen::new(stage.project.run(stage.project.test_argv()).unwrap()).succeeded();
    assert_eq!(stage.project.uncommitted().unwrap(), "", "installing and testing leave no trace in git");
    assert!(!stage.lab.requests().is_empty(), "the packages came from the lab");
    stage.project.remove_installed().unwrap();
    stage.lab.set_script(Script::down(Outage::Forever));
    let offline = stage.install();
    match manager {
        // pip always asks the index, even if the wheels are cached.
        PackageManager::Pip => offline.failed_saying("No matching distribution found"),
        _ => offline.succeeded(),
    }
}

fn network_and_service_faults_fail_as_recorded(manager: PackageManager) {
    if !installed(manager) {
        return;
    }
    let stage = Stage::set(manager);
    let busy = Fault::Status { code: 503, retry_after: None };
    let limited = Fault::Status { code: 429, retry_after: Some(1) };
    let words = match manager {
        PackageManager::Npm => vec![
            (Fault::Reset, "ECONNRESET"),
            (Fault::Close, "socket hang up"),
            (Fault::Stall, "network timeout at"),
            (Fault::ResetBody, "npm error code ECONNRESET"),
            (Fault::StallBody, "EIDLETIMEOUT"),
            (Fault::TruncateBody, "aborted"),
            (Fault::FlipBody, "EINTEGRITY"),
            (Fault::Tampered, "EINTEGRITY"),
            (busy, "503 Service Unavailable"),
            (limited, "429 Too Many Requests"),
        ],
        PackageManager::Cargo => vec![
            (Fault::Reset, "[56] "),
            (Fault::Close, "[52] "),
            (Fault::Stall, "[28] "),
            (Fault::ResetBody, "[56] "),
            (Fault::StallBody, "[28] "),
            (Fault::TruncateBody, "[18] "),
            (Fault::FlipBody, "failed to verify the checksum"),
            (Fault::Tampered, "failed to verify the checksum"),
            (busy, "got 503"),
            (limited, "got 429"),
        ],
        PackageManager::Pip => vec![
            (Fault::Reset, "Connection reset by peer"),
            (Fault::Close, "Remote end closed connection"),
            (Fault::Stall, "Read timed out"),
            (Fault::ResetBody, "Connection reset by peer"),
            (Fault::StallBody, "Read timed out"),
            (Fault::TruncateBody, "DO NOT MATCH THE HASHES"),
            (Fault::FlipBody, "DO NOT MATCH THE HASHES"),
            (Fault::Tampered, "DO NOT MATCH THE HASHES"),
            (busy, "too many 503 error responses"),
            (limited, "HTTP error 429"),
        ],
        // A connection that breaks it tries five times again: the lab's tests have no time for that.
        PackageManager::Yarn => vec![
            (Fault::FlipBody, "zlibOnError"),
            (Fault::Tampered, "Integrity check failed"),
            (busy, "503 Service Unavailable"),
            (limited, "429 Too Many Requests"),
        ],
        PackageManager::YarnBerry => vec![
            (Fault::Reset, "RequestError: read ECONNRESET"),
            (Fault::Close, "RequestError: socket hang up"),
            (Fault::Stall, "RequestError: Timeout awaiting 'socket'"),
            (Fault::ResetBody, "ReadError: The server aborted pending request"),
            (Fault::StallBody, "RequestError: Timeout awaiting 'socket'"),
            (Fault::TruncateBody, "ReadError: The server aborted pending request"),
            (Fault::FlipBody, "ZlibError: zlib: "),
            (Fault::Tampered, "The remote archive doesn't match the expected checksum"),
            (busy, "503 (Service Unavailable)"),
            (limited, "429 (Too Many Requests)"),
        ],
        // It waits for a body that falls silent without end: nothing to see in this test.
        PackageManager::Pnpm => vec![
            (Fault::Reset, "ECONNRESET"),
            (Fault::Close, "socket hang up"),
            (Fault::Stall, "ERR_SOCKET_TIMEOUT"),
            (Fault::ResetBody, "ECONNRESET"),
            (Fault::TruncateBody, "ECONNRESET"),
            (Fault::FlipBody, "ERR_PNPM_TARBALL_INTEGRITY"),
            (Fault::Tampered, "ERR_PNPM_TARBALL_INTEGRITY"),
            (busy, "ERR_PNPM_FETCH_503"),
            (limited, "ERR_PNPM_FETCH_429"),
        ],
        // It tries six times, and more slowly each time, but for what breaks in the middle of a file.
        PackageManager::Poetry => vec![
            (Fault::ResetBody, "Connection broken: ConnectionResetError"),
            (Fault::StallBody, "Read timed out"),
            (Fault::TruncateBody, "Connection broken: IncompleteRead"),
            (Fault::FlipBody, "not found in known hashes"),
            (Fault::Tampered, "not found in known hashes"),
            (Fault::Status { code: 503, retry_after: Some(0) }, "503 Server Error"),
            (Fault::Status { code: 429, retry_after: Some(0) }, "429 Client Error"),
        ],
        PackageManager::Pipenv => vec![
            (Fault::Reset, "error: connection-failed"),
            (Fault::Close, "error: connection-failed"),
            (Fault::Stall, "error: connection-timeout"),
            (Fault::TruncateBody, "error: incomplete-download"),
            (Fault::FlipBody, "DO NOT MATCH THE HASHES"),
            (Fault::Tampered, "DO NOT MATCH THE HASHES"),
            (busy, "too many 503 error responses"),
            (limited, "HTTP error 429"),
        ],
        PackageManager::Uv => vec![
            (Fault::Reset, "Connection reset by peer (os error 104)"),
            (Fault::Close, "connection closed before message completed"),
            (Fault::Stall, "operation timed out"),
            (Fault::ResetBody, "error decoding response body"),
            (Fault::StallBody, "Failed to download distribution due to network timeout"),
            (Fault::TruncateBody, "end of file before message length reached"),
            (Fault::FlipBody, "Bad CRC"),
            (Fault::Tampered, "Hash mismatch for `regreen-lab-"),
            (busy, "HTTP status server error (503 Service Unavailable)"),
            (limited, "HTTP status client error (429 Too Many Requests)"),
        ],
        PackageManager::Composer | PackageManager::Go | PackageManager::Bundler | PackageManager::Bun => {
            unreachable!("tests/more_tools.rs")
        }
    };
    for (fault, words) in words {
        stage.lab.set_script(downloads(manager, fault));
        stage.forget_cache();
        stage.install().failed_saying(words);
    }
    stage.lab.set_script(Script::fault(PathGlob::ANY, Fault::Tampered, Until::Forever));
    stage.forget_cache();
    stage.install().failed_saying(match manager {
        PackageManager::Npm => "EINTEGRITY",
        PackageManager::Pnpm => "ERR_PNPM_TARBALL_INTEGRITY",
        PackageManager::Yarn => "Integrity check failed",
        PackageManager::YarnBerry => "The remote archive doesn't match the expected checksum",
        PackageManager::Cargo => "changed between lock files",
        PackageManager::Pip => "DO NOT MATCH THE HASHES",
        PackageManager::Uv => "Hash mismatch for `regreen-lab-",
        PackageManager::Poetry => "did not match any known checksums",
        PackageManager::Pipenv => "DO NOT MATCH THE HASHES",
        PackageManager::Composer | PackageManager::Go | PackageManager::Bundler | PackageManager::Bun => {
            unreachable!("tests/more_tools.rs")
        }
    });
    stage.lab.set_script(Script::down(Outage::Forever));
    stage.forget_cache();
    stage.install().failed_saying(match manager {
        PackageManager::Npm | PackageManager::Pnpm | PackageManager::Yarn | PackageManager::YarnBerry => {
            "ECONNREFUSED"
        }
        PackageManager::Cargo => "[7] ",
        PackageManager::Pip => "Connection refused",
        PackageManager::Uv => "tcp connect error",
        PackageManager::Poetry => "All attempts to connect to",
        PackageManager::Pipenv => "Connection refused",
        PackageManager::Composer | PackageManager::Go | PackageManager::Bundler | PackageManager::Bun => {
            unreachable!("tests/more_tools.rs")
        }
    });
    stage.lab.set_script(Script::sound());
    stage.install().succeeded();
}

fn lockfile_damages_fail_as_recorded(manager: PackageManager) {
    use LockfileDamage as D;
    if !installed(manager) {
        return;
    }
    let stage = Stage::set(manager);
    stage.project.git(&["tag", "good"]).unwrap();
    for damage in D::ALL {
        damage.apply(&stage.project).unwrap();
        let seen = stage.install();
        stage.project.git(&["reset", "--quiet", "--hard", "good"]).unwrap();
        let words = match (manager, damage) {
            (PackageManager::Npm, D::Garbage | D::Truncated | D::Empty | D::ConflictMarkers) => "EUSAGE",
            (PackageManager::Npm, D::WrongChecksum | D::TamperedChecksum) => "EINTEGRITY",
            (PackageManager::Npm, D::EntryMissing) => "Missing: regreen-lab-beta@1.0.0 from lock file",
            (PackageManager::Npm, D::Drift) => "Missing: regreen-lab-omega@1.0.0 from lock file",
            (PackageManager::Cargo, D::Garbage | D::Truncated | D::ConflictMarkers) => {
                "failed to parse lock file"
            }
            (PackageManager::Cargo, D::WrongChecksum | D::TamperedChecksum) => "changed between lock files",
            (PackageManager::Cargo, D::Empty | D::EntryMissing | D::Drift) => "cannot update the lock file",
            (PackageManager::Yarn, D::Garbage | D::Truncated) => "error SyntaxError: ",
            // What the others need is not looked for.
            (PackageManager::Yarn, D::EntryMissing) => {
                seen.succeeded();
                continue;
            }
            (PackageManager::Yarn, D::Empty | D::Drift) => "Your lockfile needs to be updated",
            (PackageManager::Yarn, D::ConflictMarkers) => "Merge conflict detected in yarn.lock",
            (PackageManager::Yarn, D::WrongChecksum | D::TamperedChecksum) => "Integrity check failed",
            (PackageManager::YarnBerry, D::Garbage) => "null byte is not allowed",
            (PackageManager::YarnBerry, D::Truncated) => "Cannot read properties of undefined",
            (PackageManager::YarnBerry, D::ConflictMarkers) => "YN0047: Cannot autofix a lockfile",
            (PackageManager::YarnBerry, D::WrongChecksum | D::TamperedChecksum) => {
                "The remote archive doesn't match the expected checksum"
            }
            (PackageManager::YarnBerry, D::Empty | D::EntryMissing | D::Drift) => {
                "The lockfile would have been modified by this install"
            }
            (PackageManager::Pnpm, D::Garbage | D::Truncated | D::Empty) => "ERR_PNPM_BROKEN_LOCKFILE",
            (PackageManager::Pnpm, D::ConflictMarkers) => "Merge conflict detected in pnpm-lock.yaml",
            (PackageManager::Pnpm, D::WrongChecksum | D::TamperedChecksum) => "ERR_PNPM_TARBALL_INTEGRITY",
            (PackageManager::Pnpm, D::EntryMissing) => "ERR_PNPM_LOCKFILE_MISSING_DEPENDENCY",
            (PackageManager::Pnpm, D::Drift) => "ERR_PNPM_OUTDATED_LOCKFILE",
            (PackageManager::Pip, D::Garbage | D::ConflictMarkers) => "Invalid requirement",
            (PackageManager::Pip, D::Truncated) => "Arguments to --hash must be a hash name",
            (PackageManager::Pip, D::Empty) => {
                seen.succeeded();
                continue;
            }
            (PackageManager::Pip, D::WrongChecksum | D::TamperedChecksum) => "DO NOT MATCH THE HASHES",
            (PackageManager::Pip, D::EntryMissing) => "all requirements must have their versions pinned",
            // It installs what is there.
            (PackageManager::Poetry | PackageManager::Pipenv, D::EntryMissing) => {
                seen.succeeded();
                continue;
            }
            (PackageManager::Poetry, D::WrongChecksum | D::TamperedChecksum) => {
                "did not match any known checksums"
            }
            (PackageManager::Poetry, D::Garbage | D::ConflictMarkers) => "Invalid statement (at line ",
            (PackageManager::Poetry, D::Truncated) => "(at end of document)",
            (PackageManager::Poetry, D::Empty | D::Drift) => "pyproject.toml changed significantly",
            (PackageManager::Pipenv, D::WrongChecksum | D::TamperedChecksum) => "DO NOT MATCH THE HASHES",
            (PackageManager::Pipenv, _) => "ERROR:: Aborting deploy",
            (PackageManager::Uv, D::WrongChecksum | D::TamperedChecksum) => "Hash mismatch for `regreen-lab-",
            (PackageManager::Uv, D::EntryMissing) => "has missing `source` field but has more than one",
            (PackageManager::Uv, D::Drift) => "needs to be updated, but `--locked` was provided",
            (PackageManager::Uv, _) => "Failed to parse `uv.lock`",
            (PackageManager::Pip, D::Drift) => "Hashes are required in --require-hashes mode",
            (
                PackageManager::Composer | PackageManager::Go | PackageManager::Bundler | PackageManager::Bun,
                _,
            ) => {
                unreachable!("tests/more_tools.rs")
            }
        };
        seen.failed_saying(words);
    }
}

fn cache_damages_fail_as_recorded(manager: PackageManager) {
    use CacheDamage as D;
    if !installed(manager) {
        return;
    }
    let damages: &[(CacheDamage, Option<&str>)] = match manager {
        PackageManager::Npm => &[
            (D::Flipped, None),
            (D::Truncated, None),
            (D::IsFolder, Some("npm error code ENOENT")),
            (D::FolderIsFile, Some("npm error code ENOTDIR")),
        ],
        PackageManager::Cargo => &[
            (D::Flipped, Some("failed to unpack")),
            (D::Truncated, Some("failed to unpack package")),
            (D::IsFolder, Some("Is a directory")),
            (D::FolderIsFile, Some("Not a directory")),
            (D::SourceFileMissing, Some("no targets specified in the manifest")),
            (D::SourceManifestCut, Some("invalid basic string")),
            (D::IndexChecksum, Some("changed between lock files")),
            (D::IndexTruncated, None),
        ],
        PackageManager::Pip => &[(D::Flipped, Some("DO NOT MATCH THE HASHES")), (D::IsFolder, None)],
        // Its store holds unpacked files, not artefacts.
        PackageManager::Pnpm => &[],
        // Regreen does not read their caches yet.
        PackageManager::Yarn | PackageManager::YarnBerry => &[],
        // uv keeps no archives, but what it unpacked from them.
        PackageManager::Uv => &[],
        PackageManager::Pipenv => &[(D::Flipped, Some("DO NOT MATCH THE HASHES"))],
        // Its own downloads are kept as they came, and checked before they are used.
        PackageManager::Poetry => &[],
        PackageManager::Composer | PackageManager::Go | PackageManager::Bundler | PackageManager::Bun => {
            unreachable!("tests/more_tools.rs")
        }
    };
    for (damage, words) in damages {
        let stage = Stage::set(manager);
        stage.project.warm_cache().unwrap();
        damage.apply(&stage.project).unwrap();
        let seen = stage.use_cache();
        match words {
            None => seen.succeeded(),
            Some(words) => seen.failed_saying(words),
        }
        let once_only = (manager, damage) == (PackageManager::Npm, &D::IsFolder);
        assert_eq!(stage.use_cache().success, words.is_none() || once_only, "{damage:?} a second time");
    }
}

/// The lockfiles that the lab writes down are the ones that the real tools write.
fn the_written_lockfile_is_the_tools_own(manager: PackageManager, resolve: &[&str]) {
    if !installed(manager) {
        return;
    }
    let stage = Stage::set(manager);
    let written = std::fs::read_to_string(stage.project.lockfile()).unwrap();
    std::fs::remove_file(stage.project.lockfile()).unwrap();
    stage.project.must_run(resolve).unwrap();
    let resolved = std::fs::read_to_string(stage.project.lockfile()).unwrap();
    // npm's lockfiles name the public registry, whatever the real one was.
    let own = stage.lab.registry_url(PackageManager::Npm);
    let resolved = match manager {
        PackageManager::Npm => resolved.replace(&own, "https://registry.npmjs.org/"),
        _ => resolved,
    };
    assert_eq!(resolved, written);
}

#[test]
fn npm_lockfile() {
    the_written_lockfile_is_the_tools_own(PackageManager::Npm, &["npm", "install", "--package-lock-only"]);
}

#[test]
fn pnpm_lockfile() {
    the_written_lockfile_is_the_tools_own(PackageManager::Pnpm, &["pnpm", "install", "--lockfile-only"]);
}

#[test]
fn cargo_lockfile() {
    the_written_lockfile_is_the_tools_own(PackageManager::Cargo, &["cargo", "generate-lockfile"]);
}

#[test]
fn yarn_lockfile() {
    the_written_lockfile_is_the_tools_own(PackageManager::Yarn, &["yarn", "install"]);
}

#[test]
fn yarn_berry_lockfile() {
    the_written_lockfile_is_the_tools_own(PackageManager::YarnBerry, &["yarn", "install"]);
}

#[test]
fn poetry_lockfile() {
    the_written_lockfile_is_the_tools_own(PackageManager::Poetry, &["poetry", "lock"]);
}

#[test]
fn pipenv_lockfile() {
    the_written_lockfile_is_the_tools_own(PackageManager::Pipenv, &["pipenv", "lock"]);
}

#[test]
fn uv_lockfile() {
    the_written_lockfile_is_the_tools_own(PackageManager::Uv, &["uv", "lock"]);
}

macro_rules! for_each_manager {
    ($($law:ident),* $(,)?) => {
        mod npm { $(#[test] fn $law() { super::$law(super::PackageManager::Npm) })* }
        mod cargo { $(#[test] fn $law() { super::$law(super::PackageManager::Cargo) })* }
        mod pip { $(#[test] fn $law() { super::$law(super::PackageManager::Pip) })* }
        mod pnpm { $(#[test] fn $law() { super::$law(super::PackageManager::Pnpm) })* }
        mod yarn { $(#[test] fn $law() { super::$law(super::PackageManager::Yarn) })* }
        mod yarn_berry { $(#[test] fn $law() { super::$law(super::PackageManager::YarnBerry) })* }
        mod poetry { $(#[test] fn $law() { super::$law(super::PackageManager::Poetry) })* }
        mod pipenv { $(#[test] fn $law() { super::$law(super::PackageManager::Pipenv) })* }
        mod uv { $(#[test] fn $law() { super::$law(super::PackageManager::Uv) })* }
    };
}

for_each_manager!(
    a_sound_project_installs_and_passes_its_test,
    lockfile_damages_fail_as_recorded,
    cache_damages_fail_as_recorded,
);

/// A tool that starts slowly fails in so many ways only where all is asked for, as by `cargo xtask soak scenarios`.
macro_rules! network_and_service_faults {
    ($($name:ident: $manager:ident $(($slow:literal))?,)*) => {
        mod network_and_service_faults_fail_as_recorded {
            $(#[test] $(#[ignore = $slow])? fn $name() {
                super::network_and_service_faults_fail_as_recorded(super::PackageManager::$manager)
            })*
        }
    };
}

network_and_service_faults! {
    npm: Npm,
    cargo: Cargo,
    pip: Pip ("it starts slowly"),
    pnpm: Pnpm ("it starts slowly"),
    yarn: Yarn,
    yarn_berry: YarnBerry ("it starts slowly"),
    poetry: Poetry ("it starts slowly"),
    pipenv: Pipenv ("it starts slowly"),
    uv: Uv,
}
