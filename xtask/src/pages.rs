//! The manual holds together: no dead link or anchor in any page, every page in docs/SUMMARY.md, no word lost as HTML, and
//! `mentions`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Component, Path, PathBuf},
};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::{mentions, top};

/// Where pages are, beside those at the top.
const FOLDERS: [&str; 5] = ["docs", "crates", "integrations", "packaging", "catalog"];

/// The book's contents.
const SUMMARY: &str = "docs/SUMMARY.md";

/// It says what once was.
const CHANGELOG: &str = "CHANGELOG.md";

/// A page, as far as links are concerned.
#[derive(Debug, Default)]
struct Page {
    anchors: BTreeSet<String>,
    /// Where each leads, with its line.
    links: Vec<(String, usize)>,
    /// Tags that nobody meant as such, with their lines.
    tags: Vec<(String, usize)>,
}

/// What is wrong with pages and packages.
///
/// # Errors
/// Where one can't be read.
pub fn complaints() -> Result<Vec<String>, String> {
    let mut pages = BTreeMap::new();
    let mut complaints = mentions::shipped()?;
    for path in paths()? {
        let text = fs::read_to_string(top().join(&path)).map_err(|e| format!("{}: {e}", path.display()))?;
        if !path.ends_with(CHANGELOG) {
            complaints.extend(mentions::complaints(&path.display().to_string(), &text));
        }
        pages.insert(path, Page::of(&text));
    }
    for (path, page) in &pages {
        let shown = path.display();
        for (link, line) in &page.links {
            if let Err(why) = leads(&pages, path, link) {
                complaints.push(format!("{shown}:{line}: [{link}] {why}"));
            }
        }
        if path.starts_with("docs") {
            let tags = page.tags.iter();
            complaints.extend(tags.map(|(tag, line)| {
                format!("{shown}:{line}: {tag} is taken for HTML; write it as code, or with a backslash")
            }));
        }
    }
    complaints.extend(left_out(&pages));
    Ok(complaints)
}

/// All pages, from the top.
fn paths() -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = FOLDERS.iter().map(PathBuf::from).collect();
    let here = fs::read_dir(top()).map_err(|e| e.to_string())?.flatten();
    found.extend(here.map(|entry| PathBuf::from(entry.file_name())).filter(|path| is_page(path)));
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(top().join(&folder)).into_iter().flatten().flatten() {
            let path = folder.join(entry.file_name());
            match entry.path().is_dir() {
                true if !path.ends_with("target") && !path.ends_with("node_modules") => open.push(path),
                false if is_page(&path) => found.push(path),
                _ => {}
            }
        }
    }
    Ok(found)
}

fn is_page(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "md")
}

impl Page {
    fn of(text: &str) -> Page {
        let mut page = Page::default();
        let mut heading: Option<String> = None;
        let line = |at: usize| text[..at].matches('\n').count() + 1;
        for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    let words = heading.take().unwrap_or_default();
                    page.name(&words);
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push((dest_url.into_string(), line(range.start)));
                }
                Event::Text(words) | Event::Code(words) => {
                    heading.iter_mut().for_each(|heading| heading.push_str(&words));
                }
                Event::InlineHtml(tag) | Event::Html(tag) if !tag.trim_start().starts_with("<!--") => {
                    page.tags.push((tag.trim().to_owned(), line(range.start)));
                }
                _ => {}
            }
        }
        page
    }

    /// A heading's anchor, as GitHub and mdBook make it.
    fn name(&mut self, heading: &str) {
        let kept = |c: &char| c.is_alphanumeric() || matches!(c, '-' | '_' | ' ');
        let plain: String = heading.to_lowercase().chars().filter(kept).collect();
        let plain = plain.replace(' ', "-");
        let more = (1..).map(|n| format!("{plain}-{n}"));
        let free = std::iter::once(plain.clone()).chain(more).find(|name| !self.anchors.contains(name));
        self.anchors.extend(free);
    }
}

fn leads(pages: &BTreeMap<PathBuf, Page>, from: &Path, link: &str) -> Result<(), &'static str> {
    if link.is_empty() || link.contains("://") || link.starts_with("mailto:") {
        return Ok(());
    }
    let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
    let to = match file {
        "" => from.to_owned(),
        file => plain(&from.parent().unwrap_or(Path::new("")).join(file)),
    };
    if !top().join(&to).exists() {
        return Err("leads nowhere");
    }
    if from.starts_with("docs") && !to.starts_with("docs") {
        return Err("leads out of the book; give the address at the project's home");
    }
    match anchor.filter(|anchor| !anchor.is_empty()) {
        Some(anchor) if !pages.get(&to).is_some_and(|page| page.anchors.contains(anchor)) => {
            Err("names no heading of that page")
        }
        _ => Ok(()),
    }
}

/// The path without `..`.
fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => _ = out.pop(),
            Component::CurDir => {}
            part => out.push(part),
        }
    }
    out
}

/// Pages that the book's contents don't name.
fn left_out(pages: &BTreeMap<PathBuf, Page>) -> Vec<String> {
    let summary = Path::new(SUMMARY);
    let named: BTreeSet<PathBuf> = pages
        .get(summary)
        .into_iter()
        .flat_map(|page| &page.links)
        .map(|(link, _)| Path::new("docs").join(link))
        .collect();
    let of_book = pages.keys().filter(|path| path.starts_with("docs") && *path != summary);
    of_book
        .filter(|path| !named.contains(*path))
        .map(|path| format!("{}: not in {SUMMARY}", path.display()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(texts: &[(&str, &str)]) -> BTreeMap<PathBuf, Page> {
        texts.iter().map(|(path, text)| (PathBuf::from(path), Page::of(text))).collect()
    }

    #[test]
    fn anchors_are_those_of_the_headings() {
        let page = Page::of("# The `run` command: what it's for\n\n## A\n\n## A\n");
        let anchors: Vec<&str> = page.anchors.iter().map(String::as_str).collect();
        assert_eq!(anchors, ["a", "a-1", "the-run-command-what-its-for"]);
    }

    #[test]
    fn dead_links_and_lost_words_are_found() {
        let pages = pages(&[
            (
                "docs/serve.md",
                "# Serve\n\n[a](#serve) [b](#gone) [c](nowhere.md) [d](../README.md) <name> x\n",
            ),
            ("README.md", "[e](docs/serve.md#serve) [f](https://example.org/x)\n"),
            ("docs/SUMMARY.md", ""),
        ]);
        let wrong = |path: &str| -> Vec<&str> {
            let from = Path::new(path);
            let links = pages[from].links.iter().filter_map(|(link, _)| leads(&pages, from, link).err());
            links.collect()
        };
        let dead = ["names no heading of that page", "leads nowhere"];
        assert_eq!(wrong("docs/serve.md")[..2], dead);
        assert!(wrong("docs/serve.md")[2].starts_with("leads out of the book"));
        assert!(wrong("README.md").is_empty());
        assert_eq!(pages[Path::new("docs/serve.md")].tags, [("<name>".to_owned(), 3)]);
        assert_eq!(left_out(&pages), ["docs/serve.md: not in docs/SUMMARY.md"]);
    }
}
