//! A page of its own, for a browser: nothing is loaded, nothing runs, every word from a log is escaped.

use std::fmt::Write;

use regreen_domain::{FailureClass, Verdict};
use regreen_show::harmless::{harmless, short};

use super::{WORDS, class, evidence, link, logs, percent, summary, time, timing, would};
use crate::tally::{Cause, Tally};

/// So many causes are shown.
const CAUSES: usize = 500;

/// The page's looks.
const STYLE: &str = include_str!("report.css");

/// The report.
pub fn page(tally: &Tally<'_>) -> String {
    let mut main = format!(
        "<h1>What Regreen would have done</h1>\n<p class=\"lead\">{}.</p>\n",
        escaped(&summary(tally))
    );
    if tally.failed.logs > 0 {
        main.push_str(&actions(tally));
        main.push_str(&classes(tally));
        main.push_str(&causes(tally));
    }
    main.push_str(&unread(tally));
    let how = timing(tally.failed).map(|how| format!("<p>{how}</p>\n")).unwrap_or_default();
    let foot = "<p>Each log was diagnosed by its text alone. In a job, <code>regreen run</code> looks at the workspace, the \
                cache and the registry too, and heals only what they confirm.</p>\n";
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>Regreen: {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{main}</main>\n\
         <footer>\n{how}{foot}</footer>\n</body>\n</html>\n",
        escaped(&summary(tally))
    )
}

/// Names of the parts of a bar, in the order of the actions.
const PARTS: [&str; 3] = ["heal", "suggest", "none"];

fn actions(tally: &Tally<'_>) -> String {
    let all = tally.failed.logs;
    let mut said = Vec::new();
    let mut bar = String::new();
    let mut rows = String::new();
    for ((share, (word, means)), part) in tally.by_action.iter().zip(WORDS).zip(PARTS) {
        said.push(format!("{word} {}", share.logs));
        if share.logs > 0 {
            let _infallible =
                write!(bar, "<span class=\"{part}\" style=\"flex-grow:{}\"></span>", share.logs);
        }
        let _infallible = writeln!(
            rows,
            "<tr><th scope=\"row\"><span class=\"dot {part}\"></span>{word}<small>{means}</small></th>\
             <td>{}</td><td>{}</td><td>{}</td></tr>",
            share.logs,
            escaped(&percent(share.logs, all)),
            time(*share)
        );
    }
    format!(
        "<section aria-labelledby=\"would\">\n<h2 id=\"would\">About {}</h2>\n\
         <div class=\"bar\" role=\"img\" aria-label=\"{}\">{bar}</div>\n\
         <table>\n<thead><tr><th scope=\"col\">would</th><th scope=\"col\">logs</th><th scope=\"col\">share</th>\
         <th scope=\"col\">time</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n</section>\n",
        if all == 1 { "1 failure".to_owned() } else { format!("{all} failures") },
        said.join(", ")
    )
}

fn classes(tally: &Tally<'_>) -> String {
    let most = tally.classes.values().map(|(_, group)| group.all.logs).max().unwrap_or(1);
    let rows = tally.classes.values().fold(String::new(), |mut rows, (of, group)| {
        let [heal, suggest, none] = group.by_action;
        let parts: String = PARTS
            .iter()
            .zip([heal, suggest, none])
            .filter(|(_, n)| *n > 0)
            .map(|(part, n)| format!("<span class=\"{part}\" style=\"flex-grow:{n}\"></span>"))
            .collect();
        let width = (group.all.logs * 100).div_ceil(most.max(1));
        let _infallible = writeln!(
            rows,
            "<tr><th scope=\"row\">{} <small>{}</small><span class=\"bar thin\" style=\"width:{width}%\" aria-hidden=\"true\">{parts}</span></th>\
             <td>{}</td><td>{heal}</td><td>{suggest}</td><td>{none}</td><td>{}</td></tr>",
            if *of == FailureClass::Unknown { "not diagnosed" } else { of.id() },
            if *of == FailureClass::Unknown { String::new() } else { of.verdict().to_string() },
            group.all.logs,
            time(group.all)
        );
        rows
    });
    format!(
        "<section aria-labelledby=\"classes\">\n<h2 id=\"classes\">Causes by class</h2>\n\
         <div class=\"wide\" role=\"region\" aria-labelledby=\"classes\" tabindex=\"0\">\n<table>\n\
         <thead><tr><th scope=\"col\">class</th><th scope=\"col\">logs</th><th scope=\"col\">heal</th>\
         <th scope=\"col\">suggest</th><th scope=\"col\">leave alone</th><th scope=\"col\">time</th></tr></thead>\n\
         <tbody>\n{rows}</tbody>\n</table>\n</div>\n</section>\n"
    )
}

