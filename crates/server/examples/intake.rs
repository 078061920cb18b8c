//! How fast webhooks are acknowledged: `cargo run --release -p regreen-server --example intake [RATE] [SECONDS] [NODES] [LEDGER]
//! [FAILED]`, with any number of nodes on one ledger.
//!
//! RATE is a number a second, or `max`; LEDGER a file in a temporary folder, or the address of a PostgreSQL server, on which a
//! schema is made that stays; of FAILED runs one failed, and brings work.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measuring program for the workshop")]

#[path = "../tests/load/load.rs"]
mod load;

use load::Load;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |n: usize, usual: u64| words.get(n).map_or(usual, |word| word.parse::<u64>().unwrap().max(1));
    let rate = if words.first().is_some_and(|word| word == "max") { 0 } else { number(0, 1000) };
    let nodes = usize::try_from(number(2, 1)).unwrap();
    let load = Load { rate, seconds: number(1, 60), nodes, failed: number(4, 1) };
    let folder = tempfile::tempdir().unwrap();
    let address = match words.get(3).map(String::as_str) {
        Some(address) if address.starts_with("postgres") => load::schema(address),
        _ => folder.path().join("ledger.db").display().to_string(),
    };
    let seen = load::run(load, &address);
    println!("{seen}");
    assert!(seen.lost == 0 && seen.twice == 0, "it lost some, or did them twice");
}
