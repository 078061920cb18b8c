//! The workspace beats the log: what findings make of the class that a signature names.

use regreen_catalog::Pattern;
use regreen_domain::{FailureClass, Finding, HealableClass, InfraClass, Standing};

/// A signature's class in the light of the findings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settled<'f> {
    /// `None`: every class that the line can mean was looked for and is not there.
    pub(crate) class: Option<FailureClass>,
    /// The finding that confirms it.
    pub(crate) confirmed_by: Option<&'f Finding>,
    /// The finding that forbids healing it.
    pub(crate) forbidden_by: Option<&'f Finding>,
}

/// Weighs the findings. Order: what forbids, what confirms, what is left once the refuted is gone.
pub(crate) fn settle<'f>(pattern: &Pattern, findings: &'f [Finding]) -> Settled<'f> {
    let classes: Vec<FailureClass> =
        std::iter::once(pattern.class).chain(pattern.also.iter().copied()).collect();
    let about = |finding: &&Finding| {
        classes.contains(&finding.class)
            && (pattern.tools.is_empty() || pattern.tools.contains(&finding.tool))
    };
    let of =
        |standing: Standing| findings.iter().filter(about).find(move |finding| finding.standing == standing);
    if let Some(finding) = of(Standing::Forbids) {
        return Settled { class: Some(finding.class), confirmed_by: None, forbidden_by: Some(finding) };
    }
    // Of several that confirm, the pattern's own class first.
    let confirming = classes.iter().find_map(|class| {
        findings.iter().filter(about).find(|f| f.standing == Standing::Confirms && f.class == *class)
    });
    if let Some(finding) = confirming {
        return Settled { class: Some(finding.class), confirmed_by: Some(finding), forbidden_by: None };
    }
    let refuted = |class: &FailureClass| {
        let is_refuted = |f: &Finding| f.standing == Standing::Refutes && f.class == *class;
        lasting(*class) && findings.iter().filter(about).any(is_refuted)
    };
    Settled {
        class: classes.iter().copied().find(|class| !refuted(class)),
        confirmed_by: None,
        forbidden_by: None,
    }
}

/// Damage that is still there when a probe looks, so that not finding it refutes it. A network that works again
/// says nothing of a minute ago.
pub(crate) fn lasting(class: FailureClass) -> bool {
    use HealableClass::{CacheCorruption, LockfileCorruption};
    matches!(class, FailureClass::Infra(InfraClass::Healable(LockfileCorruption | CacheCorruption)))
}
