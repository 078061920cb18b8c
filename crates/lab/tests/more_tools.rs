//! The real Composer, Go, Bundler and Bun against the lab: sound, and under every damage and fault that their scenarios use.
//!
//! A package manager that isn't installed is skipped with a word on stderr.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that can't go on should stop; a skipped one should say so"
)]

use regreen_lab::damage::{CacheDamage, LockfileDamage as D};
use regreen_lab::{Fault, Lab, LabError, Outage, PackageManager, PathGlob, Project, Script, Until};

struct Stage {
    lab: Lab,
    project: Project,
    folder: tempfile::TempDir,
}

impl Stage {
    fn set(manager: PackageManager) -> Option<Stage> {
        let folder = tempfile::tempdir().unwrap();
        let lab = Lab::start().unwrap();
        match Project::create(manager, folder.path(), &lab) {
            Err(missing @ LabError::Missing { .. }) => {
                eprintln!("skipped: {missing}");
                None
            }
            made => Some(Stage { lab, project: made.unwrap(), folder }),
        }
    }

    /// Whether it succeeded, and what it said, in one line: Composer breaks its own at 80 columns.
    fn run(&self, argv: &[&str]) -> (bool, String) {
        let output = self.project.run(argv).unwrap();
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).split_whitespace().collect::<Vec<_>>().join(" ");
        (output.status.success(), text)
    }

    #[track_caller]
    fn succeeds(&self, argv: &[&str]) {
        let (success, text) = self.run(argv);
        assert!(success, "{argv:?}: {text}");
    }

    #[track_caller]
    fn fails_saying(&self, argv: &[&str], words: &str) {
        let (success, text) = self.run(argv);
        assert!(!success && text.contains(words), "{argv:?} was to fail with {words:?}: {text}");
    }

    fn forget_all(&self) {
        self.project.remove_installed().unwrap();
        let _ = std::fs::remove_dir_all(self.project.cache());
        let _ = std::fs::remove_dir_all(self.folder.path().join("build-cache"));
    }
}

/// What the lab writes is what the tool writes; it installs, its test passes, and git sees no trace of it.
fn is_sound(manager: PackageManager, resolve: &[&str]) {
    let Some(stage) = Stage::set(manager) else { return };
    let written = std::fs::read_to_string(stage.project.lockfile()).unwrap();
    stage.succeeds(stage.project.install_argv());
    stage.succeeds(stage.project.test_argv());
    assert_eq!(stage.project.uncommitted().unwrap(), "");
    assert!(!stage.lab.requests().is_empty(), "the packages came from the lab");
    std::fs::remove_file(stage.project.lockfile()).unwrap();
    stage.succeeds(resolve);
    let resolved = std::fs::read_to_string(stage.project.lockfile()).unwrap();
    assert_eq!(plain(&resolved), plain(&written));
}

/// Without what differs between versions of Composer: that of its plugins, and how it writes that there is nothing.
fn plain(lockfile: &str) -> String {
    let lines = lockfile.lines().filter(|line| !line.contains("\"plugin-api-version\": "));
    lines.map(|line| line.replace("{}", "[]") + "\n").collect()
}

fn fails_as_recorded(manager: PackageManager, faults: &[(Fault, &str)], down: &str) {
    let Some(stage) = Stage::set(manager) else { return };
    for (fault, words) in faults {
        stage.forget_all();
        stage.lab.set_script(Script::fault(manager.downloads(), *fault, Until::Forever));
        stage.fails_saying(stage.project.install_argv(), words);
    }
    stage.forget_all();
    stage.lab.set_script(Script::fault(PathGlob::ANY, Fault::Tampered, Until::Forever));
    stage.fails_saying(stage.project.install_argv(), "checksum");
    stage.forget_all();
    stage.lab.set_script(Script::down(Outage::Forever));
    stage.fails_saying(stage.project.install_argv(), down);
    stage.lab.set_script(Script::sound());
    stage.succeeds(stage.project.install_argv());
}

fn is_damaged_as_recorded(manager: PackageManager, argv: &[&str], damages: &[(D, Option<&str>)]) {
    let Some(stage) = Stage::set(manager) else { return };
    stage.project.git(&["tag", "good"]).unwrap();
    for (damage, words) in damages {
        damage.apply(&stage.project).unwrap();
        stage.forget_all();
        match words {
            Some(words) => stage.fails_saying(argv, words),
            None => stage.succeeds(argv),
        }
        stage.project.git(&["reset", "--quiet", "--hard", "good"]).unwrap();
    }
}

