//! Pages: at most so many at once, and where the next one begins.

use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;

/// Most items of a page.
pub(super) const MOST: u32 = 200;
/// Items where nobody said how many.
const USUAL: u32 = 50;

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// The items, in order.
    pub(super) items: Vec<T>,
    /// For `after`, to see the page after this one; null where this is the last.
    pub(super) next: Option<String>,
}

impl<T> Page<T> {
    /// A page of at most `limit` items out of one more than that, if there are as many. `mark` says where an item is.
    pub(super) fn of<F>(
        mut found: Vec<F>,
        limit: u32,
        mark: impl Fn(&F) -> String,
        shape: impl Fn(F) -> T,
    ) -> Page<T> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(mark);
        Page { items: found.into_iter().map(shape).collect(), next }
    }
}

/// How many items a page has.
///
/// # Errors
/// Where it is none, or too many.
pub(super) fn limit(asked: Option<u32>) -> Result<u32, Problem> {
    match asked {
        None => Ok(USUAL),
        Some(limit @ 1..=MOST) => Ok(limit),
        Some(_) => Err(Problem::bad_request(format!("limit is 1 to {MOST}"))),
    }
}
