//! What an operator's configuration forbids, and what recovery may cost.

use std::fs;

use regreen_lab::{PackageManager, damage::LockfileDamage};

use crate::{
    said::tell,
    support::stage::{Break, Stage},
};

fn run_with(stage: &Stage, config: &str) -> String {
    let path = stage.base().join("operator.toml");
    fs::write(&path, config).unwrap();
    let mut command = stage.regreen(&["run", "--config"]);
    command.arg(path).arg("--").args(stage.project.install_argv());
    tell(&mut command, stage.base())
}

#[test]
fn what_is_denied_is_not_done_and_a_second_recovery_within_the_hour_may_be_one_too_many() {
    let stage = Stage::broken(PackageManager::Cargo, Break::Lockfile(LockfileDamage::Truncated));
    for denial in ["playbook:repair-lockfile", "class:lockfile-corruption", "tool:cargo"] {
        let refused = run_with(&stage, &format!("deny = [\"{denial}\"]\n"));
        assert!(refused.contains("(denied)"), "{refused}");
        assert_eq!(fs::read(stage.project.lockfile()).unwrap(), stage.set);
    }
    let limited = "[budget]\nper-hour = 1\n";
    let healed = run_with(&stage, limited);
    assert!(healed.starts_with("exit code 0"), "{healed}");
    fs::write(stage.project.lockfile(), &stage.set).unwrap();
    let refused = run_with(&stage, limited);
    assert!(refused.contains("(retry-budget-used-up)"), "{refused}");
    assert_eq!(fs::read(stage.project.lockfile()).unwrap(), stage.set);
    let wrong = run_with(&stage, "deny = [\"everything\"]\n");
    assert!(wrong.contains("operator.toml:1:9: deny holds lines such as"), "{wrong}");
    let wrong = run_with(&stage, "[budget]\nmoney-per-day = 5.0\n");
    assert!(wrong.contains("money-per-day needs cost-per-minute"), "{wrong}");
}
