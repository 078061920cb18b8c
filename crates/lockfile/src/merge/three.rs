//! The rule of every three-way merge, for one value.

/// The same thing on all three sides; `None` where a side doesn't have it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Three<T> {
    pub(crate) base: Option<T>,
    pub(crate) ours: Option<T>,
    pub(crate) theirs: Option<T>,
}

/// Both sides changed it, differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clash;

/// What the merge has: what only one side changed is taken from that side.
pub(crate) fn pick<T: PartialEq>(three: Three<T>) -> Result<Option<T>, Clash> {
    let Three { base, ours, theirs } = three;
    if ours == theirs || base == theirs {
        Ok(ours)
    } else if base == ours {
        Ok(theirs)
    } else {
        Err(Clash)
    }
}

impl<T> Three<T> {
    /// The same question asked of each side that there is.
    pub(crate) fn map<U>(&self, ask: impl Fn(&T) -> Option<U>) -> Three<U> {
        Three {
            base: self.base.as_ref().and_then(&ask),
            ours: self.ours.as_ref().and_then(&ask),
            theirs: self.theirs.as_ref().and_then(&ask),
        }
    }
}

impl Three<String> {
    pub(crate) fn as_deref(&self) -> Three<&str> {
        Three { base: self.base.as_deref(), ours: self.ours.as_deref(), theirs: self.theirs.as_deref() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_side_changed_is_taken() {
        for (base, ours, theirs, want) in [
            (Some(1), Some(1), Some(2), Ok(Some(2))),
            (Some(1), Some(2), Some(1), Ok(Some(2))),
            (Some(1), Some(2), Some(2), Ok(Some(2))),
            (Some(1), None, Some(1), Ok(None)),
            (None, Some(2), None, Ok(Some(2))),
            (Some(1), Some(2), Some(3), Err(Clash)),
            (Some(1), None, Some(3), Err(Clash)),
            (None, Some(2), Some(3), Err(Clash)),
        ] {
            assert_eq!(pick(Three { base, ours, theirs }), want);
        }
    }
}
