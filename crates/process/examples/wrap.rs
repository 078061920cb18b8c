//! Runs a command as `regreen run` does, without anything around it: to time the wrapper, and to test it from outside.
//!
//! `wrap [--timeout SECS] [--idle-timeout SECS] [--grace SECS] [--leave-background] [--linger] [--run-id ID] [--report FILE] -- CMD…`

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;
use std::{env, fs, io};

use regreen_process::live::{self, LiveCommand, Options};
use regreen_process::{RunId, Spool};

fn main() -> ExitCode {
    let mut options = Options { spool: Spool::default(), ..Options::default() };
    let (mut report, mut run_id, mut linger) = (None, None, false);
    let mut args = env::args_os().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().and_then(|value| value.into_string().ok()).unwrap_or_default();
        match arg.to_str() {
            Some("--timeout") => options.timeout = seconds(&value()),
            Some("--idle-timeout") => options.idle_timeout = seconds(&value()),
            Some("--grace") => options.grace = seconds(&value()).unwrap_or_default(),
            Some("--leave-background") => options.leave_background = true,
            Some("--linger") => linger = true,
            Some("--run-id") => run_id = RunId::new(value()).ok(),
            Some("--report") => report = Some(value()),
            _ => break,
        }
    }
    let argv: Vec<OsString> = args.collect();
    let Some((program, args)) = argv.split_first() else {
        let _ = writeln!(io::stderr(), "usage: wrap [options] -- CMD…");
        return ExitCode::from(2);
    };
    let command = LiveCommand { run_id, ..LiveCommand::new(program, args) };
    let code = match live::run(&command, &options) {
        Ok(ended) => {
            if let Some(report) = report {
                let spooled = options.spool.take();
                let tree = ended.process_tree.as_deref().unwrap_or_default();
                let text = format!(
                    "{:?} {:?} left_behind={} spooled={}\n{tree}",
                    ended.status,
                    ended.why,
                    ended.left_behind,
                    spooled.bytes.len()
                );
                let _ = fs::write(report, text);
            }
            ended.exit_code()
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "wrap: {error}");
            error.exit_code()
        }
    };
    if linger {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
    }
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

fn seconds(text: &str) -> Option<Duration> {
    text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
}
