//! `kill -9` in the middle of `regreen cache repair`: the next run, or `resume`, finds a sound state, and nothing is lost.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    thread::sleep,
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};

use crate::{said::Bare, support::stage::said};

/// Entries of the cache; every second one is damaged.
const ENTRIES: usize = 1200;
const DAMAGED: usize = ENTRIES / 2;
const PATIENCE: Duration = Duration::from_secs(120);

/// When it is killed, by what was moved aside.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// So many entries are aside.
    Moved(usize),
    /// So many were aside, and fewer are: they are being deleted, or put back.
    Leaving(usize),
}

/// Go's build cache: it needs no registry, so nothing but Regreen is at work.
fn cache(bare: &Bare) -> PathBuf {
    let root = bare.base().join("home/.cache/go-build");
    for n in 0..ENTRIES {
        let bytes = format!("object {n}");
        let digest: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        let shelf = root.join(&digest[..2]);
        fs::create_dir_all(&shelf).unwrap();
        let bytes = if n % 2 == 0 { bytes } else { format!("damaged {n}") };
        fs::write(shelf.join(format!("{digest}-d")), bytes).unwrap();
    }
    root
}

fn entries(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let shelves = fs::read_dir(root).unwrap().flatten().filter(|f| f.file_name() != ".regreen-quarantine");
    let files = shelves.flat_map(|shelf| fs::read_dir(shelf.path()).unwrap().flatten());
    files.map(|file| (file.path(), fs::read(file.path()).unwrap())).collect()
}

/// What is aside now.
fn aside(root: &Path) -> usize {
    let rooms = fs::read_dir(root.join(".regreen-quarantine")).into_iter().flatten().flatten();
    rooms.map(|room| fs::read_dir(room.path()).map_or(0, Iterator::count)).sum()
}

fn kill_at(bare: &Bare, root: &Path, moment: Moment) {
    let mut command = bare.command(&["cache", "repair", "go-build"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let (until, mut most) = (Instant::now() + PATIENCE, 0);
    while child.try_wait().unwrap().is_none() {
        let now = aside(root);
        most = most.max(now);
        let come = match moment {
            Moment::Moved(n) => now >= n && root.join(".regreen-quarantine").exists(),
            Moment::Leaving(n) => most >= n && now < most,
        };
        if come {
            break;
        }
        assert!(Instant::now() < until, "{moment:?} never came");
        sleep(Duration::from_micros(50));
    }
    // No error where it has ended by itself: that is looked at all the same.
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_killed_repair_of_a_cache_loses_nothing() {
    let moments = [
        (Moment::Moved(0), "resume"),
        (Moment::Moved(1), "repair"),
        (Moment::Moved(DAMAGED / 3), "resume"),
        (Moment::Moved(DAMAGED - 1), "repair"),
        (Moment::Moved(DAMAGED), "resume"),
        (Moment::Leaving(DAMAGED), "resume"),
        (Moment::Leaving(DAMAGED), "repair"),
    ];
    for (moment, next) in moments {
        let bare = Bare::new();
        let root = cache(&bare);
        let before = entries(&root);
        let is_damaged = |bytes: &[u8]| bytes.starts_with(b"damaged");
        kill_at(&bare, &root, moment);

        let arguments: &[&str] =
            if next == "resume" { &["resume"] } else { &["cache", "repair", "go-build"] };
        let ended = said(&mut bare.command(arguments));
        assert_eq!(ended.code, 0, "{moment:?}: {}", ended.err);
        assert!(!root.join(".regreen-quarantine").exists(), "{moment:?}");
        let after = entries(&root);
        assert!(after.iter().all(|(path, bytes)| before.get(path) == Some(bytes)), "{moment:?}: changed");
        let lost: Vec<_> = before.iter().filter(|(path, _)| !after.contains_key(*path)).collect();
        assert!(lost.iter().all(|(_, bytes)| is_damaged(bytes)), "{moment:?}: a sound entry is gone");
        assert!([0, DAMAGED].contains(&lost.len()), "{moment:?}: {} of {DAMAGED} were taken out", lost.len());

        let (again, check) = (["cache", "repair", "go-build"], ["cache", "check", "go-build"]);
        assert_eq!(said(&mut bare.command(&again)).code, 0, "{moment:?}");
        assert_eq!(said(&mut bare.command(&check)).code, 0, "{moment:?}");
        assert_eq!(entries(&root).len(), ENTRIES - DAMAGED, "{moment:?}");
        let audit = said(&mut bare.command(&["audit", "verify"]));
        assert_eq!(audit.code, 0, "{moment:?}: {}", audit.err);
    }
}