const BUSY: Fault = Fault::Status { code: 503, retry_after: None };
const LIMITED: Fault = Fault::Status { code: 429, retry_after: Some(1) };

#[test]
fn composer_is_sound() {
    is_sound(PackageManager::Composer, &["composer", "update", "--no-interaction", "--no-install"]);
}

#[test]
fn composer_fails_as_recorded() {
    let differs = "The checksum verification of the file failed";
    let faults = [
        (Fault::Reset, "curl error 56"),
        (Fault::FlipBody, differs),
        (Fault::Tampered, differs),
        (LIMITED, "429 Too Many Requests"),
    ];
    fails_as_recorded(PackageManager::Composer, &faults, "curl error 7");
}

#[test]
fn composer_lockfiles_are_damaged_as_recorded() {
    let unreadable = Some("does not contain valid JSON");
    let damages = [
        (D::Garbage, unreadable),
        (D::Truncated, unreadable),
        (D::Empty, unreadable),
        (D::ConflictMarkers, unreadable),
        (D::WrongChecksum, Some("The checksum verification of the file failed")),
        (D::EntryMissing, Some("Your lock file does not contain a compatible set of packages")),
        (D::Drift, Some("is not present in the lock file")),
    ];
    is_damaged_as_recorded(PackageManager::Composer, &["composer", "install", "--no-interaction"], &damages);
}

#[test]
fn go_is_sound() {
    is_sound(PackageManager::Go, &["go", "mod", "tidy"]);
}

#[test]
fn go_fails_as_recorded() {
    let faults = [
        (Fault::Reset, "read: connection reset by peer"),
        (Fault::Close, "EOF"),
        (Fault::ResetBody, "read: connection reset by peer"),
        (Fault::TruncateBody, "unexpected EOF"),
        (Fault::FlipBody, "zip: checksum error"),
        (Fault::Tampered, "checksum mismatch"),
        (BUSY, "503 Service Unavailable"),
        (LIMITED, "429 Too Many Requests"),
    ];
    fails_as_recorded(PackageManager::Go, &faults, "connect: connection refused");
}

#[test]
fn go_sums_are_damaged_as_recorded() {
    let differs = Some("checksum mismatch");
    // Go leaves out the lines of a go.sum that it can't read, and adds what is missing.
    let damages = [
        (D::Truncated, differs),
        (D::ConflictMarkers, None),
        (D::WrongChecksum, differs),
        (D::TamperedChecksum, differs),
    ];
    is_damaged_as_recorded(PackageManager::Go, &["go", "mod", "download"], &damages);
    let missing = Some("missing go.sum entry");
    is_damaged_as_recorded(PackageManager::Go, &["go", "build", "./..."], &[(D::EntryMissing, missing)]);
}

#[test]
fn bundler_is_sound() {
    // In a deployment it would write no lockfile.
    is_sound(PackageManager::Bundler, &["env", "BUNDLE_DEPLOYMENT=false", "bundle", "lock"]);
}

#[test]
fn bundler_fails_as_recorded() {
    let Some(stage) = Stage::set(PackageManager::Bundler) else { return };
    let argv = stage.project.install_argv();
    let differs = "does not match the checksum given by the server";
    for (fault, words, stays) in [
        (Fault::Reset, "<too many connection resets", false),
        (Fault::ResetBody, "<too many connection resets", false),
        (BUSY, "<bad response Service Unavailable 503", false),
        (LIMITED, "<bad response Too Many Requests 429", false),
        // What it has downloaded it takes again, whatever it is.
        (Fault::TruncateBody, differs, true),
        (Fault::FlipBody, differs, true),
        (Fault::Tampered, differs, true),
    ] {
        stage.forget_all();
        stage.lab.set_script(Script::fault(stage.project.manager().downloads(), fault, Until::Forever));
        stage.fails_saying(argv, words);
        stage.lab.set_script(Script::sound());
        match stays {
            true => stage.fails_saying(argv, differs),
            false => stage.succeeds(argv),
        }
    }
    // Where the index is tampered with as well, nothing tells: this lockfile holds no checksums.
    stage.forget_all();
    stage.lab.set_script(Script::fault(PathGlob::ANY, Fault::Tampered, Until::Forever));
    stage.succeeds(argv);
    stage.forget_all();
    stage.lab.set_script(Script::down(Outage::Forever));
    stage.fails_saying(argv, "Errno::ECONNREFUSED");
}

