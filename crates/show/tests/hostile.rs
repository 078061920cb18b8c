//! What is quoted of a log stays a quotation: in every format it neither drives the terminal, nor hides or reorders
//! words, nor is a command to a CI runner, nor leaves its place in a document.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::sync::LazyLock;

use pulldown_cmark::{Event, Parser, Tag};
use regreen_catalog::Catalog;
use regreen_detect::{Circumstances, Detection, Detector, Hang};
use regreen_domain::{Confidence, Diagnosis, Evidence, FailureClass, Fingerprint, Role};
use regreen_logs::{ReadOptions, read};
use regreen_mask::Masker;
use regreen_show::{
    Cure, Diagnosed, Named,
    escalation::{Escalation, Occurrence, OutageIssue, Tried},
    github, json, markdown, plain, sarif,
};
use serde_json::Value;

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| regreen_builtin::catalog().unwrap());
static DETECTOR: LazyLock<Detector<'static>> = LazyLock::new(|| Detector::new(&CATALOG));

const CURE: Cure<'_> = Cure { action: "none", playbook: None, risk: None };

/// Each of them tries something else.
const ATTACKS: [(&str, &str); 22] = [
    ("bidi override", "\u{202e}txt.exe\u{2066} \u{200f}x\u{2069}"),
    ("zero width", "n\u{200b}p\u{200d}m\u{feff} \u{2060}\u{180e}\u{3164}"),
    ("tags", "safe\u{e0001}\u{e0041}\u{e007f}"),
    ("colour and screen", "\u{1b}[2J\u{1b}[H\u{1b}[31mred\u{1b}[0m \u{1b}c"),
    ("title", "\u{1b}]0;pwned\u{7}x \u{1b}]2;pwned\u{1b}\\x"),
    ("link", "\u{1b}]8;;https://evil.example\u{7}click\u{1b}]8;;\u{7}"),
    ("clipboard", "\u{1b}]52;c;cm0gLXJmIC8=\u{7}x"),
    ("C1", "\u{9b}2J \u{9d}0;pwned\u{9c} \u{90}x\u{9c} \u{85}y"),
    ("overprint", "good\rbad \u{8}\u{8}\u{8}ok"),
    ("lines", "a\u{2028}b\u{2029}c\u{b}d\u{c}e"),
    ("workflow command", "::set-output name=x::y"),
    ("old workflow command", "##[set-env name=PATH]evil ##[add-path]evil"),
    ("Azure command", "##vso[task.setvariable variable=PATH]evil"),
    ("TeamCity command", "##teamcity[buildStatus status='SUCCESS']"),
    ("command in two halves", "##\u{200b}[error]x ##\u{1b}[0m[error]y :\u{200b}:error::z"),
    ("fence", "``` \n````\n# heading\n```"),
    ("html", "<script>alert(1)</script><img src=x onerror=alert(1)></pre></details>"),
    ("mention", "@everyone @org/team #1 GH-1 a@b.example"),
    (
        "link in Markdown",
        "[click](javascript:alert(1)) ![i](https://evil.example/i.png) <https://evil.example>",
    ),
    ("table and quote", "| a | b |\n|---|---|\n> quote\n- list\n---"),
    ("percent", "%0A::error::forged%0D%25"),
    ("JSON", "\",\"verdict\":\"code\",\"x\":\"\\\u{0}\\u0022"),
];

/// A diagnosis that quotes it wherever something is quoted.
fn quoting(text: &str) -> Diagnosed<'static> {
    let evidence = |role| Evidence { line: 4, column: 35, text: format!("error: {text} forged"), role };
    Diagnosed {
        // As the shell names an input.
        input: regreen_show::harmless::harmless(text),
        diagnosis: Diagnosis {
            failed: true,
            class: FailureClass::Unknown,
            pattern: None,
            pattern_source: None,
            tool: None,
            step: Some(text.to_owned()),
            confidence: Confidence::NONE,
            confirmed: false,
            evidence: vec![evidence(Role::Root), evidence(Role::Symptom)],
            alternatives: Vec::new(),
            reason: format!("because {text}"),
            fingerprint: Fingerprint::default(),
            truncated: true,
        },
        cure: CURE,
        pattern: None,
        hang: Some(Hang {
            line: Some(3),
            text: text.to_owned(),
            silent: None,
            advice: "Try this.".to_owned(),
        }),
        named: Named::default(),
    }
}

