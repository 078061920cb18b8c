//! Which environment variables hold secrets, judged by their names alone.

/// Words that make a name secret wherever they stand in it.
const WORDS: [&str; 9] =
    ["TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "APIKEY", "WEBHOOK", "COOKIE"];

/// Whole parts of a name (between `_`, `-` or `.`) that make it secret.
const PARTS: [&str; 10] = ["KEY", "KEYS", "PAT", "AUTH", "PASS", "PWD", "JWT", "DSN", "PRIVATE", "HEADERS"];

/// Endings that say the value only points at a secret or describes one, and names that every shell sets.
const HARMLESS: [&str; 8] = ["_FILE", "_PATH", "_DIR", "_SOCK", "_URL", "_ID", "_NAME", "_TTY"];

/// Whether a variable of this name holds a secret, e.g. `NPM_TOKEN`, `aws-secret-access-key`, `SIGNING_KEY`.
///
/// Names that point at a file or a socket (`…_FILE`, `SSH_AUTH_SOCK`) do not; a URL is judged by its content,
/// whatever its variable is called.
pub fn looks_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    if matches!(name.as_str(), "PWD" | "OLDPWD") || HARMLESS.iter().any(|end| name.ends_with(end)) {
        return false;
    }
    WORDS.iter().any(|word| name.contains(word))
        || name.split(['_', '-', '.']).any(|part| {
            PARTS.contains(&part)
                || (part.ends_with("KEY") && !matches!(part, "MONKEY" | "TURKEY" | "HOTKEY"))
        })
}

#[cfg(test)]
mod tests {
    use super::looks_secret;

    #[test]
    fn names_of_secrets_and_of_other_things() {
        for yes in [
            "NPM_TOKEN",
            "GITHUB_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "npm_config__authToken",
            "MYSQL_ROOT_PASSWORD",
            "SIGNING_KEY",
            "OPENAI_API_KEY",
            "SSHKEY",
            "GH_PAT",
            "BASIC_AUTH",
            "SLACK_WEBHOOK",
            "SENTRY_DSN",
            "tls-private-key",
            "OTEL_EXPORTER_OTLP_HEADERS",
        ] {
            assert!(looks_secret(yes), "{yes}");
        }
        for no in [
            "PATH",
            "HOME",
            "PWD",
            "OLDPWD",
            "KEYBOARD",
            "MONKEY",
            "SSH_AUTH_SOCK",
            "TOKEN_FILE",
            "AUTHOR",
            "LANG",
            "COMPAT",
            "AWS_ACCESS_KEY_ID",
            "PATCH",
            "DATABASE_URL",
        ] {
            assert!(!looks_secret(no), "{no}");
        }
    }
}