#[test]
fn bundler_lockfiles_are_damaged_as_recorded() {
    let unreadable = Some("Your bundle only supports platforms []");
    let damages = [
        (D::Garbage, unreadable),
        (D::Truncated, unreadable),
        (D::Empty, unreadable),
        (D::ConflictMarkers, Some("Your Gemfile.lock contains merge conflicts")),
        (D::EntryMissing, Some("The lockfile does not have all gems needed")),
        (D::Drift, Some("The dependencies in your gemfile changed")),
    ];
    is_damaged_as_recorded(PackageManager::Bundler, &["bundle", "install"], &damages);
}

#[test]
fn bundler_caches_are_damaged_as_recorded() {
    let Some(stage) = Stage::set(PackageManager::Bundler) else { return };
    for (damage, words) in [
        (CacheDamage::Flipped, "does not match the checksum given by the server"),
        (CacheDamage::Truncated, "does not match the checksum given by the server"),
        (CacheDamage::IsFolder, "Errno::EISDIR"),
    ] {
        stage.forget_all();
        stage.project.warm_cache().unwrap();
        damage.apply(&stage.project).unwrap();
        stage.fails_saying(stage.project.install_argv(), words);
        stage.fails_saying(stage.project.install_argv(), words);
    }
}

#[test]
fn bun_is_sound() {
    let Some(stage) = Stage::set(PackageManager::Bun) else { return };
    let written = std::fs::read_to_string(stage.project.lockfile()).unwrap();
    stage.succeeds(stage.project.install_argv());
    stage.succeeds(stage.project.test_argv());
    assert_eq!(stage.project.uncommitted().unwrap(), "");
    std::fs::remove_file(stage.project.lockfile()).unwrap();
    stage.succeeds(&["bun", "install", "--lockfile-only"]);
    // Of a registry that is not the public one it writes the addresses.
    let registry = stage.lab.registry_url(PackageManager::Bun);
    let resolved = std::fs::read_to_string(stage.project.lockfile()).unwrap();
    let words = resolved.split('"').map(|word| if word.starts_with(&registry) { "" } else { word });
    assert_eq!(words.collect::<Vec<_>>().join("\""), written);
}

#[test]
fn bun_fails_as_recorded() {
    let Some(stage) = Stage::set(PackageManager::Bun) else { return };
    let argv = stage.project.install_argv();
    let differs = "error: Integrity check failed for tarball: regreen-lab-";
    for (fault, words) in [
        (Fault::Reset, "error: ConnectionClosed downloading tarball"),
        (Fault::TruncateBody, "error: ConnectionClosed downloading tarball"),
        (Fault::FlipBody, differs),
        (Fault::Tampered, differs),
        (BUSY, ".tgz - 503"),
        (LIMITED, ".tgz - 429"),
    ] {
        stage.forget_all();
        stage.lab.set_script(Script::fault(stage.project.manager().downloads(), fault, Until::Forever));
        stage.fails_saying(argv, words);
    }
    stage.lab.set_script(Script::down(Outage::Forever));
    stage.fails_saying(argv, "error: ConnectionRefused downloading tarball");
    stage.lab.set_script(Script::sound());
    stage.succeeds(argv);
}

#[test]
fn bun_lockfiles_are_damaged_as_recorded() {
    let unreadable = Some("failed to parse lockfile: 'bun.lock'");
    let damages = [
        (D::Garbage, unreadable),
        (D::Truncated, unreadable),
        (D::Empty, unreadable),
        (D::ConflictMarkers, unreadable),
        (D::EntryMissing, unreadable),
        (D::WrongChecksum, Some("Integrity check failed")),
        (D::TamperedChecksum, Some("Integrity check failed")),
        (D::Drift, Some("lockfile had changes, but lockfile is frozen")),
    ];
    is_damaged_as_recorded(
        PackageManager::Bun,
        &["bun", "install", "--frozen-lockfile", "--ignore-scripts"],
        &damages,
    );
}
