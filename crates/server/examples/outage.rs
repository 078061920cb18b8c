//! The outage simulation with as many repositories and nodes as wanted:
//! `cargo run -p regreen-server --example outage [REPOSITORIES] [NODES] [LEDGER]`; the ledger is a file in a temporary
//! folder, or an address of an empty database.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measuring program for the workshop")]

#[path = "../tests/fleet/simulation.rs"]
mod simulation;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |i: usize, usual| words.get(i).map_or(usual, |word| word.parse().unwrap());
    let (repositories, nodes) = (number(0, 500), number(1, 3));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger.db").display().to_string();
    let place = words.get(2).unwrap_or(&file);
    let local = tokio::task::LocalSet::new();
    let seen = local.run_until(simulation::simulate(repositories, nodes, place, None)).await;
    println!("{seen}");
    let good =
        seen.regreen.before == 0 && seen.regreen.healed == repositories && seen.regreen.last_ms <= 180_000;
    assert!(good, "it is worse than it must be");
}
