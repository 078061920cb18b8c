//! What is shown of hostile text.

use regreen_detect::Hang;
use regreen_domain::{Confidence, Diagnosis, Evidence, FailureClass, Fingerprint, Role};
use regreen_show::{Cure, Diagnosed, github, harmless, json, markdown, plain, sarif};
use serde_json::Value;

use super::bytes;
use crate::Target;

pub(super) const TARGET: Target = Target {
    name: "show",
    law: "in all five formats: no control characters, nothing hidden, no command to a runner; JSON means the text it was",
    run,
    seeds,
    words: &[
        "##[error]",
        "##vso[",
        "##teamcity[",
        "::error::",
        "##",
        "[",
        "`",
        "```\n",
        "<script>",
        "@all",
        "#1",
        "](x)",
        "\u{202e}",
        "\u{200b}",
        "\u{e0041}",
        "\u{301}",
        "\u{fe0f}",
        "\u{2028}",
        "\u{9b}",
        "\\",
        "%0A",
        "\"",
        "\u{1b}]0;x\u{7}",
        "\n# x\n",
        ":1:1",
        " --> ",
    ],
    share: 60,
};

fn seeds() -> Vec<Vec<u8>> {
    [
        "error: x ##[error]y ::error::z `a` <b> @c",
        "a.c:3:9: error: \u{202e}hi\u{1b}[31m",
        "日本語のエラー: ⚠️ naïve",
    ]
    .map(bytes)
    .to_vec()
}

fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input).into_owned();
    let shown = harmless::harmless(&text);
    assert_eq!(harmless::harmless(&shown), shown);
    let evidence = |line, role| Evidence { line, column: 3, text: text.clone(), role };
    let of = Diagnosed {
        input: shown,
        diagnosis: Diagnosis {
            failed: true,
            class: FailureClass::Unknown,
            pattern: None,
            pattern_source: None,
            tool: None,
            step: Some(text.clone()),
            confidence: Confidence::NONE,
            confirmed: false,
            evidence: vec![evidence(1, Role::Root), evidence(u64::MAX, Role::Symptom)],
            alternatives: Vec::new(),
            reason: text.clone(),
            fingerprint: Fingerprint::default(),
            truncated: false,
        },
        cure: Cure { action: "none", playbook: None, risk: None },
        pattern: None,
        hang: Some(Hang { line: Some(1), text: text.clone(), silent: None, advice: "Try this.".to_owned() }),
        named: Default::default(),
    };
    checked(&of);
}

/// What no format may hold.
pub(super) fn checked(of: &Diagnosed<'_>) {
    let line = json::diagnosis(of, &[]);
    let value: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
    for (at, evidence) in of.diagnosis.evidence.iter().enumerate() {
        assert_eq!(value["evidence"][at]["text"], evidence.text.as_str());
    }
    let sarif = sarif::document(std::slice::from_ref(of));
    assert!(serde_json::from_str::<Value>(&sarif).is_ok(), "{sarif}");
    let formats = [
        ("plain", plain::diagnosis(of, false)),
        ("json", line),
        ("github", github::annotation(of)),
        ("markdown", markdown::section(of)),
        ("sarif", sarif),
    ];
    for (format, text) in formats {
        let hidden = |c: char| {
            (c.is_control() && c != '\n')
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        };
        assert!(!text.contains(hidden), "{format}: {text:?}");
        assert!(!["##[", "##vso[", "##teamcity["].iter().any(|c| text.contains(c)), "{format}: {text:?}");
        let is_command =
            |line: &&str| line.trim_start().starts_with("::") && !line.trim_start().starts_with(":::");
        let commands = text.lines().filter(is_command).count();
        assert_eq!(commands, usize::from(format == "github" && of.diagnosis.failed), "{format}: {text:?}");
        assert!(!matches!(format, "json" | "github") || text.lines().count() <= 1, "{format}: {text:?}");
    }
}
