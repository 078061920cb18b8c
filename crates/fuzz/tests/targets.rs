//! Every target with inputs from a seed: few here, many in `cargo xtask soak fuzz`.
//!
//! `REGREEN_FUZZ_COUNT` inputs a target (a dear one gets its share of them) from `REGREEN_FUZZ_SEED` on. What breaks
//! a law is shown with the number that makes it again, and becomes a named test.

use std::panic::catch_unwind;

use regreen_fuzz::{Mutator, Target, targets};

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn fuzz(name: &str) {
    let target = targets().into_iter().find(|target| target.name == name);
    let Target { law, run, seeds, words, share, .. } = target.unwrap_or_else(|| panic!("no target {name}"));
    let (count, first) = (number("REGREEN_FUZZ_COUNT", 1000), number("REGREEN_FUZZ_SEED", 1));
    let seeds = (seeds)();
    assert!(!seeds.is_empty());
    // Each input has a seed of its own, so that one can be made again without those before it.
    let inputs = (count * u64::from(share)).div_ceil(100);
    for seed in first..first + inputs {
        let input = match usize::try_from(seed - 1).ok().and_then(|at| seeds.get(at)) {
            Some(seed) if first == 1 => seed.clone(),
            _ => Mutator::new(seed).input(&seeds, words),
        };
        let outcome = catch_unwind(|| run(&input));
        assert!(
            outcome.is_ok(),
            "{name}: {law}: broken by REGREEN_FUZZ_SEED={seed} REGREEN_FUZZ_COUNT=1:\nb\"{}\"",
            input.escape_ascii()
        );
    }
}

macro_rules! targets {
    ($($test:ident $name:literal)*) => {
        $(#[test] fn $test() { fuzz($name); })*

        #[test]
        fn no_target_is_left_out() {
            let known: Vec<&str> = targets().iter().map(|target| target.name).collect();
            assert_eq!(known, [$($name),*]);
        }
    };
}

targets! {
    dialects "dialects"
    encodings "encodings"
    packed "packed"
    archive "archive"
    spool "spool"
    pattern "pattern"
    playbook "playbook"
    expression "expression"
    weights "weights"
    lockfiles "lockfiles"
    mask "mask"
    show "show"
    diagnose "diagnose"
    import "import"
    hooks "hooks"
}
