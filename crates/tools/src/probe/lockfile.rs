//! Is the lockfile whole, and does it agree with its manifest and with what the trusted history held?

use regreen_domain::{Finding, HealableClass::LockfileCorruption, Standing, Tool};
use regreen_lockfile::Agreement;

use super::finding;
use crate::locks::{LockLook, NoLook};

/// Looks at the lockfile; no network and no tool is used.
pub fn lockfile(tool: &Tool, look: &Result<LockLook, NoLook>) -> Vec<Finding> {
    let say = |probe, standing, subject: &str, says: String| {
        vec![finding(probe, tool.clone(), LockfileCorruption, standing, subject, says)]
    };
    let look = match look {
        Ok(look) => look,
        Err(NoLook::NoLockfile) => {
            return say("lockfile", Standing::CannotTell, "", "there is no lockfile".to_owned());
        }
        Err(NoLook::Unreadable(why)) => return say("lockfile", Standing::CannotTell, "", why.clone()),
    };
    let path = look.place.path.as_str();
    if let Some(damage) = look.damage() {
        let subject = format!("{path}:{}", damage.line());
        return say("lockfile", Standing::Confirms, &subject, format!("{path}, {damage}"));
    }
    let lock = match &look.parsed {
        Ok(lock) => lock,
        Err(unsupported) => return say("lockfile", Standing::CannotTell, path, unsupported.to_string()),
    };
    let odd = look.odd_checksums(lock);
    if let Some(odd) = odd.replaced.first() {
        let commit = odd.commit.get(..10).unwrap_or(&odd.commit);
        let says = format!(
            "{path}, line {}: the checksum of {}{} is not the one that commit {commit} held for the same version",
            odd.line,
            odd.key.name,
            odd.file.as_ref().map(|file| format!(" ({file})")).unwrap_or_default()
        );
        return say("lockfile", Standing::Confirms, &format!("{path}:{}", odd.line), says);
    }
    if let Some(unclear) = odd.unclear.first() {
        let subject = format!("{path}:{}", unclear.line);
        return say(
            "lockfile",
            Standing::CannotTell,
            &subject,
            format!("{path}, line {}: {unclear}", unclear.line),
        );
    }
    match look.agreement(lock) {
        Agreement::Drift(reasons) => {
            let says = format!("{path} no longer agrees with its manifest: {}", reasons.join("; "));
            say("manifest", Standing::Forbids, path, says)
        }
        Agreement::Agrees | Agreement::NotChecked(_) => {
            say("lockfile", Standing::Refutes, path, format!("{path} is whole"))
        }
    }
}
