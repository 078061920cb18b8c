//! The name of a failure: the same in another job or repository, whatever hosts, numbers and paths its lines hold.
//!
//! Only masked text is hashed. A name is stored and sent, and whoever has it could else find out by trying whether a
//! line held this or that secret.

use regreen_domain::{FailureClass, Fingerprint, PackageName};
use regreen_mask::Masker;
use sha2::{Digest, Sha256};

use crate::ranking::Ranked;
use crate::unknown::template;

/// Of a diagnosed failure: class, pattern, tool and the package, where the line names one.
pub(crate) fn of_root(class: FailureClass, (hit, pattern): Ranked<'_>, masker: &Masker) -> Fingerprint {
    let tool = pattern.tools.first().map_or("", |tool| tool.as_str());
    let package = hit.captures.get("package").and_then(PackageName::from_untrusted);
    let package = masker.mask(package.as_ref().map_or("", PackageName::as_str));
    digest(&[class.id(), &pattern.id, tool, &package])
}

/// Of a failure that only a probe saw.
pub(crate) fn of_finding(class: FailureClass, probe: &str, tool: &str) -> Fingerprint {
    digest(&[class.id(), probe, tool])
}

/// Of a failure that no pattern names: the template of its last words, or of the line that the model takes for the
/// cause. What the model makes of that line is not in it: another hash in the same words may sway it.
pub(crate) fn of_words(line: &str, masker: &Masker) -> Fingerprint {
    digest(&["words", &template(&masker.mask(line))])
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
