//! What happens beside the fleet, one line each on standard error: for journald, or whoever else collects it.

use std::{
    io::{self, Write as _},
    sync::Arc,
};

use regreen_mask::Masker;
use regreen_server::{Happening, Log};
use regreen_show::harmless::harmless;

/// Writes lines, masked and harmless wherever they are shown.
pub(super) struct Lines {
    masker: Arc<Masker>,
}

impl Lines {
    pub(super) fn new(masker: Arc<Masker>) -> Lines {
        Lines { masker }
    }
}

impl Log for Lines {
    fn tell(&self, happening: &Happening) {
        let at = jiff::Timestamp::now();
        let line = harmless(&self.masker.mask(&happening.line()));
        // A closed standard error is no reason to fail.
        let _closed = writeln!(io::stderr().lock(), "{at:.3} {line}");
    }
}
