//! Shapes that are secrets wherever they stand. The group `s` is what is replaced, else the whole match.
//!
//! No rule but the private key block crosses a line, so text may be masked line by line. Token shapes follow
//! the providers' own documentation of their prefixes.

/// One shape.
pub(crate) struct Rule {
    /// Whose secret it is, or where it stands.
    pub(crate) name: &'static str,
    /// A byte regex with Unicode off.
    pub(crate) pattern: &'static str,
    /// A last look at what would be replaced.
    pub(crate) accept: fn(&[u8]) -> bool,
}

const fn rule(name: &'static str, pattern: &'static str) -> Rule {
    Rule { name, pattern, accept: always }
}

fn always(_: &[u8]) -> bool {
    true
}

/// After `=`: anything but a reference to a variable, a flag or what was masked already.
fn is_value(text: &[u8]) -> bool {
    !text.starts_with(b"$")
        && !text.starts_with(b"***")
        && !matches!(text, b"true" | b"false" | b"null" | b"None" | b"none" | b"undefined")
}

/// After `:`, where prose and manifests stand too (`"jsonwebtoken": "^9.0.0"`, `unexpected token: identifier`):
/// long enough, letters with digits, and no version range.
fn is_dense_value(text: &[u8]) -> bool {
    let version =
        text.strip_prefix(b"^").or(text.strip_prefix(b"~")).or(text.strip_prefix(b">=")).unwrap_or(text);
    let version_like =
        version.first().is_some_and(u8::is_ascii_digit) && version.contains(&b'.') && version.len() < 24;
    is_value(text)
        && !version_like
        && text.iter().any(u8::is_ascii_digit)
        && text.iter().any(u8::is_ascii_alphabetic)
        && !text.windows(3).any(|w| w == b"://")
}

/// Every shape.
pub(crate) const RULES: &[Rule] = &[
    rule("github", r"\bgh[opusr]_[A-Za-z0-9]{20,}"),
    rule("github-fine-grained", r"\bgithub_pat_[A-Za-z0-9_]{20,}"),
    rule("gitlab", r"\bgl(?:pat|ptt|rt|cbt|dt|ft|soat|agent|oas|ffct|imt)-[A-Za-z0-9_.-]{16,}"),
    rule("npm", r"\bnpm_[A-Za-z0-9]{30,}"),
    rule("pypi", r"\bpypi-AgE[A-Za-z0-9_-]{16,}"),
    rule("crates.io", r"\bcio[A-Za-z0-9]{32}\b"),
    rule("rubygems", r"\brubygems_[a-f0-9]{40,}"),
    rule("aws", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b"),
    rule("slack", r"\b(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,}"),
    rule("slack-webhook", r"hooks\.slack\.com/(?:services|workflows)/(?P<s>[A-Za-z0-9/_-]{16,})"),
    rule("stripe", r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{10,}"),
    rule("google", r"\bAIza[A-Za-z0-9_-]{35}"),
    rule("google-oauth", r"\bya29\.[A-Za-z0-9_-]{20,}"),
    rule("jwt", r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"),
    rule("azure-storage", r"(?i)\b(?:AccountKey|SharedAccessKey)=(?P<s>[A-Za-z0-9+/=]{20,})"),
    rule("azure-signature", r"(?i)[?&;]sig=(?P<s>[A-Za-z0-9%+/=_-]{16,})"),
    rule("azure-devops", r"\b[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}\b"),
    rule("docker-hub", r"\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}"),
    rule("hugging-face", r"\bhf_[A-Za-z0-9]{30,}"),
    rule("openai-anthropic", r"\bsk-[A-Za-z0-9_-]{20,}"),
    rule("digitalocean", r"\bdo[opr]_v1_[a-f0-9]{40,}"),
    rule("sendgrid", r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    rule("vault", r"\bhv[sbr]\.[A-Za-z0-9_-]{20,}"),
    rule("terraform-cloud", r"\b[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{40,}"),
    rule("age", r"\bAGE-SECRET-KEY-1[A-Z0-9]{20,}"),
    rule(
        "private-key",
        r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)",
    ),
    rule("url-password", r#"(?i)\b[a-z][a-z0-9+.-]*://(?P<s>[^\s/"'<>@]*:[^\s/"'<>]+)@"#),
    rule("url-token", r#"(?i)\bhttps?://(?P<s>[^\s/"'<>@:]{16,})@"#),
    rule("authorization", r#"(?i)\b(?:proxy-)?authorization["']?[ \t]*[:=][ \t]*["']?(?P<s>[^\r\n"']+)"#),
    rule(
        "token-header",
        r#"(?i)\bx-[a-z0-9-]*(?:token|key|secret|auth)["']?[ \t]*:[ \t]*["']?(?P<s>[^\s"']+)"#,
    ),
    rule("cookie", r"(?i)\b(?:set-)?cookie:[ \t]*(?P<s>[^\r\n]+)"),
    rule("bearer", r"(?i)\b(?:bearer|basic)[ \t]+(?P<s>[A-Za-z0-9._~+/=-]{16,})"),
    rule("npmrc", r#"(?i)_(?:auth|authtoken|password)["']?[ \t]*[=:][ \t]*["']?(?P<s>[^\s"']+)"#),
    rule(
        "flag",
        r#"(?i)(?:^|[\s"'])--?(?:[a-z0-9-]*-)?(?:password|passwd|passphrase|token|secret|api-?key|access-key|auth)(?:[ \t]+|=)["']?(?P<s>[^\s"'-][^\s"']*)"#,
    ),
    Rule {
        name: "assignment",
        pattern: r#"(?i)(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|secret[_-]?key|private[_-]?key|signing[_-]?key|credential)["']?[ \t]*=[ \t]*["']?(?P<s>[^\s"',;&|)]{4,})"#,
        accept: is_value,
    },
    Rule {
        name: "field",
        pattern: r#"(?i)(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|secret[_-]?key|private[_-]?key|signing[_-]?key|credential)["']?[ \t]*:[ \t]*["']?(?P<s>[^\s"',;&|)]{8,})"#,
        accept: is_dense_value,
    },
];
