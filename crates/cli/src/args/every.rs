//! How often a workflow looks by the clock: what one line of cron can say, evenly and the whole day round.

use std::{fmt, time::Duration};

/// Minutes that divide an hour, but for those below GitHub's least of 5, and hours that divide a day; none so long that a failure
/// could be too old when it is looked for (24 h).
const MINUTES: [u32; 13] = [5, 10, 12, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720];

/// Where an hour's look stands in the hour. GitHub's clock is late, or leaves a turn out, where many ask for the same minute, and the
/// first of an hour is asked for most.
const WITHIN_THE_HOUR: u32 = 17;

/// So often, in minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Every(u32);

impl Default for Every {
    fn default() -> Every {
        Every(15)
    }
}

impl Every {
    /// What was typed.
    ///
    /// # Errors
    /// Where no line of cron can say it.
    pub fn parse(text: &str) -> Result<Every, String> {
        let typed = humantime::parse_duration(text).ok();
        let is = |every: &Every| typed == Some(Duration::from_secs(u64::from(every.0) * 60));
        Every::all().find(is).ok_or_else(|| {
            let known: Vec<String> = Every::all().map(|every| every.to_string()).collect();
            format!("it can be {}", known.join(", "))
        })
    }

    /// What a workflow says that `init` wrote; `None` where it says something else.
    pub fn of_workflow(text: &str) -> Option<Every> {
        let cron = text.lines().find_map(|line| line.trim().strip_prefix("- cron: "))?;
        Every::all().find(|every| cron.trim_matches('"') == every.cron())
    }

    /// The line of cron.
    pub fn cron(self) -> String {
        match self.0 {
            minutes @ 0..60 => format!("*/{minutes} * * * *"),
            60 => format!("{WITHIN_THE_HOUR} * * * *"),
            minutes => format!("{WITHIN_THE_HOUR} */{} * * *", minutes / 60),
        }
    }

    fn all() -> impl Iterator<Item = Every> {
        MINUTES.into_iter().map(Every)
    }
}

impl fmt::Display for Every {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            minutes @ 0..60 => write!(f, "{minutes}m"),
            minutes => write!(f, "{}h", minutes / 60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Every, MINUTES};

    #[test]
    fn each_divides_the_day_and_is_read_again() {
        for every in Every::all() {
            assert_eq!(24 * 60 % every.0, 0, "{every}");
            assert!(every.0 > 60 || 60 % every.0 == 0, "{every}");
            assert!(every.0 < 60 || every.0 % 60 == 0, "{every}");
            assert_eq!(Every::parse(&every.to_string()), Ok(every));
            assert_eq!(
                Every::of_workflow(&format!("on:\n  schedule:\n    - cron: \"{}\"\n", every.cron())),
                Some(every)
            );
        }
        assert_eq!(Every::parse("60m").map(|every| every.to_string()), Ok("1h".to_owned()));
        assert!(MINUTES.contains(&Every::default().0));
        assert_eq!(Every::of_workflow("    - cron: \"3 4 * * *\"\n"), None);
    }
}
