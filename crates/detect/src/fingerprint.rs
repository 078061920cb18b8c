//! The name of a failure: the same in another job or repository, whatever hosts, numbers and paths its lines hold.

use regreen_domain::{FailureClass, Fingerprint, PackageName};
use sha2::{Digest, Sha256};

use crate::ranking::Ranked;
use crate::unknown::{LastWords, template};

/// Of a diagnosed failure: class, pattern, tool and the package, where the line names one.
pub(crate) fn of_root(class: FailureClass, (hit, pattern): Ranked<'_>) -> Fingerprint {
    let tool = pattern.tools.first().map_or("", |tool| tool.as_str());
    let package = hit.captures.get("package").and_then(PackageName::from_untrusted);
    digest(&[class.id(), &pattern.id, tool, package.as_ref().map_or("", PackageName::as_str)])
}

/// Of a failure that only a probe saw.
pub(crate) fn of_finding(class: FailureClass, probe: &str, tool: &str) -> Fingerprint {
    digest(&[class.id(), probe, tool])
}

/// Of a failure that no pattern names: the template of its last words.
pub(crate) fn of_unknown(words: Option<&LastWords>) -> Fingerprint {
    digest(&[FailureClass::Unknown.id(), &words.map_or(String::new(), |words| template(&words.text))])
}

/// Of a failure that the model names: its class and the template of the line that it takes for the cause.
pub(crate) fn of_words(class: FailureClass, line: &str) -> Fingerprint {
    digest(&[class.id(), &template(line)])
}

fn digest(parts: &[&str]) -> Fingerprint {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let digest = hash.finalize();
    let mut first = [0u8; 8];
    first.copy_from_slice(&digest[..8]);
    Fingerprint::from_digest(first)
}
