//! The paths of an install tree, and how Node finds a package in it.

/// How far up Node's search is followed, and how long a path may be: real trees stay far below, and a
/// hostile one must not make the search more than linear.
const MAX_STEPS: usize = 64;
const MAX_PATH: usize = 2048;

/// Whether the path is a package below `node_modules`; else it is the project (`""`) or a folder of it.
pub(super) fn is_installed(path: &str) -> bool {
    folder_name(path).is_some()
}

/// What a package is called where it lies: the part after the last `node_modules/`.
pub(super) fn folder_name(path: &str) -> Option<&str> {
    let name = match path.rfind("/node_modules/") {
        Some(at) => &path[at + "/node_modules/".len()..],
        None => path.strip_prefix("node_modules/")?,
    };
    // A folder of a package (`node_modules/a/lib`) is no package; a scope's name holds one slash.
    let parts = name.split('/').count();
    (parts == 1 || parts == 2 && name.starts_with('@')).then_some(name)
}

/// The path of package `name` directly below `parent`.
pub(super) fn child(parent: &str, name: &str) -> String {
    if parent.is_empty() { format!("node_modules/{name}") } else { format!("{parent}/node_modules/{name}") }
}

/// Whether the search from this path can be followed to its end.
pub(super) fn is_resolvable(path: &str) -> bool {
    path.len() <= MAX_PATH
        && path.bytes().filter(|b| *b == b'/').count() < MAX_STEPS
        && !path.starts_with("..")
}

/// Where the package at `from` would load `name` from.
pub(super) fn resolve(from: &str, name: &str, exists: impl Fn(&str) -> bool) -> Option<String> {
    if !is_resolvable(from) {
        return None;
    }
    let mut folder = from;
    loop {
        let candidate = child(folder, name);
        if exists(&candidate) {
            return Some(candidate);
        }
        folder = parent(folder)?;
    }
}

/// The next folder up whose `node_modules` is searched.
fn parent(folder: &str) -> Option<&str> {
    if folder.is_empty() {
        return None;
    }
    if is_installed(folder) {
        return Some(folder.rfind("/node_modules/").map_or("", |at| &folder[..at]));
    }
    Some(folder.rfind('/').map_or("", |at| &folder[..at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_looks_upwards() {
        let there = ["node_modules/b", "node_modules/a/node_modules/c", "packages/api/node_modules/ms"];
        let exists = |p: &str| there.contains(&p);
        for (from, name, found) in [
            ("", "b", Some("node_modules/b")),
            ("", "c", None),
            ("node_modules/a", "c", Some("node_modules/a/node_modules/c")),
            ("node_modules/a/node_modules/c", "b", Some("node_modules/b")),
            ("node_modules/@s/x", "b", Some("node_modules/b")),
            ("packages/api", "ms", Some("packages/api/node_modules/ms")),
            ("packages/api/node_modules/ms", "b", Some("node_modules/b")),
            ("packages/web", "ms", None),
            ("../outside", "b", None),
        ] {
            assert_eq!(resolve(from, name, exists).as_deref(), found, "{name} from {from}");
        }
    }

    #[test]
    fn a_folder_has_its_package_name() {
        assert_eq!(folder_name("node_modules/a/node_modules/@s/b"), Some("@s/b"));
        assert_eq!(folder_name("packages/api"), None);
        assert_eq!(folder_name("node_modules/a/lib"), None);
    }
}
