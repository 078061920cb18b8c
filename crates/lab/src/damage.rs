//! Damage to a project's files, the way it happens in the field: interrupted writes, bad merges, restored caches.
//!
//! Each kind says what the real tools make of it; the lab's tests hold them to it.

mod cache;
mod lockfile;

pub use cache::CacheDamage;
pub use lockfile::LockfileDamage;

/// The package whose entry or artefact is damaged, where one must be chosen.
pub(crate) const VICTIM: &str = "regreen-lab-alpha";
