//! `regreen explain CODE`: what a class, pattern, playbook, refusal, probe or exit code means.

use regreen_domain::{FailureClass, InfraClass, Refusal};

use crate::{
    commands::print,
    context::catalog,
    exit::{FINE, Failed, MEANINGS, USAGE},
};

/// Explains it.
pub fn explain(code: &str) -> Result<u8, Failed> {
    let catalog = catalog()?;
    if let Ok(number) = code.parse::<u8>()
        && let Some((_, meaning)) = MEANINGS.iter().find(|(n, _)| *n == number)
    {
        return print(&format!("exit code {number}: {meaning}\n"));
    }
    if let Some(refusal) = Refusal::parse(code) {
        return print(&format!("{code}: {}\n", refusal.explain()));
    }
    if let Some(pattern) = catalog.pattern(code) {
        let (class, title, explain, fix) =
            (pattern.class, &pattern.title, pattern.explain.trim(), pattern.fix.trim());
        return print(&format!("{code} ({class}): {title}\n\n{explain}\n\nWhat to do: {fix}\n"));
    }
    if let Some(playbook) = catalog.playbook(code) {
        return print(&format!("{code}: {}\n\n{}\n", playbook.title, playbook.explain.trim()));
    }
    if let Some(class) = FailureClass::parse(code) {
        let what = match class {
            FailureClass::Infra(InfraClass::Healable(_)) => "infrastructure; a playbook may heal it",
            FailureClass::Infra(InfraClass::Advise(_)) => {
                "infrastructure; Regreen gives advice and changes nothing"
            }
            FailureClass::Code(_) => "the project's own; never healed",
            FailureClass::Unknown => "not diagnosed; never acted on",
        };
        return print(&format!("{code}: {what}\n"));
    }
    let known = catalog.patterns().iter().map(|p| p.id.as_str()).chain(Refusal::ALL.iter().map(|r| r.id()));
    let near: Vec<&str> = known.filter(|id| id.contains(code) || code.contains(*id)).take(5).collect();
    let failed = Failed::new(USAGE, format!("`{code}` is no class, pattern, playbook, reason or exit code"));
    Err(if near.is_empty() { failed } else { failed.help(format!("did you mean: {}", near.join(", "))) })
}

/// Lists the playbooks.
pub fn playbooks() -> Result<u8, Failed> {
    let catalog = catalog()?;
    let line = |p: &regreen_catalog::Playbook| format!("{:26} {:7} {}\n", p.id, p.guard.risk.id(), p.title);
    print(&catalog.playbooks().iter().map(line).collect::<String>())
}

/// Lists the patterns.
pub fn patterns() -> Result<u8, Failed> {
    let catalog = catalog()?;
    let line = |p: &regreen_catalog::Pattern| format!("{:34} {:24} {}\n", p.id, p.class.id(), p.title);
    print(&catalog.patterns().iter().map(line).collect::<String>()).map(|_| FINE)
}
