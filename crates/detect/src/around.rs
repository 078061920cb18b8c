//! What stands around a line of a log, for a matcher's contexts.

use std::collections::BTreeMap;
use std::iter::successors;

use regreen_catalog::{Context, Side, Surroundings};
use regreen_logs::{Line, Log};

/// First and last line that hold a context's expression, by the expression's text.
pub(crate) type Sightings<'c> = BTreeMap<&'c str, (u64, u64)>;

/// The surroundings of one line.
pub(crate) struct Around<'s, 'b> {
    pub(crate) log: &'s Log<'b>,
    pub(crate) line: Line<'s>,
    pub(crate) sightings: &'s Sightings<'s>,
}

impl Surroundings for Around<'_, '_> {
    fn nearby(&mut self, context: &Context, within: u32) -> bool {
        let within = within as usize;
        let holds = |line: Line<'_>| context.line.is_match(line.text().as_str());
        let mut before =
            successors(self.log.line_before(&self.line), |line| self.log.line_before(line)).take(within);
        let mut after =
            successors(self.log.line_after(&self.line), |line| self.log.line_after(line)).take(within);
        (context.side != Side::After && before.any(holds))
            || (context.side != Side::Before && after.any(holds))
    }

    fn anywhere(&mut self, context: &Context) -> bool {
        let Some(&(first, last)) = self.sightings.get(context.line.as_str()) else { return false };
        match context.side {
            Side::Before => first < self.line.number,
            Side::After => last > self.line.number,
            Side::Around => first != self.line.number || last != self.line.number,
        }
    }
}
