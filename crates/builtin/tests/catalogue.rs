//! Laws of the built-in catalogue: every file proves itself. A new file needs no new test.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]
#![allow(clippy::disallowed_methods, reason = "it reads the files that the build has read")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use regreen_catalog::{Catalog, Status};
use regreen_domain::FailureClass;

#[test]
fn every_part_is_as_it_was_loaded() {
    fn collect(folder: &Path, root: &Path, files: &mut Vec<(String, String)>) {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                collect(&path, root, files);
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                files.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog");
    let mut files = Vec::new();
    collect(&root, &root, &mut files);
    files.sort();
    let loaded = Catalog::load(files.iter().map(|(name, text)| (name.as_str(), text.as_str()))).unwrap();
    let unpacked = regreen_builtin::catalog().unwrap();
    assert_eq!(unpacked.patterns().len(), loaded.patterns().len());
    for (unpacked, loaded) in unpacked.patterns().iter().zip(loaded.patterns()) {
        assert_eq!(format!("{unpacked:?}"), format!("{loaded:?}"));
    }
    assert_eq!(format!("{:?}", unpacked.banners()), format!("{:?}", loaded.banners()));
    assert_eq!(format!("{:?}", unpacked.playbooks()), format!("{:?}", loaded.playbooks()));
    assert_eq!(unpacked.probes(), loaded.probes());
}

#[test]
fn every_pattern_and_banner_proves_itself() {
    let unproved: Vec<String> =
        regreen_builtin::catalog().unwrap().prove().iter().map(ToString::to_string).collect();
    assert!(unproved.is_empty(), "{}", unproved.join("\n"));
}

#[test]
fn examples_hold_nothing_of_the_place_where_they_were_recorded() {
    for pattern in regreen_builtin::catalog().unwrap().patterns() {
        let logs =
            pattern.examples.iter().map(|e| &e.log).chain(pattern.counterexamples.iter().map(|c| &c.log));
        for log in logs {
            assert!(log.lines().count() <= 60, "{}: shorten the example", pattern.id);
            for word in ["/tmp/", "/root/"] {
                assert!(!log.contains(word), "{}: `{word}`", pattern.id);
            }
        }
    }
}

#[test]
fn people_get_an_explanation_and_advice() {
    for pattern in regreen_builtin::catalog().unwrap().patterns() {
        assert!(pattern.explain.trim().len() >= 30, "{}", pattern.id);
        assert!(pattern.fix.trim().len() >= 10, "{}", pattern.id);
        assert!(
            !pattern.title.ends_with('.') && pattern.title.len() <= 80,
            "{}: {}",
            pattern.id,
            pattern.title
        );
    }
}

#[test]
fn the_first_five_classes_are_covered_for_npm_cargo_and_pip() {
    let catalog = regreen_builtin::catalog().unwrap();
    let covered: BTreeSet<(String, FailureClass)> = catalog
        .patterns()
        .iter()
        .filter(|p| p.status == Status::Stable)
        .flat_map(|p| {
            let classes: Vec<_> = std::iter::once(p.class).chain(p.also.iter().copied()).collect();
            p.tools
                .iter()
                .flat_map(move |t| classes.clone().into_iter().map(|c| (t.to_string(), c)))
                .collect::<Vec<_>>()
        })
        .collect();
    let classes =
        ["lockfile-corruption", "cache-corruption", "network-timeout", "service-unavailable", "rate-limited"];
    for tool in ["npm", "cargo", "pip"] {
        for class in classes {
            let class = FailureClass::parse(class).unwrap();
            assert!(covered.contains(&(tool.to_owned(), class)), "{tool} × {class}");
        }
    }
}
