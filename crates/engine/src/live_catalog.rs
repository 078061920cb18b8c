//! What is known beside the fleet at a moment: the catalogue that a node was started with, and the patterns that people have
//! accepted since, on whichever node.

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, PoisonError, RwLock},
};

use regreen_catalog::{Catalog, CatalogError, PatternSource, Status};
use regreen_detect::admit;
use regreen_ledger::{AcceptedPattern, Ledger, LedgerError};

/// The catalogue of a node, which follows what is accepted.
pub struct LiveCatalog {
    base: Arc<Catalog>,
    known: RwLock<Arc<Known>>,
    /// Whoever builds or tries one holds it, also where nobody waits for that any more.
    building: Arc<tokio::sync::Mutex<()>>,
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
        Arc::new(LiveCatalog { base, known, building: Arc::default() })
    }

    /// What was known at the last look.
    pub fn known(&self) -> Arc<Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is known now.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn look(self: &Arc<Self>, ledger: &Ledger) -> Result<Arc<Known>, LedgerError> {
        if ledger.accepted_edition().await? == self.known().edition {
            return Ok(self.known());
        }
        let one_builds = self.building.clone().lock_owned().await;
        // The edition first: what comes between is seen at the next look.
        let edition = ledger.accepted_edition().await?;
        if edition == self.known().edition {
            return Ok(self.known());
        }
        let accepted = ledger.accepted_patterns().await?;
        let own = self.clone();
        // To its end, also where whoever asked has gone.
        let building = tokio::task::spawn_blocking(move || {
            let _one_builds = one_builds;
            let built = || Known::of(&own.base, accepted.clone(), edition.clone());
            // A bug in a proof costs what was accepted, and is not met again at every look.
            let built = catch_unwind(AssertUnwindSafe(built));
            let built = built.unwrap_or_else(|_| Known::without(&own.base, accepted, edition));
            *own.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(built);
        });
        let _stopped = building.await;
        Ok(self.known())
    }

    /// What is wrong with one more file beside all that stands; nothing, where it would be let in and take no other down.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn objections(
        self: &Arc<Self>,
        ledger: &Ledger,
        file: String,
        text: String,
    ) -> Result<Vec<CatalogError>, LedgerError> {
        let (known, base) = (self.look(ledger).await?, self.base.clone());
        let one_tries = self.building.clone().lock_owned().await;
        let trying = move || {
            let _one_tries = one_tries;
            let mut files: Vec<_> = known.accepted.iter().map(file_of).collect();
            files.push((file.clone(), text));
            let admitted = admit(Catalog::clone(&base), PatternSource::Accepted, &files);
            let mut refused = admitted.refused;
            let retired = admitted.catalog.patterns().last().filter(|one| one.status == Status::Retired);
            refused.extend(retired.map(|_| error(&file, "it is retired", "make it `stable`")));
            refused
        };
        let tried = tokio::task::spawn_blocking(trying).await;
        Ok(tried.unwrap_or_else(|_| vec![gone_wrong("")]))
    }
}

impl Known {
    fn of(base: &Catalog, accepted: Vec<AcceptedPattern>, edition: Vec<String>) -> Known {
        // Two of a name stand where an import brought another.
        let mut names = BTreeSet::new();
        let (accepted, again): (Vec<_>, Vec<_>) =
            accepted.into_iter().partition(|one| names.insert(one.name.clone()));
        let files: Vec<_> = accepted.iter().map(file_of).collect();
        let admitted = admit(base.clone(), PatternSource::Accepted, &files);
        let mut known =
            Known { catalog: admitted.catalog, accepted: Vec::new(), left_out: Vec::new(), edition };
        known.left_out.extend(again.into_iter().map(|one| {
            let why = error(
                &one.name,
                "another of its name was accepted before",
                "take both back, and accept one again",
            );
            (one, why)
        }));
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

    fn without(base: &Catalog, accepted: Vec<AcceptedPattern>, edition: Vec<String>) -> Known {
        let left_out = accepted.into_iter().map(|one| {
            let why = gone_wrong(&one.name);
            (one, why)
        });
        Known { catalog: base.clone(), accepted: Vec::new(), left_out: left_out.collect(), edition }
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

fn error(file: &str, what: &str, help: &str) -> CatalogError {
    CatalogError { file: file.to_owned(), line: 0, column: 0, what: what.to_owned(), help: help.to_owned() }
}

fn gone_wrong(file: &str) -> CatalogError {
    error(file, "it could not be tried: a proof went wrong", "this is a bug; please report it with the file")
}

fn file_of(one: &AcceptedPattern) -> (String, String) {
    (format!("{}.toml", one.name), one.text.clone())
}
