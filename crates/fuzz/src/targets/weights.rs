//! The model's weights.

use regreen_detect::model::Model;

use crate::Target;

pub(super) const TARGET: Target = Target {
    name: "weights",
    law: "a file is refused, or is written again byte for byte",
    run,
    seeds,
    words: &["\0\0\0\0", "\u{1}\0\0\0", "\u{7f}\u{7f}\u{7f}\u{7f}"],
    share: 100,
};

/// A small model: of the built-in one, the beginning of each table.
fn seeds() -> Vec<Vec<u8>> {
    let builtin = Model::builtin();
    let small = Model {
        failure: builtin.failure.clone().pruned(4),
        line: builtin.line.clone().pruned(4),
        ..builtin.clone()
    };
    vec![small.encode(), Model::default().encode()]
}

fn run(input: &[u8]) {
    if let Ok(model) = Model::parse(input) {
        assert_eq!(model.encode(), input);
    }
}
