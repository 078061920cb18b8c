//! The detector: a catalogue made ready for scanning.

use regreen_catalog::{Banner, Catalog, Context, Expression, Pattern, Status};

use crate::literals::Literals;
use crate::model::Model;

/// A catalogue made ready for scanning. Building one takes well under a millisecond: expressions are compiled when
/// a line first asks for them.
#[derive(Debug)]
pub struct Detector<'c> {
    pub(crate) catalog: &'c Catalog,
    pub(crate) model: &'c Model,
    /// All literals: they choose the lines that are looked at, and the entries whose expressions these may satisfy.
    pub(crate) literals: Literals<'c>,
    pub(crate) entries: Vec<Entry<'c>>,
}

/// Something that a scan looks for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Entry<'c> {
    /// The line of a pattern, by its index in the catalogue.
    Pattern(usize, &'c Pattern),
    /// Something that must, or must not, stand anywhere around a pattern's line.
    Context(&'c Context),
    /// The project's own programs speak from here on.
    Banner(&'c Banner),
}

impl<'c> Detector<'c> {
    /// Makes the catalogue ready, with the built-in model.
    pub fn new(catalog: &'c Catalog) -> Detector<'c> {
        Detector::with_model(catalog, Model::builtin())
    }

    /// Makes the catalogue ready, with another model.
    pub fn with_model(catalog: &'c Catalog, model: &'c Model) -> Detector<'c> {
        let entries = entries(catalog);
        let of =
            |(i, entry): (usize, &Entry<'c>)| entry.expression().literals().map(move |literal| (literal, i));
        let literals = Literals::new(entries.iter().enumerate().flat_map(of).collect());
        Detector { catalog, model, literals, entries }
    }

    /// The entries whose expressions the text may satisfy, each once, in the catalogue's order.
    pub(crate) fn entries_for(&self, text: &str, entries: &mut Vec<usize>) {
        entries.clear();
        self.literals.find(text.as_bytes(), |_, entry| {
            entries.push(entry);
            0
        });
        entries.sort_unstable();
        entries.dedup();
    }

    pub(crate) fn pattern(&self, index: usize) -> Option<&'c Pattern> {
        self.catalog.patterns().get(index)
    }
}

impl<'c> Entry<'c> {
    pub(crate) fn expression(self) -> &'c Expression {
        match self {
            Entry::Pattern(_, pattern) => &pattern.matcher.line,
            Entry::Context(context) => &context.line,
            Entry::Banner(banner) => &banner.line,
        }
    }
}

fn entries(catalog: &Catalog) -> Vec<Entry<'_>> {
    let mut entries = Vec::new();
    for (i, pattern) in catalog.patterns().iter().enumerate().filter(|(_, p)| p.status != Status::Retired) {
        entries.push(Entry::Pattern(i, pattern));
        entries.extend(pattern.matcher.unbounded().map(Entry::Context));
    }
    entries.extend(catalog.banners().iter().map(Entry::Banner));
    entries
}