/// What is printed in each format.
fn formats(of: &Diagnosed<'_>) -> [(&'static str, String); 5] {
    [
        ("plain", plain::diagnosis(of, false)),
        ("json", json::diagnosis(of, &[])),
        ("github", github::annotation(of)),
        ("markdown", markdown::section(of)),
        ("sarif", sarif::document(std::slice::from_ref(of))),
    ]
}

/// The one address that an issue links to.
const LINK: &str = "https://ci.example/jobs/1";

/// An issue that quotes it wherever an issue quotes something.
fn issue(of: &Diagnosed<'_>, text: &str) -> (String, String) {
    let met = Occurrence {
        repository: text,
        job: text,
        url: Some(LINK),
        when: text,
        outcome: text,
        incident: text,
    };
    let tried = Tried { playbook: text, outcome: text, why: Some(text) };
    let issue = Escalation {
        of,
        met: &[met.clone(), Occurrence { url: Some(text), ..met }],
        more: 3,
        tried: &[tried],
        because: text,
    };
    (issue.title(), issue.body())
}

/// The issue about an outage, in the same way.
fn outage(text: &str) -> (String, String) {
    let issue = OutageIssue { service: text, class: text, since: text, repositories: &[text] };
    (issue.title(), issue.body())
}

/// What no format may hold, whatever it quotes.
fn assert_harmless(what: &str, of: &Diagnosed<'_>) {
    for (format, text) in formats(of) {
        let at = format!("{what} in {format}: {text:?}");
        let hidden = |c: char| {
            (c.is_control() && c != '\n')
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{180e}'
                    | '\u{3164}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
        };
        assert!(!text.contains(hidden), "{at}");
        for command in ["##[", "##vso[", "##teamcity["] {
            assert!(!text.contains(command), "{at}");
        }
        // The excerpt's own `:::` names no command.
        let is_command =
            |line: &&str| line.trim_start().starts_with("::") && !line.trim_start().starts_with(":::");
        let commands = text.lines().filter(is_command).count();
        assert_eq!(commands, usize::from(format == "github"), "{at}");
        match format {
            "plain" => assert!(text.lines().all(|line| !line.starts_with("error: ")), "{at}"),
            "json" => {
                assert_eq!(text.lines().count(), 1, "{at}");
                let value: Value = serde_json::from_str(&text).unwrap();
                assert_eq!(value["evidence"][0]["text"], of.diagnosis.evidence[0].text, "{at}");
                assert_eq!(value["verdict"], of.diagnosis.class.verdict().to_string(), "{at}");
            }
            "github" => assert_eq!(text.lines().count(), 1, "{at}"),
            "markdown" => assert_means_itself(&text, 1, 0, &at),
            _ => {
                let value: Value = serde_json::from_str(&text).unwrap();
                let message = value["runs"][0]["results"][0]["message"]["text"].as_str().unwrap();
                assert!(!message.replace("\\\\", "").replace("\\[", "").contains('['), "{at}");
            }
        }
    }
}

/// Read as Markdown, it has no elements but ours: nothing that is quoted made one.
fn assert_means_itself(text: &str, headings: usize, links: usize, at: &str) {
    let mut seen = (0, 0);
    for event in Parser::new(text) {
        match event {
            Event::Start(Tag::Heading { .. }) => seen.0 += 1,
            Event::Start(Tag::Link { dest_url, .. }) if *dest_url == *LINK => seen.1 += 1,
            Event::Start(
                Tag::Link { .. }
                | Tag::Image { .. }
                | Tag::HtmlBlock
                | Tag::BlockQuote(_)
                | Tag::Emphasis
                | Tag::Strong,
            )
            | Event::Html(_)
            | Event::InlineHtml(_)
            | Event::Rule => panic!("{event:?} {at}"),
            _ => {}
        }
    }
    assert_eq!(seen, (headings, links), "{at}");
    // What GitHub and GitLab make of text that is shown as such: mentions, references, addresses. Code is left alone.
    let mut shown = String::new();
    let mut code = false;
    for event in Parser::new(text) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => code = true,
            Event::End(pulldown_cmark::TagEnd::CodeBlock) => code = false,
            Event::Text(words) if !code => shown.push_str(&words),
            Event::SoftBreak => shown.push('\n'),
            _ => {}
        }
    }
    for (mark, next) in [('@', 'e'), ('@', 'o'), ('#', '1')] {
        assert!(!shown.contains(&format!("{mark}{next}")), "{shown:?} {at}");
    }
    assert!(!shown.contains("://"), "{shown:?} {at}");
}

