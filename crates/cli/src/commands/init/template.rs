//! Templates: `@@NAME@@` stands for a value, and on a line of its own for lines.

/// The template with its values, and with the lines that `part` knows by name; no lines at all where these are empty.
///
/// Nothing that is filled in is looked at again: a workflow's name may hold anything.
pub(super) fn filled(
    template: &str,
    values: &[(&str, &str)],
    part: impl Fn(&str) -> Option<String>,
) -> String {
    let mut text = String::new();
    for line in template.lines() {
        let name = line.trim().strip_prefix("@@").and_then(|rest| rest.strip_suffix("@@"));
        let lines = name.and_then(&part);
        if lines.as_deref() == Some("") {
            continue;
        }
        text.push_str(&lines.unwrap_or_else(|| filled_line(line, values)));
        text.push('\n');
    }
    text
}

fn filled_line(line: &str, values: &[(&str, &str)]) -> String {
    let (mut out, mut rest) = (String::new(), line);
    while let Some((before, after)) = rest.split_once("@@") {
        out.push_str(before);
        let Some((name, after)) = after.split_once("@@") else { break };
        out.push_str(values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value));
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::filled;

    #[test]
    fn what_is_filled_in_fills_in_nothing() {
        let values = [("A", "[@@B@@]"), ("B", "b")];
        let part = |name: &str| match name {
            "LINES" => Some("- @@A@@\n- 2".to_owned()),
            "NONE" => Some(String::new()),
            _ => None,
        };
        assert_eq!(
            filled("x: @@A@@ and @@B@@\n  @@LINES@@\n@@NONE@@\n\n  @@B@@\n", &values, part),
            "x: [@@B@@] and b\n- @@A@@\n- 2\n\n  b\n"
        );
    }
}
