//! Microsoft Teams' workflow webhooks: a message with an Adaptive Card (learn.microsoft.com, *Create incoming webhooks with
//! Workflows*; adaptivecards.io, schema 1.4).

use serde_json::{Value, json};

use crate::{Address, Notice, Severity, SinkError, notice::short, post::post};

/// A channel, by its workflow's webhook.
#[derive(Debug, Clone)]
pub struct Teams {
    /// The webhook's address.
    pub address: Address,
}

impl Teams {
    pub(crate) fn send(&self, notice: &Notice) -> Result<(), SinkError> {
        let body = message(notice).to_string();
        post(&self.address, &[], body.as_bytes()).map(drop)
    }
}

/// Text stands in `TextRun`s alone, which know no markup; a `TextBlock` would read Markdown. A message is below 28 KB.
fn message(notice: &Notice) -> Value {
    let run = |text: &str, most| json!({"type": "TextRun", "text": short(text, most)});
    let line = |run: Value| json!({"type": "RichTextBlock", "inlines": [run]});
    let colour = match notice.kind.severity() {
        Severity::Info => "good",
        Severity::Warning => "warning",
        Severity::Critical => "attention",
    };
    let mut title = run(&notice.title, 200);
    title["weight"] = json!("bolder");
    title["size"] = json!("large");
    let mut kind = run(notice.kind.words(), 100);
    kind["color"] = json!(colour);
    let mut body = vec![line(title), line(kind)];
    for (name, value) in notice.facts() {
        let mut name = run(&format!("{name}: "), 50);
        name["weight"] = json!("bolder");
        body.push(json!({"type": "RichTextBlock", "inlines": [name, run(&value, 500)]}));
    }
    body.extend(notice.lines.iter().take(20).map(|text| line(run(text, 500))));
    if let Some(evidence) = &notice.evidence {
        let mut quoted = run(evidence, 1_000);
        quoted["fontType"] = json!("monospace");
        body.push(line(quoted));
    }
    let actions: Vec<Value> = notice
        .safe_link()
        .map(|link| json!({"type": "Action.OpenUrl", "title": "Look at it", "url": link}))
        .into_iter()
        .collect();
    let card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "actions": actions,
    });
    let attachment = json!({"contentType": "application/vnd.microsoft.card.adaptive", "content": card});
    json!({"type": "message", "attachments": [attachment]})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::tests::notice;

    #[test]
    fn no_text_is_read_as_markup_and_the_limit_is_kept() {
        let message = message(&notice());
        let text = message.to_string();
        assert!(!text.contains("TextBlock\"") || text.contains("RichTextBlock"));
        assert!(!text.contains("\"type\":\"TextBlock\""));
        let long = "é".repeat(10_000);
        let lines = vec![long.clone(); 100];
        let notice = Notice { title: long.clone(), lines, evidence: Some(long), ..notice() };
        assert!(super::message(&notice).to_string().len() < 28_000);
    }
}
