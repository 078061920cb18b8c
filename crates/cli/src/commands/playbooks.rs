//! `regreen playbooks list|show|rehearse`.

use regreen_catalog::{Catalog, Playbook};
use regreen_engine::{Rehearsed, rehearse};
use regreen_saga::rehearse::Depth;

use crate::{
    args::{Format, Playbooks},
    context::{catalog, runtime},
    exit::{FINE, Failed, NOTHING_TO_READ, PROBLEMS},
    output::{
        known::{playbook_plain, playbooks_json, playbooks_plain},
        print::print,
        rehearsed,
    },
};

/// Lists, shows or rehearses.
pub fn playbooks(command: &Playbooks) -> Result<u8, Failed> {
    let catalog = catalog()?;
    match command {
        Playbooks::List { format: Format::Plain } => print(&playbooks_plain(catalog.playbooks())),
        Playbooks::List { format: Format::Json } => print(&playbooks_json(catalog.playbooks())),
        Playbooks::Show { id, format } => {
            let playbook = find(&catalog, id)?;
            print(&match format {
                Format::Plain => playbook_plain(playbook),
                Format::Json => playbooks_json([playbook]),
            })
        }
        Playbooks::Rehearse { ids, full, format } => {
            let chosen: Vec<&Playbook> = match ids.as_slice() {
                [] => catalog.playbooks().iter().collect(),
                ids => ids.iter().map(|id| find(&catalog, id)).collect::<Result<_, _>>()?,
            };
            let depth = if *full { Depth::Full } else { Depth::Quick };
            let all: Vec<Rehearsed> = runtime()?.block_on(async {
                let mut all = Vec::new();
                for playbook in chosen {
                    all.extend(rehearse(&catalog, playbook, depth).await?);
                }
                Ok::<_, Failed>(all)
            })?;
            print(&match format {
                Format::Plain => rehearsed::plain(&all),
                Format::Json => rehearsed::json(&all),
            })?;
            Ok(if all.iter().all(|one| one.problem.is_none()) { FINE } else { PROBLEMS })
        }
    }
}

fn find<'c>(catalog: &'c Catalog, id: &str) -> Result<&'c Playbook, Failed> {
    catalog.playbook(id).ok_or_else(|| {
        Failed::new(NOTHING_TO_READ, format!("there is no playbook `{id}`"))
            .help("`regreen playbooks list` shows what there is")
    })
}
