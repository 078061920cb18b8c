//! A neighbour's healing: another Regreen mended the very cache or workspace that this command stumbled over, after the
//! command had begun. Then nothing is damaged any more, and the command only has to run again.

use regreen_domain::{Finding, HealableClass, Standing, Tool};
use regreen_tools::probe::SHARED_REPAIR;

use crate::state::{State, repaired};

/// What a look for a neighbour's healing needs.
#[derive(Clone, Copy)]
pub(crate) struct Since<'a> {
    pub(crate) state: &'a State,
    /// When the command began, in milliseconds since 1970.
    pub(crate) began: i64,
}

impl Since<'_> {
    /// Confirms `class` where a repair of it was begun or verified at the place of `lock` since the command began. To be asked
    /// only where no damage is there any more.
    pub(crate) fn look(&self, lock: &std::path::Path, tool: Tool, class: HealableClass) -> Option<Finding> {
        let (at, what) = repaired(lock)?;
        let what_it_is = match class {
            HealableClass::CacheCorruption => "package cache",
            _ => "workspace",
        };
        (what == class && at >= self.began).then(|| Finding {
            probe: SHARED_REPAIR,
            tool,
            class: class.into(),
            standing: Standing::Confirms,
            subject: String::new(),
            says: format!("another regreen repaired this {what_it_is} after the command had begun"),
        })
    }
}
