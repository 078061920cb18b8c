//! No CI's words at all: the command's output as it is.

use super::{Dialect, Mark};

pub(super) struct Plain;

impl Dialect for Plain {
    fn fits(&self, _sample: &[u8]) -> bool {
        true
    }

    fn prefix(&self, _line: &[u8]) -> usize {
        0
    }

    fn mark_literals(&self) -> Option<&'static [&'static str]> {
        Some(&[])
    }

    fn mark(&self, _line: &[u8]) -> Mark {
        Mark::None
    }

    fn marks_failures(&self) -> bool {
        false
    }
}
