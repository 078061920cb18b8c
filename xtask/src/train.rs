//! `cargo xtask train --corpus DIR`: learns the weights of detection and writes `catalog/weights.bin`.
//!
//! From the open corpus without its check set, and from the catalogue's own examples. The same inputs give the same
//! bytes: one thread, a fixed order, weights rounded to a byte. What depends on another part's output is learned from
//! rows that were held out from that part, grouped by repository. With `--folds DIR`, the whole is also learned once
//! for each of five folds without that fold, for `regreen bench accuracy --folds DIR`.

mod parts;
mod sample;
mod whole;

use std::{fs, path::PathBuf};

use regreen_bench::FOLDS;

use crate::{print, top};
use sample::samples;
use whole::{Parts, learn};

/// Learns and writes.
pub fn train(args: &[&str]) -> Result<String, String> {
    let value = |name| args.iter().position(|a| *a == name).and_then(|i| args.get(i + 1)).map(PathBuf::from);
    let corpus = value("--corpus").ok_or("usage: cargo xtask train --corpus DIR [--folds DIR]")?;
    let catalog = regreen_builtin::catalog().map_err(|e| e.to_string())?;
    let samples = samples(&corpus, &catalog)?;
    let mut parts = Parts::default();
    if let Some(folder) = value("--folds") {
        fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        for held_out in 0..FOLDS {
            let path = folder.join(format!("fold-{held_out}.bin"));
            fs::write(&path, learn(&catalog, &samples, Some(held_out), &mut parts).encode())
                .map_err(|e| format!("{}: {e}", path.display()))?;
            print(&format!("learned without fold {held_out}"));
        }
    }
    let model = learn(&catalog, &samples, None, &mut parts);
    let bytes = model.encode();
    let path = top().join("catalog/weights.bin");
    fs::write(&path, &bytes).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(format!(
        "learned from {} logs: {} bytes\nshared {:.2?}\ncalibration {:.2?}",
        samples.len(),
        bytes.len(),
        model.shared,
        model.calibration
    ))
}
