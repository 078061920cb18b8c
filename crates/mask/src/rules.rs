//! Shapes that are secrets wherever they stand. The group that took part is what is replaced, else the whole match.
//!
//! No rule but the private key block crosses a line, so text may be masked line by line. Token shapes follow
//! the providers' own documentation of their prefixes.

use crate::accept::{always, is_dense_value, is_no_prose, is_value, is_worded_value};
use crate::announced;

/// One shape.
pub(crate) struct Rule {
    /// Whose secret it is, or where it stands.
    pub(crate) name: &'static str,
    /// Of these words, in lower case, each match holds one in some case: a text without them is not looked at.
    pub(crate) words: &'static [&'static str],
    /// A byte regex with Unicode off.
    pub(crate) pattern: &'static str,
    /// A last look at what would be replaced.
    pub(crate) accept: fn(&[u8]) -> bool,
}

const fn rule(name: &'static str, words: &'static [&'static str], pattern: &'static str) -> Rule {
    Rule { name, words, pattern, accept: always }
}

/// What is called a secret where it is set.
const NAMES: &[&str] = &["password", "passwd", "passphrase", "secret", "token", "key", "credential"];

/// The same as an expression.
macro_rules! names {
    () => {
        "(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|secret[_-]?key|private[_-]?key|signing[_-]?key|credential)"
    };
}

/// Names of what need not look random.
macro_rules! passwords {
    () => {
        "(?:password|passwd|passphrase|secret|_pass|_pwd)"
    };
}

/// The end of a name in quotes, which JSON within JSON escapes.
macro_rules! unquote {
    () => {
        r#"(?:\\*["'])?[ \t]*"#
    };
}

/// A value in quotes, up to the one that ends it. Where the first one is escaped, so is the last.
macro_rules! quoted {
    () => {
        r#"[ \t]*(?:\\+["']([^"'\\\r\n]{4,})|"((?:\\.|[^"\\\r\n]){4,})"|'((?:\\.|[^'\\\r\n]){4,})')"#
    };
}

/// The rule of the commands by which a log names secrets.
pub(crate) const ANNOUNCING: &str = "runner-command";

/// Every shape.
pub(crate) const RULES: &[Rule] = &[
    rule("github", &["gho_", "ghp_", "ghu_", "ghs_", "ghr_"], r"\bgh[opusr]_[A-Za-z0-9]{20,}"),
    rule("github-fine-grained", &["github_pat_"], r"\bgithub_pat_[A-Za-z0-9_]{20,}"),
    rule(
        "gitlab",
        &[
            "glpat-", "glptt-", "glrt-", "glcbt-", "gldt-", "glft-", "glsoat-", "glagent-", "gloas-",
            "glffct-", "glimt-",
        ],
        r"\bgl(?:pat|ptt|rt|cbt|dt|ft|soat|agent|oas|ffct|imt)-[A-Za-z0-9_.-]{16,}",
    ),
    rule("regreen", &["rgr_", "rgs_"], r"\brg[rs]_[A-Za-z0-9]{16}_[A-Za-z0-9_-]{43}"),
    rule("npm", &["npm_"], r"\bnpm_[A-Za-z0-9]{30,}"),
    rule("pypi", &["pypi-age"], r"\bpypi-AgE[A-Za-z0-9_-]{16,}"),
    rule("crates.io", &["cio"], r"\bcio[A-Za-z0-9]{32}\b"),
    rule("rubygems", &["rubygems_"], r"\brubygems_[a-f0-9]{40,}"),
    rule("aws", &["akia", "asia", "abia", "acca"], r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b"),
    rule("slack", &["xox", "xapp-"], r"\b(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,}"),
    rule(
        "slack-webhook",
        &["hooks.slack.com/"],
        r"hooks\.slack\.com/(?:services|workflows)/(?P<s>[A-Za-z0-9/_-]{16,})",
    ),
    rule("stripe", &["k_live_", "k_test_"], r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{10,}"),
    rule("google", &["aiza"], r"\bAIza[A-Za-z0-9_-]{35}"),
    rule("google-oauth", &["ya29."], r"\bya29\.[A-Za-z0-9_-]{20,}"),
    rule("jwt", &["eyj"], r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"),
    rule(
        "azure-storage",
        &["accountkey=", "sharedaccesskey="],
        r"(?i)\b(?:AccountKey|SharedAccessKey)=(?P<s>[A-Za-z0-9+/=]{20,})",
    ),
    rule("azure-signature", &["sig="], r"(?i)[?&;]sig=(?P<s>[A-Za-z0-9%+/=_-]{16,})"),
    rule("azure-devops", &["azdo"], r"\b[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}\b"),
    rule("docker-hub", &["dckr_"], r"\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}"),
    rule("hugging-face", &["hf_"], r"\bhf_[A-Za-z0-9]{30,}"),
    rule("openai-anthropic", &["sk-"], r"\bsk-[A-Za-z0-9_-]{20,}"),
    rule("digitalocean", &["_v1_"], r"\bdo[opr]_v1_[a-f0-9]{40,}"),
    rule("sendgrid", &["sg."], r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    rule("vault", &["hvs.", "hvb.", "hvr."], r"\bhv[sbr]\.[A-Za-z0-9_-]{20,}"),
    rule("terraform-cloud", &[".atlasv1."], r"\b[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{40,}"),
    rule("age", &["age-secret-key-1"], r"\bAGE-SECRET-KEY-1[A-Z0-9]{20,}"),
    rule(
        "private-key",
        &["private key"],
        r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)",
    ),
    rule("url-password", &["://"], r#"(?i)\b[a-z][a-z0-9+.-]*://(?P<s>[^\s/"'<>@]*:[^\s/"'<>]+)@"#),
    rule("url-token", &["://"], r#"(?i)\bhttps?://(?P<s>[^\s/"'<>@:]{16,})@"#),
    rule(
        "authorization",
        &["authorization"],
        r#"(?i)\b(?:proxy-)?authorization["']?[ \t]*[:=][ \t]*["']?(?P<s>[^\r\n"']+)"#,
    ),
    rule(
        "token-header",
        &["token", "key", "secret", "auth"],
        r#"(?i)\bx-[a-z0-9-]*(?:token|key|secret|auth)["']?[ \t]*:[ \t]*["']?(?P<s>[^\s"']+)"#,
    ),
    rule("cookie", &["cookie:"], r"(?i)\b(?:set-)?cookie:[ \t]*(?P<s>[^\r\n]+)"),
    rule("bearer", &["bearer", "basic"], r"(?i)\b(?:bearer|basic)[ \t]+(?P<s>[A-Za-z0-9._~+/=-]{16,})"),
    rule(
        "npmrc",
        &["_auth", "_password"],
        r#"(?i)_(?:auth|authtoken|password)["']?[ \t]*[=:][ \t]*["']?(?P<s>[^\s"']+)"#,
    ),
    rule(
        "flag",
        &["password", "passwd", "passphrase", "token", "secret", "api-key", "apikey", "access-key", "auth"],
        r#"(?i)(?:^|[\s"'])--?(?:[a-z0-9-]*-)?(?:password|passwd|passphrase|token|secret|api-?key|access-key|auth)(?:[ \t]+|=)["']?(?P<s>[^\s"'-][^\s"']*)"#,
    ),
    Rule {
        name: "curl-user",
        words: &["curl"],
        pattern: r#"(?i)\bcurl\b[^\r\n]*?[ \t](?:-[a-z]*u|--user|--proxy-user)[ \t=]*(?:"[^":\r\n]*:([^"\r\n]+)"|'[^':\r\n]*:([^'\r\n]+)'|[^\s:"'-][^\s:"']*:([^\s"']+))"#,
        accept: is_value,
    },
    Rule {
        name: "login",
        words: &["login", "mysql", "sshpass"],
        pattern: r#"(?i)\b(?:login\b[^\r\n]*?[ \t]-p[ \t=]+|mysql(?:dump|admin)?\b[^\r\n]*?[ \t]-p|sshpass[ \t]+-p[ \t]*)["']?(?P<s>[^\s"']+)"#,
        accept: is_value,
    },
    Rule {
        name: ANNOUNCING,
        words: &["add-mask", "task.setsecret", "task.setvariable"],
        pattern: announced::COMMANDS,
        accept: is_value,
    },
    Rule {
        name: "assignment",
        words: NAMES,
        pattern: concat!("(?i)", names!(), unquote!(), r#"=[ \t]*["']?(?P<s>[^\s"',;&|)]{4,})"#),
        accept: is_value,
    },
    Rule {
        name: "quoted-assignment",
        words: NAMES,
        pattern: concat!("(?i)", names!(), unquote!(), "(?::=|=>?)", quoted!()),
        accept: is_value,
    },
    Rule {
        name: "short-assignment",
        words: &["pass", "pwd"],
        pattern: r#"(?i)[_;&?](?:pass|pwd)["']?[ \t]*=[ \t]*(?:"([^"\r\n]{4,})"|'([^'\r\n]{4,})'|([^\s"',;&|)]{4,}))"#,
        accept: is_worded_value,
    },
    Rule {
        name: "field",
        words: NAMES,
        pattern: concat!("(?i)", names!(), unquote!(), r#":[ \t]*(?:\\*["'])?(?P<s>[^\s"',;&|)]{8,})"#),
        accept: is_dense_value,
    },
    Rule {
        name: "quoted-field",
        words: &["password", "passwd", "passphrase", "secret", "_pass", "_pwd"],
        pattern: concat!("(?i)", passwords!(), unquote!(), ":", quoted!()),
        accept: is_no_prose,
    },
    Rule {
        name: "element",
        words: NAMES,
        pattern: concat!("(?i)<[a-z0-9._:-]*", names!(), r"[ \t]*>[ \t]*(?P<s>[^<\r\n]{4,})<"),
        accept: is_no_prose,
    },
];

#[cfg(test)]
mod tests {
    use regex_syntax::ParserBuilder;
    use regex_syntax::hir::{Class, Hir, HirKind};

    use super::*;

    /// Texts in lower case of which every match holds one; the more there are, the more is proved. An expression of which
    /// nothing is known gives the empty text.
    fn required(hir: &Hir) -> Vec<Vec<u8>> {
        let shortest = |texts: &[Vec<u8>]| texts.iter().map(Vec::len).min().unwrap_or(0);
        match hir.kind() {
            HirKind::Capture(capture) => required(&capture.sub),
            HirKind::Repetition(repetition) if repetition.min > 0 => required(&repetition.sub),
            HirKind::Alternation(branches) => branches.iter().flat_map(required).collect(),
            HirKind::Concat(parts) => {
                let mut best = vec![Vec::new()];
                let mut run = vec![Vec::new()];
                for part in parts {
                    let next = exact(part);
                    let Some(texts) = next.filter(|texts| run.len() * texts.len() <= 4096) else {
                        best = if shortest(&run) > shortest(&best) { run } else { best };
                        let inner = required(part);
                        best = if shortest(&inner) > shortest(&best) { inner } else { best };
                        run = vec![Vec::new()];
                        continue;
                    };
                    run = run
                        .iter()
                        .flat_map(|head| texts.iter().map(move |t| [head.as_slice(), t].concat()))
                        .collect();
                }
                if shortest(&run) > shortest(&best) { run } else { best }
            }
            _ => exact(hir).unwrap_or_else(|| vec![Vec::new()]),
        }
    }

    /// Every text that the expression matches, in lower case, where these are few.
    fn exact(hir: &Hir) -> Option<Vec<Vec<u8>>> {
        let mut texts = match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => vec![Vec::new()],
            HirKind::Literal(literal) => vec![literal.0.to_ascii_lowercase()],
            HirKind::Capture(capture) => exact(&capture.sub)?,
            HirKind::Class(Class::Bytes(class)) => {
                let bytes = class.iter().flat_map(|range| range.start()..=range.end());
                bytes.map(|byte| vec![byte.to_ascii_lowercase()]).collect()
            }
            HirKind::Repetition(repetition) if (repetition.min, repetition.max) == (0, Some(1)) => {
                exact(&repetition.sub)?.into_iter().chain([Vec::new()]).collect()
            }
            HirKind::Concat(parts) => parts.iter().try_fold(vec![Vec::new()], |texts, part| {
                let tails = exact(part).filter(|tails| tails.len() * texts.len() <= 4096)?;
                Some(
                    texts
                        .iter()
                        .flat_map(|head| tails.iter().map(move |t| [head.as_slice(), t].concat()))
                        .collect(),
                )
            })?,
            HirKind::Alternation(branches) => {
                branches.iter().map(exact).collect::<Option<Vec<_>>>()?.into_iter().flatten().collect()
            }
            _ => return None,
        };
        texts.sort();
        texts.dedup();
        (texts.len() <= 16).then_some(texts)
    }

    #[test]
    fn every_match_holds_one_of_its_rule_s_words() {
        for rule in RULES {
            let hir = ParserBuilder::new().unicode(false).utf8(false).build().parse(rule.pattern).unwrap();
            let texts = required(&hir);
            for text in &texts {
                let text = String::from_utf8_lossy(text);
                assert!(rule.words.iter().any(|word| text.contains(word)), "{}: `{text}`", rule.name);
            }
        }
    }
}
