//! Annotations of a GitHub job: workflow commands on standard output.
//!
//! As in <https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands>.

use regreen_domain::Verdict;

use crate::{Diagnosed, harmless::harmless};

/// One annotation for one input; none where nothing failed.
pub fn annotation(of: &Diagnosed<'_>) -> String {
    let d = &of.diagnosis;
    if !d.failed {
        return String::new();
    }
    let level = match d.class.verdict() {
        Verdict::Code => "error",
        Verdict::Infrastructure => "warning",
        Verdict::Unknown => "notice",
    };
    let mut lines = vec![format!("{}: {}", of.input, harmless(&d.reason))];
    lines
        .extend(d.evidence.iter().take(3).map(|e| format!("{}:{}: {}", e.line, e.column, harmless(&e.text))));
    lines.push(of.sure());
    lines.extend(of.fix().map(|fix| fix.split_whitespace().collect::<Vec<_>>().join(" ")));
    let title = format!("{} ({})", of.headline(), of.rule());
    format!("::{level} title={}::{}\n", property(&title), data(&lines.join("\n")))
}

/// A message: line ends and percent signs are encoded, so that it is one command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property's value, which also ends at a colon or a comma.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::{data, property};

    #[test]
    fn a_message_is_one_command() {
        assert_eq!(data("100%\n::error::x\r"), "100%25%0A::error::x%0D");
        assert_eq!(property("a: b, c"), "a%3A b%2C c");
    }
}
