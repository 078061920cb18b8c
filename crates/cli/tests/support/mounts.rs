//! Commands in a mount namespace of their own, where a folder can be read-only or a disk full, even for root.

use std::{path::Path, process::Command};

/// Wraps a command so that `script` (`$1`, `$2`, … are `paths`) is run first; what it mounts is seen by that command
/// alone.
///
/// `None` where this machine gives no mount namespace: a test then says that it was skipped.
pub fn within(command: &Command, script: &str, paths: &[&Path]) -> Option<Command> {
    let mut wrapped = unshare()?;
    let folder = command.get_current_dir().unwrap_or(Path::new("/"));
    // The folder is entered last: a mount may lie over it.
    let (at, shift) = (paths.len() + 1, paths.len() + 1);
    let script = format!("set -e\n{script}\ncd \"${{{at}}}\"\nshift {shift}\nexec \"$@\"\n");
    wrapped.args(["sh", "-c", &script, "mounts"]).args(paths).arg(folder);
    wrapped.arg(command.get_program()).args(command.get_args());
    wrapped.current_dir("/").env_clear().envs(command.get_envs().filter_map(|(k, v)| Some((k, v?))));
    Some(wrapped)
}

/// `unshare` with what it takes here: as root nothing, else a user namespace.
fn unshare() -> Option<Command> {
    let works = |arguments: &[&str]| {
        let mut tried = Command::new("unshare");
        tried.args(arguments).args(["mount", "-t", "tmpfs", "none", "/mnt"]);
        tried.output().is_ok_and(|output| output.status.success())
    };
    let arguments: &[&str] = [&["-m"][..], &["-rm"]].into_iter().find(|a| works(a))?;
    let mut command = Command::new("unshare");
    command.args(arguments);
    Some(command)
}
