//! What is known beside the fleet at a moment: the catalogue that a node was started with, and the patterns that people have
//! accepted since, on whichever node.

use std::sync::{Arc, PoisonError, RwLock};

use regreen_catalog::{Catalog, CatalogError, PatternSource};
use regreen_detect::admit;
use regreen_ledger::{AcceptedPattern, Ledger, LedgerError};

/// The catalogue of a node, which follows what is accepted.
pub struct LiveCatalog {
    base: Arc<Catalog>,
    known: RwLock<Arc<Known>>,
    building: tokio::sync::Mutex<()>,
}

/// What is known at a moment.
#[derive(Debug)]
pub struct Known {
    /// With what was accepted.
    pub catalog: Catalog,
    /// Accepted patterns that are in it.
    pub accepted: Vec<AcceptedPattern>,
    /// Accepted patterns that no longer prove themselves here, and why: a later version may know better.
    pub left_out: Vec<(AcceptedPattern, CatalogError)>,
    edition: Vec<String>,
}

impl LiveCatalog {
    /// Of a node that is started with this catalogue.
    pub fn new(base: Catalog) -> Arc<LiveCatalog> {
        let known =
            Known { catalog: base.clone(), accepted: Vec::new(), left_out: Vec::new(), edition: Vec::new() };
        let (base, known) = (Arc::new(base), RwLock::new(Arc::new(known)));
        Arc::new(LiveCatalog { base, known, building: tokio::sync::Mutex::default() })
    }

    /// What was known at the last look.
    pub fn known(&self) -> Arc<Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is known now.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn look(&self, ledger: &Ledger) -> Result<Arc<Known>, LedgerError> {
        if ledger.accepted_edition().await? == self.known().edition {
            return Ok(self.known());
        }
        let _one_builds = self.building.lock().await;
        // The edition first: what comes between is seen at the next look.
        let edition = ledger.accepted_edition().await?;
        if edition == self.known().edition {
            return Ok(self.known());
        }
        let accepted = ledger.accepted_patterns().await?;
        let base = self.base.clone();
        let building = tokio::task::spawn_blocking(move || Known::of(&base, accepted, edition));
        // A bug in a proof keeps what was known.
        let Ok(built) = building.await else { return Ok(self.known()) };
        let built = Arc::new(built);
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = built.clone();
        Ok(built)
    }

    /// What is wrong with one more file beside all that stands; nothing, where it would be let in and take no other down.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn objections(
        &self,
        ledger: &Ledger,
        file: String,
        text: String,
    ) -> Result<Vec<CatalogError>, LedgerError> {
        let (known, base) = (self.look(ledger).await?, self.base.clone());
        let trying = move || {
            let mut files: Vec<_> = known.accepted.iter().map(file_of).collect();
            files.push((file.clone(), text));
            admit(Catalog::clone(&base), PatternSource::Accepted, &files).refused
        };
        let tried = tokio::task::spawn_blocking(trying).await;
        Ok(tried.unwrap_or_else(|_| {
            let what = "it could not be tried: its proof went wrong".to_owned();
            let help = "this is a bug; please report it with the file".to_owned();
            vec![CatalogError { file: String::new(), line: 0, column: 0, what, help }]
        }))
    }
}

impl Known {
    fn of(base: &Catalog, accepted: Vec<AcceptedPattern>, edition: Vec<String>) -> Known {
        let files: Vec<_> = accepted.iter().map(file_of).collect();
        let admitted = admit(base.clone(), PatternSource::Accepted, &files);
        let mut known =
            Known { catalog: admitted.catalog, accepted: Vec::new(), left_out: Vec::new(), edition };
        let mut refused = admitted.refused;
        for one in accepted {
            let file = file_of(&one).0;
            match refused.iter().position(|error| error.file == file) {
                Some(at) => known.left_out.push((one, refused.swap_remove(at))),
                None => known.accepted.push(one),
            }
        }
        known
    }

    /// Names this very set of accepted patterns.
    pub fn edition(&self) -> &[String] {
        &self.edition
    }

    /// Who accepted a pattern, and its file, where it was accepted.
    pub fn accepted(&self, id: &str) -> Option<&AcceptedPattern> {
        self.accepted.iter().find(|one| one.name == id)
    }
}

fn file_of(one: &AcceptedPattern) -> (String, String) {
    (format!("{}.toml", one.name), one.text.clone())
}
