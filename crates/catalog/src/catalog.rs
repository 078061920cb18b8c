//! The whole catalogue: every file parsed, and what they say of each other checked.

use std::collections::BTreeSet;

use regreen_domain::Counts;
use serde::{Deserialize, Serialize};

use crate::playbook::inline::inline;
use crate::source::Source;
use crate::{Banner, CatalogError, Later, Pattern, Playbook, Probe};

/// Patterns, banners, playbooks and what was measured of probes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub struct Catalog {
    pub(crate) patterns: Vec<Pattern>,
    banners: Vec<Banner>,
    pub(crate) playbooks: Later<Vec<Playbook>>,
    probes: Later<Vec<Probe>>,
}

impl Catalog {
    /// A catalogue from files: (path below the catalogue's root, text). `patterns/<class>/<id>.toml`,
    /// `banners/<id>.toml`, `playbooks/<id>.toml`, `probes.toml`.
    ///
    /// # Errors
    /// The first file that is invalid, with the place in it.
    pub fn load<'t>(files: impl IntoIterator<Item = (&'t str, &'t str)>) -> Result<Catalog, CatalogError> {
        let mut catalog = Catalog::default();
        let (mut playbooks, mut probes) = (Vec::new(), Vec::new());
        for (file, text) in files {
            let source = Source { file, text };
            match file.split('/').collect::<Vec<_>>()[..] {
                ["patterns", _, _] => catalog.patterns.push(Pattern::parse(source)?),
                ["banners", _] => catalog.banners.push(Banner::parse(source)?),
                ["playbooks", _] => playbooks.push(Playbook::parse(source)?),
                ["probes.toml"] => probes.extend(Probe::parse_all(source)?),
                _ => {
                    let help = "use patterns/<class>/<id>.toml, banners/<id>.toml, playbooks/<id>.toml or probes.toml";
                    return Err(CatalogError::whole(file, "no file of a catalogue has this path", help));
                }
            }
        }
        inline(&mut playbooks)?;
        (catalog.playbooks, catalog.probes) = (playbooks.into(), probes.into());
        catalog.check_names()?;
        Ok(catalog)
    }

    /// This catalogue with one more pattern file of the program's own; a pattern with the same id makes room for it.
    ///
    /// # Errors
    /// Where the file is invalid, with the place in it. A folder that is named after a class must be its class.
    pub fn with_pattern(&self, file: &str, text: &str) -> Result<Catalog, CatalogError> {
        let pattern = Pattern::parse_anywhere(Source { file, text })?;
        let mut catalog = self.clone();
        match catalog.patterns.iter_mut().find(|known| known.id == pattern.id) {
            Some(known) => *known = pattern,
            None => catalog.patterns.push(pattern),
        }
        catalog.check_names()?;
        Ok(catalog)
    }

    /// Every pattern, in the order of the files.
    pub fn patterns(&self) -> &[Pattern] {
        &self.patterns
    }

    /// The pattern with this id.
    pub fn pattern(&self, id: &str) -> Option<&Pattern> {
        self.patterns.iter().find(|pattern| pattern.id == id)
    }

    /// Every banner.
    pub fn banners(&self) -> &[Banner] {
        &self.banners
    }

    /// Every playbook.
    pub fn playbooks(&self) -> &[Playbook] {
        &self.playbooks
    }

    /// The playbook with this id.
    pub fn playbook(&self, id: &str) -> Option<&Playbook> {
        self.playbooks.iter().find(|playbook| playbook.id == id)
    }

    /// Every probe of which the catalogue knows.
    pub fn probes(&self) -> &[Probe] {
        &self.probes
    }

    /// What was measured of this probe; zero where nothing was.
    pub fn probe(&self, id: &str) -> Counts {
        self.probes
            .iter()
            .find(|probe| probe.id == id)
            .map_or(Counts::default(), |probe| probe.measured.counts())
    }

    /// Ids are unique over all folders, and what a pattern explains exists.
    pub(crate) fn check_names(&self) -> Result<(), CatalogError> {
        let mut seen = BTreeSet::new();
        let patterns =
            self.patterns.iter().map(|p| (p.id.as_str(), format!("patterns/{}/{}.toml", p.class, p.id)));
        let banners = self.banners.iter().map(|b| (b.id.as_str(), format!("banners/{}.toml", b.id)));
        let playbooks = self.playbooks.iter().map(|p| (p.id.as_str(), format!("playbooks/{}.toml", p.id)));
        for (id, file) in patterns.chain(banners).chain(playbooks) {
            if !seen.insert(id) {
                return Err(CatalogError::whole(
                    &file,
                    format!("the id `{id}` is taken"),
                    "choose another id",
                ));
            }
        }
        for pattern in &self.patterns {
            if let Some(stranger) = pattern.explains.iter().find(|id| self.pattern(id).is_none()) {
                let file = format!("patterns/{}/{}.toml", pattern.class, pattern.id);
                return Err(CatalogError::whole(
                    &file,
                    format!("it explains `{stranger}`, which is no pattern"),
                    "name the id of a pattern",
                ));
            }
        }
        Ok(())
    }
}
