//! Whose word counts. A repository's own patterns, and those accepted beside the fleet, may speak for code, as every pattern may; about infrastructure they
//! are heard only where nothing else says anything, and lead to advice.

use regreen_catalog::{Pattern, PatternSource};
use regreen_domain::Verdict;
use regreen_logs::Ending;

use crate::Scan;
use crate::ranking::{Ranked, Ranking, rank};

/// What is believed: of patterns that only name, those that speak for code.
pub(crate) fn ranking<'s>(hits: &[Ranked<'s>], scan: &Scan) -> Ranking<'s> {
    if succeeded(scan) {
        return Ranking::Nothing;
    }
    let believed: Vec<Ranked<'s>> = hits.iter().copied().filter(|(_, p)| !only_advises(p)).collect();
    rank(&believed, hung(scan))
}

/// The root that patterns of infrastructure which only name lead to, where what is believed says nothing.
pub(crate) fn advised<'s>(ranking: &Ranking<'s>, hits: &[Ranked<'s>], scan: &Scan) -> Option<Ranked<'s>> {
    if succeeded(scan) || !matches!(ranking, Ranking::Nothing) {
        return None;
    }
    match rank(hits, hung(scan)) {
        Ranking::Root(root) if only_advises(root.1) => Some(root),
        _ => None,
    }
}

/// The word about infrastructure of one that only names.
fn only_advises(pattern: &Pattern) -> bool {
    pattern.source.only_names() && pattern.class.verdict() == Verdict::Infrastructure
}

/// Somebody's own pattern for which nothing vouches: the model does not know of it.
pub(crate) fn is_unvouched(pattern: &Pattern) -> bool {
    pattern.source != PatternSource::BuiltIn && !pattern.is_vouched()
}

fn hung(scan: &Scan) -> bool {
    scan.exit.is_some_and(|exit| exit.hung())
}

/// Whether it is known that something failed.
pub(crate) fn failed_for_sure(scan: &Scan) -> bool {
    scan.exit.map_or(scan.ending == Ending::Failed, |exit| exit.failed())
}

/// Whether it is known that nothing failed.
pub(crate) fn succeeded(scan: &Scan) -> bool {
    scan.exit.map_or(scan.ending == Ending::Passed, |exit| !exit.failed())
}
