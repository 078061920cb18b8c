//! The outage simulation with as many repositories and nodes as wanted:
//! `cargo run --release -p regreen-server --example outage 500 3`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measuring program for the workshop")]

#[path = "../tests/fleet/simulation.rs"]
mod simulation;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut numbers = std::env::args().skip(1).map(|word| word.parse().unwrap());
    let (repositories, nodes) = (numbers.next().unwrap_or(500), numbers.next().unwrap_or(3));
    let folder = tempfile::tempdir().unwrap();
    let local = tokio::task::LocalSet::new();
    let seen = local.run_until(simulation::simulate(repositories, nodes, folder.path())).await;
    println!("{seen}");
    let good =
        seen.regreen.before == 0 && seen.regreen.healed == repositories && seen.regreen.last_ms <= 180_000;
    assert!(good, "it is worse than it must be");
}
