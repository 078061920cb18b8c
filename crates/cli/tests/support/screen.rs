//! `regreen` on a terminal, on its own or in an interactive shell.

use std::process::Command;

use regreen_testkit::terminal::Session;

use super::stage::{REGREEN, Stage};

/// `regreen` alone on a terminal, as a container or a terminal window starts it.
pub fn regreen(stage: &Stage, raw: bool, arguments: &[&str]) -> Session {
    let argv = [&[REGREEN], arguments].concat();
    Session::start_in(&argv, raw, |command| on_stage(stage, command))
}

/// An interactive shell, as people have it; `$R` is `regreen run`.
pub fn shell(stage: &Stage) -> Session {
    let argv = ["bash", "--norc", "--noprofile", "-i"];
    let mut session = Session::start_in(&argv, false, |command| on_stage(stage, command));
    session.type_text(&format!("PS1=; R='{REGREEN} run'; echo shell-''ready\n"));
    session.wait_for_text("shell-ready");
    session
}

fn on_stage(stage: &Stage, command: &mut Command) {
    let model = stage.program(REGREEN);
    command.current_dir(stage.project.root()).env_clear();
    command.envs(model.get_envs().filter_map(|(name, value)| Some((name, value?))));
}
