//! By what an incident would be decided today: everything that is known where it happened, as the engine knows it there.

use regreen_engine::{LiveCatalog, fleet_run_of};
use regreen_ledger::{Incident, Ledger};

use crate::{
    args::WhichPatterns,
    config,
    context::Context,
    custom::{self, Known},
    exit::Failed,
    own_playbooks,
};

/// Beside a fleet the operator's patterns and those that were accepted in its ledger; in a workspace the operator's and the
/// repository's own patterns, and the operator's playbooks.
///
/// # Errors
/// The operator's file; what a folder in the checkout may not bring; or the ledger's own.
pub async fn decided_by(
    context: &Context,
    which: &WhichPatterns,
    ledger: &Ledger,
    incident: &Incident,
) -> Result<Known, Failed> {
    let (given, config) = (which.own.patterns.as_deref(), which.config.as_deref());
    let workspace = context.workspace()?;
    if fleet_run_of(incident).is_some() {
        let Known { catalog, mut warnings } =
            custom::operators_beside_a_fleet(context, given, config, &workspace)?;
        let now = LiveCatalog::new(catalog).look(ledger).await?;
        warnings
            .extend(now.left_out.iter().map(|(_, why)| format!("this accepted pattern is left out: {why}")));
        return Ok(Known { catalog: now.catalog.clone(), warnings });
    }
    let folder = config::patterns_folder(context, given, config, &workspace)?;
    let Known { catalog, mut warnings } = custom::known(&workspace, folder.as_deref()).await?;
    let with_own = own_playbooks::with(context, config, &workspace, catalog)?;
    warnings.extend(with_own.warnings);
    Ok(Known { catalog: with_own.catalog, warnings })
}
