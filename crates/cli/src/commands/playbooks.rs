//! `regreen playbooks list|show`.

use crate::{
    args::{Format, Playbooks},
    context::catalog,
    exit::{Failed, NOTHING_TO_READ},
    output::{
        known::{playbook_plain, playbooks_json, playbooks_plain},
        print::print,
    },
};

/// Lists or shows.
pub fn playbooks(command: &Playbooks) -> Result<u8, Failed> {
    let catalog = catalog()?;
    print(&match command {
        Playbooks::List { format: Format::Plain } => playbooks_plain(catalog.playbooks()),
        Playbooks::List { format: Format::Json } => playbooks_json(catalog.playbooks()),
        Playbooks::Show { id, format } => {
            let playbook = catalog.playbook(id).ok_or_else(|| {
                Failed::new(NOTHING_TO_READ, format!("there is no playbook `{id}`"))
                    .help("`regreen playbooks list` shows what there is")
            })?;
            match format {
                Format::Plain => playbook_plain(playbook),
                Format::Json => playbooks_json([playbook]),
            }
        }
    })
}
