//! Slack's incoming webhooks (docs.slack.dev, *Sending messages using incoming webhooks* and *Block Kit*).

use serde_json::{Value, json};

use crate::{Address, Notice, SinkError, notice::short, post::post};

/// Most characters of a header block, and of a text in a section.
const HEADER: usize = 150;
const SECTION: usize = 2_900;

/// A channel, by its webhook.
#[derive(Debug, Clone)]
pub struct Slack {
    /// The webhook's address.
    pub address: Address,
}

impl Slack {
    pub(crate) fn send(&self, notice: &Notice) -> Result<(), SinkError> {
        let body = message(notice).to_string();
        post(&self.address, &[], body.as_bytes()).map(drop)
    }
}

/// Text of a log stands in `plain_text` alone; what stands in `mrkdwn` has Slack's three control characters escaped.
fn message(notice: &Notice) -> Value {
    let plain = |text: &str, most| json!({"type": "plain_text", "text": short(text, most), "emoji": false});
    let title = if notice.title.trim().is_empty() { notice.kind.words() } else { &notice.title };
    let mut blocks = vec![json!({"type": "header", "text": plain(title, HEADER)})];
    let facts: Vec<Value> = notice
        .facts()
        .iter()
        .map(|(name, value)| json!({"type": "mrkdwn", "text": format!("*{name}*\n{}", escaped(&short(value, 500)))}))
        .collect();
    if !facts.is_empty() {
        blocks.push(json!({"type": "section", "fields": facts}));
    }
    let lines = notice.lines.join("\n");
    if !lines.trim().is_empty() {
        blocks.push(json!({"type": "section", "text": plain(&lines, SECTION)}));
    }
    if let Some(evidence) = notice.evidence.as_deref().filter(|text| !text.trim().is_empty()) {
        let text = json!({"type": "text", "text": short(evidence, SECTION)});
        let quoted = json!({"type": "rich_text_preformatted", "elements": [text]});
        blocks.push(json!({"type": "rich_text", "elements": [quoted]}));
    }
    if let Some(link) = notice.safe_link() {
        let text = format!("<{}|Look at it>", escaped(link));
        blocks.push(json!({"type": "context", "elements": [{"type": "mrkdwn", "text": text}]}));
    }
    // What a notification shows.
    let text = escaped(&short(&format!("{}: {}", notice.kind.words(), notice.title), 300));
    json!({"text": text, "blocks": blocks, "unfurl_links": false, "unfurl_media": false})
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::notice::tests::notice;

    /// Every text that Slack would read as markup.
    fn marked_up(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(object) => {
                if object.get("type").is_some_and(|t| t == "mrkdwn") {
                    found.extend(object.get("text").and_then(Value::as_str).map(str::to_owned));
                }
                object.values().for_each(|value| marked_up(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| marked_up(value, found)),
            _ => {}
        }
    }

    proptest! {
        #[test]
        fn no_text_mentions_anybody_or_forges_a_link(text in "[<!@#|>a-z& ]{0,40}") {
            let notice = Notice {
                title: text.clone(),
                lines: vec![text.clone()],
                evidence: Some(text.clone()),
                repository: Some(text.clone()),
                class: Some(text.clone()),
                link: None,
                ..notice()
            };
            let message = message(&notice);
            let mut found = vec![message["text"].as_str().unwrap().to_owned()];
            marked_up(&message, &mut found);
            prop_assert!(!found.is_empty());
            for text in found {
                prop_assert!(!text.contains(['<', '>']), "{}", text);
            }
        }
    }

    #[test]
    fn its_limits_are_kept() {
        let long = "x".repeat(10_000);
        let notice =
            Notice { title: long.clone(), lines: vec![long.clone()], evidence: Some(long), ..notice() };
        let message = message(&notice);
        assert_eq!(message["blocks"][0]["text"]["text"].as_str().unwrap().chars().count(), HEADER);
        assert!(message.to_string().len() < 10_000);
        let empty = Notice { title: String::new(), lines: vec![], evidence: None, link: None, ..notice };
        assert_eq!(super::message(&empty)["blocks"][0]["text"]["text"], "Healed");
    }
}
