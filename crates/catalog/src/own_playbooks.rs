//! An operator's own playbooks: the same format and the same checks, before the built-in ones. What is wrong with one
//! never takes the others down: it is named and left out.

use crate::source::Source;
use crate::{Catalog, CatalogError, LARGEST_CUSTOM_FILE, PatternSource, Playbook, playbook::inline::inline};

/// A catalogue with an operator's playbooks.
#[derive(Debug)]
pub struct WithOwn {
    /// Built-in and operator's.
    pub catalog: Catalog,
    /// What was left out, and why.
    pub refused: Vec<CatalogError>,
}

impl Catalog {
    /// This catalogue with the operator's playbooks, (file name, text), before its own. `check` is asked last about each.
    pub fn with_own_playbooks(
        &self,
        files: &[(String, String)],
        check: &dyn Fn(&Catalog, &Playbook) -> Result<(), String>,
    ) -> WithOwn {
        let mut refused = Vec::new();
        let mut own: Vec<(String, Playbook)> = Vec::new();
        for (file, text) in files {
            let taken = |id: &str| {
                self.playbook(id).is_some()
                    || self.pattern(id).is_some()
                    || own.iter().any(|(_, p)| p.id == id)
            };
            let large = text.len() > LARGEST_CUSTOM_FILE;
            let parsed = match large {
                true => Err(CatalogError::whole(file, "it is too large", "64 KiB is the most")),
                false => Playbook::parse(Source { file, text }),
            };
            match parsed {
                Ok(playbook) if taken(&playbook.id) => {
                    let what = format!("the id `{}` is taken", playbook.id);
                    refused.push(CatalogError::whole(file, what, "choose another id"));
                }
                Ok(playbook) => {
                    own.push((file.clone(), Playbook { source: PatternSource::Operator, ..playbook }));
                }
                Err(e) => refused.push(e),
            }
        }
        // One that is left out may be a part of another: until nothing more falls away.
        loop {
            let mut all: Vec<Playbook> = own.iter().map(|(_, p)| p.clone()).collect();
            all.extend(self.playbooks().iter().cloned());
            let wrong = match inline(&mut all) {
                Err(e) => Some((e.file.trim_start_matches("playbooks/").to_owned(), e.what, e.help)),
                Ok(()) => {
                    let mut catalog = self.clone();
                    catalog.playbooks = all.clone().into();
                    let checked =
                        all.iter().take(own.len()).find_map(|p| Some((p, check(&catalog, p).err()?)));
                    match checked {
                        None => return WithOwn { catalog, refused },
                        Some((p, why)) => {
                            let help = "the manual's page “How to write a playbook” says what an operator's playbook may do";
                            Some((format!("{}.toml", p.id), why, help.to_owned()))
                        }
                    }
                }
            };
            let Some((name, what, help)) = wrong else { continue };
            let at = own.iter().position(|(_, p)| format!("{}.toml", p.id) == name);
            let Some((file, _)) = at.map(|at| own.remove(at)) else {
                // A built-in one can't be wrong: its own load has checked it.
                refused.push(CatalogError::whole(&name, what, help));
                return WithOwn { catalog: self.clone(), refused };
            };
            refused.push(CatalogError::whole(&file, what, help));
        }
    }
}
