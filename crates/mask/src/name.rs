//! Which environment variables hold secrets: judged by their names, and by the addresses in them.

use memchr::{memchr, memmem, memrchr};

use crate::normal::normal;

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

/// What of a variable is secret: all of it by its name, and the passwords of the addresses in its value, whatever it is
/// called (`DATABASE_URL`, `PIP_INDEX_URL`). A password that is a part of the address, as in `postgres://postgres:postgres@db`,
/// is none.
pub fn secrets_of(name: &str, value: &[u8]) -> Vec<Vec<u8>> {
    let whole = looks_secret(name).then(|| value.to_vec());
    whole.into_iter().chain(url_passwords(value)).collect()
}

fn url_passwords(value: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let addresses = value.split(u8::is_ascii_whitespace).flat_map(|word| {
        let begins: Vec<usize> = memmem::find_iter(word, b"://").collect();
        begins.into_iter().map(move |at| (&word[..at], &word[at + 3..]))
    });
    let written = addresses.filter_map(|(before, rest)| url_password(before, rest));
    // Who connects by it unescapes it first, and says it so.
    written.flat_map(|password| {
        let meant = normal(&password);
        let meant = (meant != password).then_some(meant);
        [Some(password), meant].into_iter().flatten()
    })
}

/// The password of an address, by what stands before and after its `://`.
fn url_password(before: &[u8], rest: &[u8]) -> Option<Vec<u8>> {
    let scheme = before.rsplit(|b| !b.is_ascii_alphanumeric()).next()?;
    let end = rest.iter().position(|b| matches!(b, b'/' | b'?' | b'#')).unwrap_or(rest.len());
    let sign = match memrchr(b'@', &rest[..end]) {
        Some(sign) => sign,
        // A password may hold any sign that nobody escaped; a port is none.
        None => {
            let colon = memchr(b':', &rest[..end])?;
            let is_port = rest[colon + 1..end].iter().all(u8::is_ascii_digit);
            memchr(b'@', rest).filter(|_| !is_port)?
        }
    };
    let (user, host) = (&rest[..sign], &rest[sign + 1..]);
    let colon = memchr(b':', user)?;
    let (user, password) = (&user[..colon], &user[colon + 1..]);
    let is_part = |part: &[u8]| part.eq_ignore_ascii_case(password);
    let known = is_part(scheme) || is_part(user) || host.split(|b| b"/.:?&=,-_".contains(b)).any(is_part);
    (!known).then(|| password.to_vec())
}

#[cfg(test)]
mod tests {
    use super::{looks_secret, secrets_of};

    #[test]
    fn the_passwords_of_addresses_are_secret_whatever_the_variable_is_called() {
        for (name, value, want) in [
            ("DATABASE_URL", "postgres://app:correct-horse@db.example:5432/app", &["correct-horse"][..]),
            ("DB_URL", "mysql://app:p%40ss%2Fw0rd@db/app?ssl=1", &["p%40ss%2Fw0rd", "p@ss/w0rd"]),
            ("REDIS", "redis://:correct-horse@cache", &["correct-horse"]),
            (
                "PIP_EXTRA_INDEX_URL",
                "https://a:one-secret@x/simple https://b:two-secret@y/simple",
                &["one-secret", "two-secret"],
            ),
            ("DB_URL", "postgres://app:p/w?#rd@db/app", &["p/w?#rd"]),
            ("DB_URL", "postgres://postgres:postgres@localhost/postgres", &[]),
            ("DB_URL", "postgres://root:testdb@localhost/testdb", &[]),
            ("HOME_URL", "https://example.org:8080/a@b", &[]),
            ("GIT_URL", "ssh://git@example.org/a", &[]),
            ("API_TOKEN", "abc", &["abc"]),
            ("SENTRY_DSN", "https://a:whole-value@x", &["https://a:whole-value@x", "whole-value"]),
        ] {
            let found = secrets_of(name, value.as_bytes());
            let found: Vec<&str> = found.iter().map(|one| std::str::from_utf8(one).unwrap()).collect();
            assert_eq!(found, want, "{name}={value}");
        }
    }

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
