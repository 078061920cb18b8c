//! Whether Regreen did with a scenario what it must.

use super::{Ran, Scenario};

/// The first thing that is not as it must be.
///
/// # Errors
/// What that is.
pub fn judge(scenario: &Scenario, ran: &Ran) -> Result<(), String> {
    let code = ran.output.status.code().unwrap_or(-1);
    // The tool gets over it by itself: Regreen has nothing to say.
    let outcome = match ran.report["outcome"].as_str() {
        None if code == 0 && ran.calls == 1 => "passed",
        outcome => outcome.unwrap_or("none"),
    };
    if outcome != scenario.expect.outcome {
        return Err(format!("the outcome is `{outcome}`, not `{}`", scenario.expect.outcome));
    }
    if let Some(because) = &scenario.expect.because
        && ran.report["because"].as_str() != Some(because)
    {
        return Err(format!("because of {}, not `{because}`", ran.report["because"]));
    }
    if outcome == "healed" {
        let class = ran.report["class"].as_str().unwrap_or_default();
        if code != 0 {
            return Err(format!("healed, but the exit code is {code}"));
        }
        if class != scenario.truth && !scenario.also.iter().any(|also| also == class) {
            return Err(format!("healed as `{class}`, but it is `{}`", scenario.truth));
        }
    } else if outcome != "passed" {
        if code == 0 {
            return Err("not healed, but the exit code is 0".to_owned());
        }
        if ran.calls > 1 {
            return Err(format!("the command ran {} times", ran.calls));
        }
        if !ran.untouched {
            return Err(format!("the workspace is not as it was: {}", ran.written.join(", ")));
        }
    }
    match ran.left_behind.as_slice() {
        [] => Ok(()),
        left => Err(format!("left behind: {left:?}")),
    }
}