#[test]
fn what_is_quoted_stays_a_quotation() {
    for (what, text) in ATTACKS {
        assert_harmless(what, &quoting(text));
    }
}

#[test]
fn what_an_issue_quotes_stays_a_quotation() {
    for (what, text) in ATTACKS {
        let about_a_failure = (issue(&quoting(text), text), 4, 1);
        for ((title, body), headings, links) in [about_a_failure, (outage(text), 1, 0)] {
            assert_means_itself(&body, headings, links, what);
            assert!(
                !title.contains('\n') && !body.contains(|c: char| c.is_control() && c != '\n'),
                "{what}: {body:?}"
            );
        }
    }
}

#[test]
fn an_issue_says_what_it_is_where_it_was_met_what_was_tried_and_how_to_act() {
    let log = "npm error code ECONNRESET\nnpm error network read ECONNRESET\nError: Process completed with exit code 1.\n";
    let scan = DETECTOR.scan(&read(log.as_bytes(), &ReadOptions::default()), &Circumstances::default());
    let Detection { diagnosis, .. } = DETECTOR.conclude(&scan, &[], &Masker::new::<[&str; 0], &str>([]));
    let pattern = diagnosis.pattern.as_deref().and_then(|id| CATALOG.pattern(id));
    let of = Diagnosed {
        input: "ci / build".to_owned(),
        diagnosis,
        cure: CURE,
        pattern,
        hang: None,
        named: Named::default(),
    };
    let met: Vec<String> = (0..30).map(|i| format!("inc-{i}")).collect();
    let met: Vec<_> = met
        .iter()
        .map(|incident| Occurrence {
            repository: "acme/web",
            job: "build",
            url: Some(LINK),
            when: "2026-11-29 10:00 UTC",
            outcome: "rolled-back",
            incident,
        })
        .collect();
    let tried = [Tried {
        playbook: "rerun-failed-jobs",
        outcome: "rolled-back",
        why: Some("attempt 2 failed alike"),
    }];
    let issue = Escalation { of: &of, met: &met, more: 5, tried: &tried, because: "no attempt is left." };
    assert!(issue.title().starts_with("CI: network-timeout of npm: npm-"), "{}", issue.title());
    let body = issue.body();
    for part in [
        "ECONNRESET",
        "and 15 more",
        "`rerun-failed-jobs`: rolled-back: attempt 2 failed alike",
        "\nno attempt is left.\n",
        "`regreen incidents show` `inc-0`",
    ] {
        assert!(body.contains(part), "{part} in {body}");
    }
    assert_eq!(body.matches(LINK).count(), 20);
}

/// The same, from the log's bytes on: what reading leaves of an attack is no attack either.
#[test]
fn what_a_log_says_stays_a_quotation() {
    for (what, attack) in ATTACKS {
        let log =
            format!("##[group]Run {attack}\nsrc/a.c:3:9: error: {attack} forged\nmake: *** [a.o] Error 1\n");
        let log = read(log.as_bytes(), &ReadOptions::default());
        let scan = DETECTOR.scan(&log, &Circumstances::default());
        let masker = Masker::new::<[&str; 0], &str>([]);
        let Detection { diagnosis, hang, .. } = DETECTOR.conclude(&scan, &[], &masker);
        let pattern = diagnosis.pattern.as_deref().and_then(|id| CATALOG.pattern(id));
        let input = regreen_show::harmless::harmless(attack);
        assert_harmless(
            what,
            &Diagnosed { input, diagnosis, cure: CURE, pattern, hang, named: Named::default() },
        );
    }
}

mod any {
    use proptest::prelude::*;

    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            3 => "\\PC{0,6}",
            2 => any::<char>().prop_map(String::from),
            4 => proptest::sample::select(super::ATTACKS.map(|(_, text)| text).to_vec()).prop_map(str::to_owned),
            4 => proptest::sample::select(vec![
                "#", "[", "]", ":", "::", "##", "`", "\\", "\n", "\r", "@", "<", ">", "&", "vso", "!", "(", ")", "_", "*", " ",
                "://", "www.", "~~~", "---", "===", "|", "\u{1b}", "\u{301}",
            ])
            .prop_map(str::to_owned),
        ];
        proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn text_stays_a_quotation(text in hostile()) {
            super::assert_harmless("any", &super::quoting(&text));
        }
    }
}
