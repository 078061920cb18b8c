//! State that another machine exported.

use std::cell::RefCell;
use std::sync::Arc;

use regreen_ledger::{AsIs, Ledger};

use super::bytes;
use crate::Target;

pub(super) const TARGET: Target = Target {
    name: "import",
    law: "a file that does not add up changes nothing; the audit chain holds, whatever was tried",
    run,
    seeds,
    words: &[
        "{\"regreen_state\":{\"version\":1}}\n",
        "{\"audit\":{",
        "{\"row\":{",
        "{\"end\":{\"lines\":0}}\n",
        "\"seq\":",
        "\"hash\":",
        "\"prev\":",
        "null",
        "\"at\":",
        "{}",
        "[]",
        "\\u0000",
        "\n",
        "9223372036854775807",
        "-1",
    ],
    share: 8,
};

struct Stage {
    runtime: tokio::runtime::Runtime,
    ledger: Ledger,
    _folder: tempfile::TempDir,
}

thread_local! {
    static STAGE: RefCell<Option<Stage>> = const { RefCell::new(None) };
}

fn stage() -> Option<Stage> {
    let folder = tempfile::tempdir().ok()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let path = folder.path().join("ledger.db");
    let ledger = runtime.block_on(Ledger::open(&path, Arc::new(AsIs))).ok()?;
    Some(Stage { runtime, ledger, _folder: folder })
}

/// A ledger with something in it, exported.
fn seeds() -> Vec<Vec<u8>> {
    let Some(stage) = stage() else { return vec![bytes("{}")] };
    stage.runtime.block_on(async {
        let mut all = Vec::new();
        for n in 0..3_i64 {
            let _paused = stage.ledger.pause(&format!("scope-{n}"), "somebody", "a reason", 1_000 + n).await;
            let mut out: Vec<u8> = Vec::new();
            let _exported = stage.ledger.export(&mut out).await;
            all.push(out);
        }
        all
    })
}

fn run(input: &[u8]) {
    STAGE.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = stage();
        }
        let Some(Stage { runtime, ledger, .. }) = slot else { panic!("no ledger could be opened") };
        runtime.block_on(async {
            let before = ledger.audit_head().await.ok();
            let done = ledger.import(&mut &*input, 1_000_000).await;
            if done.is_err() {
                assert_eq!(before, ledger.audit_head().await.ok(), "{done:?}");
            }
            let report = ledger.audit_verify(None).await;
            assert!(report.is_ok_and(|report| report.is_sound()), "{done:?}");
        });
    });
}