fn causes(tally: &Tally<'_>) -> String {
    let causes = tally.causes();
    let shown: String = causes.iter().take(CAUSES).map(|cause| one(cause)).collect();
    let mut more = String::new();
    if causes.len() > CAUSES {
        let _infallible = writeln!(more, "<p>And {} more causes.</p>", causes.len() - CAUSES);
    }
    if tally.beyond > 0 {
        let _infallible = writeln!(more, "<p>{} of causes that were not told apart.</p>", logs(tally.beyond));
    }
    format!(
        "<section aria-labelledby=\"causes\">\n<h2 id=\"causes\">Causes, the most frequent first</h2>\n\
         <ol class=\"causes\">\n{shown}</ol>\n{more}</section>\n"
    )
}

fn one(cause: &Cause<'_>) -> String {
    let verdict = match cause.class.verdict() {
        Verdict::Infrastructure => "infra",
        Verdict::Code => "code",
        Verdict::Unknown => "unknown",
    };
    let all = cause.group.all;
    let place = escaped(&cause.place());
    let place = link(cause).map_or(place.clone(), |uri| format!("<a href=\"{}\">{place}</a>", escaped(&uri)));
    let line = evidence(cause)
        .map(|line| format!("<pre><code>{}</code></pre>\n", escaped(&short(line.trim_end(), 400))))
        .unwrap_or_default();
    let fix =
        cause.fix().map(|fix| format!("<p class=\"fix\">{}</p>\n", with_code(&fix))).unwrap_or_default();
    let time = match time(all) {
        time if time.is_empty() => time,
        time => format!(" · {time}"),
    };
    format!(
        "<li>\n<h3><span class=\"count\">{}<span class=\"sr\"> {}</span></span> {}</h3>\n\
         <p class=\"meta\"><span class=\"tag {verdict}\">{}</span> {}{time}</p>\n{line}{fix}\
         <p class=\"place\">{place} · fingerprint <code>{}</code></p>\n</li>\n",
        all.logs,
        if all.logs == 1 { "log:" } else { "logs:" },
        with_code(&short(&harmless(&cause.title()), 160)),
        escaped(&class(cause.class)),
        with_code(&would(cause)),
        escaped(&cause.fingerprint),
    )
}

fn unread(tally: &Tally<'_>) -> String {
    if tally.unreadable == 0 {
        return String::new();
    }
    let rows = tally.unread.iter().fold(String::new(), |mut rows, (name, why)| {
        let _infallible = writeln!(rows, "<li><code>{}</code>: {}</li>", escaped(name), escaped(why));
        rows
    });
    let more = match tally.unreadable.saturating_sub(tally.unread.len() as u64) {
        0 => String::new(),
        more => format!("<p>And {more} more.</p>\n"),
    };
    format!(
        "<section>\n<details>\n<summary>{} could not be read</summary>\n<ul>\n{rows}</ul>\n{more}</details>\n</section>\n",
        tally.unreadable
    )
}

/// Text that means itself, in an element and in a quoted attribute.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// The same, with what stands between two backticks as code.
fn with_code(text: &str) -> String {
    let escaped = escaped(text);
    let parts: Vec<&str> = escaped.split('`').collect();
    let last = parts.len() - 1;
    parts.iter().enumerate().fold(String::new(), |mut out, (i, part)| {
        match i % 2 {
            1 if i < last => out.push_str(&format!("<code>{part}</code>")),
            1 => out.push_str(&format!("`{part}")),
            _ => out.push_str(part),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::{escaped, with_code};

    #[test]
    fn nothing_of_a_log_is_markup() {
        assert_eq!(
            escaped("<a href='x' id=\"y\">&</a>"),
            "&lt;a href=&#39;x&#39; id=&quot;y&quot;&gt;&amp;&lt;/a&gt;"
        );
        assert_eq!(with_code("run `a <b>` or `c"), "run <code>a &lt;b&gt;</code> or `c");
        assert_eq!(
            (with_code("`a`"), with_code(""), with_code("`")),
            ("<code>a</code>".into(), "".into(), "`".into())
        );
    }
}
