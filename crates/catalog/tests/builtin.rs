//! Laws of the built-in catalogue: every file proves itself. A new file needs no new test.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::collections::BTreeSet;

use regreen_catalog::{Catalog, Status};
use regreen_domain::FailureClass;

#[test]
fn every_pattern_and_banner_proves_itself() {
    let unproved: Vec<String> = Catalog::builtin().unwrap().prove().iter().map(ToString::to_string).collect();
    assert!(unproved.is_empty(), "{}", unproved.join("\n"));
}

#[test]
fn examples_hold_nothing_of_the_place_where_they_were_recorded() {
    for pattern in Catalog::builtin().unwrap().patterns() {
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
    for pattern in Catalog::builtin().unwrap().patterns() {
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
    let catalog = Catalog::builtin().unwrap();
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
