//! For people, on 80 columns.

use std::fmt::Write;

use regreen_domain::FailureClass;
use regreen_show::harmless::{harmless, short};

use super::{WORDS, evidence, logs, percent, summary, time, timing, would};
use crate::{
    output::print::table,
    tally::{Group, Share, Tally},
};

/// So many causes are shown.
const CAUSES: usize = 25;

/// So many inputs that can't be read are named.
const UNREAD: usize = 10;

/// The report.
pub fn page(tally: &Tally<'_>) -> String {
    let mut text = format!("{}\n", summary(tally));
    let mut add = |part: String| text.push_str(&part);
    if tally.failed.logs > 0 {
        add(format!("\nWhat Regreen would have done about {}\n", failures(tally.failed.logs)));
        add(indented(&actions(tally)));
        add("\nCauses by class\n".to_owned());
        add(indented(&classes(tally)));
        add("\nCauses, the most frequent first\n".to_owned());
        add(causes(tally));
        add(timing(tally.failed).map(|how| format!("\n{}\n", how.replace("; ", ";\n"))).unwrap_or_default());
    }
    if tally.unreadable > 0 {
        add("\nCould not be read\n".to_owned());
        for (name, why) in tally.unread.iter().take(UNREAD) {
            add(format!("  {name}: {why}\n"));
        }
        let more = tally.unreadable.saturating_sub(UNREAD as u64);
        add(if more > 0 { format!("  and {more} more\n") } else { String::new() });
    }
    text
}

fn failures(n: u64) -> String {
    if n == 1 { "1 failure".to_owned() } else { format!("{n} failures") }
}

fn actions(tally: &Tally<'_>) -> String {
    let row = |(share, (word, means)): (&Share, &(&str, &str))| {
        [
            (*word).to_owned(),
            format!("{:>5}", share.logs),
            format!("{:>5}", percent(share.logs, tally.failed.logs)),
            format!("{:>8}", time(*share)),
            short(means, 40),
        ]
    };
    table(&tally.by_action.iter().zip(&WORDS).map(row).collect::<Vec<_>>())
}

fn classes(tally: &Tally<'_>) -> String {
    let head = ["class", " logs", " heal", "suggest", "leave alone", "time"].map(str::to_owned);
    let row = |(of, group): &(FailureClass, Group)| {
        let [heal, suggest, none] = group.by_action;
        [
            name(*of).to_owned(),
            format!("{:>5}", group.all.logs),
            format!("{heal:>5}"),
            format!("{suggest:>7}"),
            format!("{none:>11}"),
            time(group.all),
        ]
    };
    table(&std::iter::once(head).chain(tally.classes.values().map(row)).collect::<Vec<_>>())
}

fn causes(tally: &Tally<'_>) -> String {
    let causes = tally.causes();
    let mut text = String::new();
    for cause in causes.iter().take(CAUSES) {
        let title = short(&harmless(&cause.title()), 70);
        let _infallible = writeln!(text, "  {:>5} × {title}", cause.group.all.logs);
        let time = match time(cause.group.all) {
            time if time.is_empty() => time,
            time => format!("; {time}"),
        };
        let what = format!("{}; {}{time}", name(cause.class), would(cause));
        let _infallible = writeln!(text, "          {}", short(&what, 70));
        let _infallible = writeln!(text, "          {}", cause.place());
        if let Some(line) = evidence(cause).filter(|_| cause.pattern.is_some()) {
            let _infallible = writeln!(text, "          | {}", short(line.trim(), 68));
        }
    }
    let more = causes.len().saturating_sub(CAUSES);
    if more > 0 {
        let _infallible = writeln!(text, "  and {more} more causes; `--format json` has all of them");
    }
    if tally.beyond > 0 {
        let _infallible = writeln!(text, "  {} of causes that were not told apart", logs(tally.beyond));
    }
    text
}

/// The class; what it speaks of is said by what would have been done.
fn name(class: FailureClass) -> &'static str {
    if class == FailureClass::Unknown { "not diagnosed" } else { class.id() }
}

fn indented(text: &str) -> String {
    text.lines().fold(String::new(), |mut all, line| {
        let _infallible = writeln!(all, "  {line}");
        all
    })
}
