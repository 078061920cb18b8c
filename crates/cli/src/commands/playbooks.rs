//! `regreen playbooks list|show|rehearse|schema`.

use regreen_catalog::{Catalog, Playbook, playbook_schema};
use regreen_engine::{Rehearsed, rehearse};
use regreen_saga::rehearse::Depth;
use regreen_steps::kind_facts;

use crate::{
    args::{Format, Playbooks},
    context::{Context, runtime},
    custom::Known,
    exit::{FINE, Failed, INVALID, NOTHING_TO_READ, PROBLEMS},
    output::{
        known::{playbook_plain, playbooks_json, playbooks_plain},
        print::print,
        rehearsed,
    },
    own_playbooks, voice,
};

/// Lists, shows or rehearses.
pub fn playbooks(context: &Context, command: &Playbooks) -> Result<u8, Failed> {
    let Known { catalog, warnings } = own_playbooks::known_here(context)?;
    warnings.iter().for_each(|warning| voice::warning(context, warning));
    let code = answer(&catalog, command)?;
    Ok(if code == FINE && !warnings.is_empty() { INVALID } else { code })
}

fn answer(catalog: &Catalog, command: &Playbooks) -> Result<u8, Failed> {
    match command {
        Playbooks::List { format: Format::Plain } => print(&playbooks_plain(catalog.playbooks())),
        Playbooks::List { format: Format::Json } => print(&playbooks_json(catalog.playbooks())),
        Playbooks::Show { id, format } => {
            let playbook = find(catalog, id)?;
            print(&match format {
                Format::Plain => playbook_plain(playbook),
                Format::Json => playbooks_json([playbook]),
            })
        }
        Playbooks::Schema => {
            let kinds: Vec<&str> = kind_facts().iter().map(|facts| facts.kind).collect();
            let probes: Vec<&str> = catalog.probes().iter().map(|probe| probe.id.as_str()).collect();
            print(&format!("{:#}\n", playbook_schema(&kinds, &probes)))
        }
        Playbooks::Rehearse { ids, full, format } => {
            let chosen: Vec<&Playbook> = match ids.as_slice() {
                [] => catalog.playbooks().iter().collect(),
                ids => ids.iter().map(|id| find(catalog, id)).collect::<Result<_, _>>()?,
            };
            let depth = if *full { Depth::Full } else { Depth::Quick };
            let all: Vec<Rehearsed> = runtime()?.block_on(async {
                let mut all = Vec::new();
                for playbook in chosen {
                    all.extend(rehearse(catalog, playbook, depth).await?);
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
