//! What steps add to the repeated command: a receipt's `overlay`, gathered by whoever starts something again.

use regreen_saga::Look;
use regreen_tools::Overlay;
use serde::{Deserialize, Serialize};

/// An overlay as a receipt holds it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Added {
    /// Environment to add.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) env: Vec<(String, String)>,
    /// Arguments to add.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) args: Vec<String>,
}

impl From<Overlay> for Added {
    fn from(overlay: Overlay) -> Self {
        Added { env: overlay.env, args: overlay.args }
    }
}

/// What earlier steps add to the repeated command, and to the check that follows it.
pub(crate) fn overlay(look: &Look) -> Overlay {
    let mut overlay = Overlay::default();
    for receipt in look.receipts.values() {
        let added = receipt.get("overlay").and_then(|added| serde_json::from_value(added.clone()).ok());
        if let Some(Added { env, args }) = added {
            overlay.env.extend(env);
            overlay.args.extend(args);
        }
    }
    overlay
}
