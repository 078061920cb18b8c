//! Every acknowledged webhook is in the ledger, and its work is done once, whichever of the nodes took it. How fast is no
//! matter of this test: it prints that, for `cargo xtask soak load` and docs/scale.md.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that can't go on should stop")]

mod load;

use std::env;

use load::{Load, Seen};

/// Short in CI; `REGREEN_LOAD_SECONDS` makes it a minute of 1,000 a second.
fn load(nodes: usize) -> Load {
    let number = |text: String| text.parse().unwrap();
    match env::var("REGREEN_LOAD_SECONDS").ok().map(number) {
        Some(seconds) => Load { rate: 1_000, seconds, nodes, failed: 1 },
        None => Load { rate: 200, seconds: 3, nodes, failed: 1 },
    }
}

fn check(load: Load, seen: &Seen) {
    println!("{} a second, {} nodes: {seen}", load.rate, load.nodes);
    let all = load.rate * load.seconds;
    assert_eq!((seen.sent, seen.acknowledged, seen.lost, seen.twice), (all, all, 0, 0), "{seen}");
    // Of ten, two are repetitions, one of them under an id of its own.
    assert_eq!((seen.rows.0, seen.worked.0), (all / 10 * 9, all / 10 * 8), "{seen}");
}

#[test]
fn one_node_on_a_file_loses_nothing_and_does_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let load = load(1);
    check(load, &load::run(load, &folder.path().join("ledger.db").display().to_string()));
}

#[test]
fn three_nodes_on_postgresql_lose_nothing_and_do_nothing_twice() {
    let Ok(server) = env::var("REGREEN_TEST_POSTGRES") else { return };
    let load = load(3);
    check(load, &load::run(load, &load::schema(&server)));
}
