//! What `cache …` says. Paths and addresses in it are masked and harmless.

pub mod json;
pub mod plain;

use std::{path::PathBuf, sync::Arc, time::Duration};

use regreen_engine::CacheRepaired;
use regreen_mask::Masker;
use regreen_show::harmless::harmless;
use regreen_tools::{
    Cache, CacheScan,
    cache::{Origin, Stats},
};

/// A cache that was checked.
pub struct Checked {
    /// Which.
    pub cache: &'static dyn Cache,
    /// Where.
    pub root: PathBuf,
    /// What was found.
    pub scan: CacheScan,
    /// What its damaged entries hold, in their order.
    pub origins: Vec<Option<Origin>>,
    /// How long that took.
    pub took: Duration,
    /// Takes secrets out.
    pub masker: Arc<Masker>,
}

/// A cache that was to be repaired.
pub struct Repaired {
    /// As it was before.
    pub checked: Checked,
    /// What came of it; `None` where nothing was damaged.
    pub repaired: Option<CacheRepaired>,
}

/// A cache that was counted.
pub struct Counted {
    /// Which.
    pub cache: &'static dyn Cache,
    /// Where.
    pub root: PathBuf,
    /// Its figures.
    pub stats: Stats,
    /// Takes secrets out.
    pub masker: Arc<Masker>,
}

impl Checked {
    fn say(&self, text: &str) -> String {
        harmless(&self.masker.mask(text))
    }

    /// What the damaged entry with this number holds.
    fn origin(&self, number: usize) -> Option<String> {
        Some(self.say(&self.origins.get(number)?.as_ref()?.name))
    }
}

/// Bytes for people, in powers of ten as disks are sold.
pub fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    for unit in ["kB", "MB", "GB"] {
        value /= 1e3;
        if value < 999.95 {
            return format!("{value:.1} {unit}");
        }
    }
    format!("{:.1} TB", value / 1e3)
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_short() {
        for (bytes, want) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (999_960, "1.0 MB"),
            (190_800_000, "190.8 MB"),
            (1_500_000_000, "1.5 GB"),
            (2_500_000_000_000, "2.5 TB"),
        ] {
            assert_eq!(size(bytes), want);
        }
    }
}
