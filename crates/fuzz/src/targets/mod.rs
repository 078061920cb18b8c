//! One file for each kind of door.

mod catalog;
mod diagnose;
mod hooks;
mod ledger;
mod lockfiles;
mod logs;
mod mask;
mod show;
mod weights;

use crate::Target;

pub(crate) fn all() -> Vec<Target> {
    let mut all = logs::targets().to_vec();
    all.extend(catalog::targets());
    all.extend([
        weights::TARGET,
        lockfiles::TARGET,
        mask::TARGET,
        show::TARGET,
        diagnose::TARGET,
        ledger::TARGET,
        hooks::TARGET,
    ]);
    all
}

/// A text as its bytes.
fn bytes(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}
