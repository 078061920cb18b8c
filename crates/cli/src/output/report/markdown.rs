//! Markdown, for a comment or the summary of a job.

use std::fmt::Write;

use regreen_show::{
    harmless::{harmless, short},
    markdown::{code, escaped},
};

use super::{WORDS, class, evidence, link, percent, summary, time, timing, would};
use crate::tally::{Cause, Tally};

/// So many causes are shown.
const CAUSES: usize = 50;

/// So many inputs that can't be read are named.
const UNREAD: usize = 20;

/// The report.
pub fn page(tally: &Tally<'_>) -> String {
    let mut text = format!("## What Regreen would have done\n\n{}.\n", summary(tally));
    if tally.failed.logs > 0 {
        text.push_str("\n| | logs | share | time | |\n|---|--:|--:|--:|---|\n");
        for (share, (word, means)) in tally.by_action.iter().zip(WORDS) {
            let part = escaped(&percent(share.logs, tally.failed.logs));
            let _infallible =
                writeln!(text, "| **{word}** | {} | {part} | {} | {means} |", share.logs, time(*share));
        }
        text.push_str("\n### Causes by class\n\n| class | logs | heal | suggest | leave alone | time |\n|---|--:|--:|--:|--:|--:|\n");
        for (of, group) in tally.classes.values() {
            let [heal, suggest, none] = group.by_action;
            let (name, all, time) = (class(*of), group.all.logs, time(group.all));
            let _infallible = writeln!(text, "| {name} | {all} | {heal} | {suggest} | {none} | {time} |");
        }
        text.push_str(
            "\n### Causes\n\n| logs | cause | Regreen would | time | example |\n|--:|---|---|--:|---|\n",
        );
        let causes = tally.causes();
        causes.iter().take(CAUSES).for_each(|cause| text.push_str(&row(cause)));
        if causes.len() > CAUSES {
            let _infallible = writeln!(text, "\nAnd {} more causes.", causes.len() - CAUSES);
        }
        text.push_str(&timing(tally.failed).map(|how| format!("\n{how}\n")).unwrap_or_default());
    }
    if tally.unreadable > 0 {
        text.push_str("\n### Could not be read\n\n");
        for (name, why) in tally.unread.iter().take(UNREAD) {
            let _infallible = writeln!(text, "- {}: {}", code(name), escaped(why));
        }
        let more = tally.unreadable.saturating_sub(UNREAD as u64);
        if more > 0 {
            let _infallible = writeln!(text, "- and {more} more");
        }
    }
    text
}

fn row(cause: &Cause<'_>) -> String {
    let title = escaped(&short(&harmless(&cause.title()), 100));
    let place = escaped(&cause.place());
    let place = link(cause).map_or(place.clone(), |uri| format!("[{place}]({uri})"));
    let line =
        evidence(cause).map(|line| format!(": {}", in_a_cell(&short(line.trim(), 120)))).unwrap_or_default();
    let all = cause.group.all;
    format!(
        "| {} | {title}<br>{} | {} | {} | {place}{line} |\n",
        all.logs,
        class(cause.class),
        would(cause),
        time(all)
    )
}

/// Code in a cell of a table, where a bar ends the cell also within code.
fn in_a_cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}
