//! Laws of masking: what must go goes, what must stay stays, twice is once, and lines may be cut apart.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use proptest::prelude::*;
use regreen_mask::Masker;

fn shapes() -> Masker {
    Masker::new::<[&str; 0], &str>([])
}

/// Tokens are put together at run time, so that no scanner of this repository takes them for real ones.
fn token(prefix: &str, length: usize) -> String {
    let body: String = "A1b2C3d4E5f6G7h8J9k0".chars().cycle().take(length).collect();
    format!("{prefix}{body}")
}

#[test]
fn provider_tokens_go() {
    let upper: String = "A1B2C3D4E5F6G7H8".to_owned();
    let hex: String = "0123456789abcdef".repeat(4);
    for secret in [
        token("ghp_", 36),
        token("gho_", 36),
        token("ghs_", 36),
        token("github_pat_", 60),
        token("glpat-", 20),
        token("npm_", 36),
        token("pypi-AgEIcHlwaS5vcmc", 60),
        token("cio", 32),
        format!("AKIA{upper}"),
        token("xoxb-", 40),
        token("sk_live_", 24),
        token("AIza", 35),
        format!("{}.{}.{}", token("eyJ", 20), token("eyJ", 40), token("", 30)),
        token("dckr_pat_", 27),
        token("hf_", 34),
        token("sk-", 48),
        token("sk-ant-", 48),
        format!("dop_v1_{hex}"),
    ] {
        for around in ["{}", "fetch with {} failed", "url?x={}&y=1", "\"{}\"", "token {}"] {
            let text = around.replace("{}", &secret);
            let masked = shapes().mask(&text).into_owned();
            assert!(!masked.contains(&secret[6..]), "{secret} in {masked}");
            assert!(masked.contains("***"));
        }
    }
}

#[test]
fn places_where_secrets_stand() {
    for (text, want) in [
        ("https://user:pa55@registry.example/x", "https://***@registry.example/x"),
        ("https://user:p@ss@registry.example/x", "https://***@registry.example/x"),
        ("git clone https://oauthtokenoauthtoken@host/r.git", "git clone https://***@host/r.git"),
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: ***"),
        ("proxy-authorization: Bearer abc", "proxy-authorization: ***"),
        ("-H 'Authorization: token abc' -v", "-H 'Authorization: ***' -v"),
        ("X-Vault-Token: s.abc", "X-Vault-Token: ***"),
        ("//registry.example/:_authToken=abc-def", "//registry.example/:_authToken=***"),
        ("deploy --password hunter2 --yes", "deploy --password *** --yes"),
        ("deploy --token=abc --yes", "deploy --token=*** --yes"),
        ("DB_PASSWORD=hunter2", "DB_PASSWORD=***"),
        ("{\"client_secret\": \"ab12cd34ef\"}", "{\"client_secret\": \"***\"}"),
        ("AccountName=a;AccountKey=abcdefghijklmnopqrstuv==;x", "AccountName=a;AccountKey=***;x"),
    ] {
        assert_eq!(shapes().mask(text), want);
    }
}

#[test]
fn a_private_key_goes_whole_and_an_open_end_hides_the_rest() {
    let key = format!(
        "a\n-----BEGIN RSA {} KEY-----\nMIIB\nabcd\n-----END RSA {} KEY-----\nb",
        "PRIVATE", "PRIVATE"
    );
    assert_eq!(shapes().mask(&key), "a\n***\nb");
    let cut = format!("a\n-----BEGIN {} KEY-----\nMIIB\nabcd", "PRIVATE");
    assert_eq!(shapes().mask(&cut), "a\n***");
}

#[test]
fn ordinary_text_stays() {
    for text in [
        "npm error code ECONNRESET",
        "SyntaxError: Unexpected token '}'",
        "error: expected one of `;`, found token: identifier",
        "    \"js-tokens\": \"^4.0.0\",",
        "    \"jsonwebtoken\": \"^9.0.2\",",
        "      \"resolved\": \"https://registry.npmjs.org/@babel/core/-/core-7.0.0.tgz\",",
        "      \"integrity\": \"sha512-OLdUIYXi4gIcvQwcOtGiLVWSBtHVXqjhPBUiYQjM9ANmVMKDBgTBhJoqVOhBLjTSZq0m9vgpFVJHFKcjbYFYDg==\",",
        "secrets: inherit",
        "token: ${{ secrets.NPM_TOKEN }}",
        "password=$DB_PASSWORD",
        "ssh://git@github.com/o/r.git",
        "https://registry.npmjs.org:443/@scope/name",
        "task-runner and risk-assessment-of-many-things-in-a-row",
        "checksum = \"9d2d3e2d5c1f0b1b8f1a5b9c0f3e4d5c6b7a8f9e0d1c2b3a4f5e6d7c8b9a0f1e\"",
    ] {
        assert_eq!(shapes().mask(text), text);
        assert!(!shapes().would_change(text.as_bytes()), "{text}");
    }
}

#[test]
fn known_values_go_in_every_form() {
    let masker =
        Masker::new(["s3cr3t/value+1", "short", "line one of it\nline two of it", r#"quo"ted \ value"#]);
    for text in [
        "x s3cr3t/value+1 y",
        "x s3cr3t%2Fvalue%2B1 y",
        "x s3cr3t%2fvalue%2b1 y",
        "dTpzM2NyM3QvdmFsdWUrMQ==",
        "7: line two of it",
        r#"{"x": "quo\"ted \\ value"}"#,
    ] {
        let masked = masker.mask(text);
        assert!(masked.contains("***"), "{text} -> {masked}");
    }
    assert_eq!(masker.mask("short stays"), "short stays");
}

#[test]
fn a_long_hostile_text_takes_linear_time() {
    // Quadratic behaviour would take far longer than a test may.
    for unit in ["eyJ", "a:b@", "-----BEGIN RSA PRIVATE KEY", "https://", "token=", "AKIA"] {
        let text = unit.repeat(60_000 / unit.len());
        assert!(shapes().mask(&text).len() <= text.len() + 3);
    }
}

/// Pieces that make secrets, joined at random.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("password=".to_owned()),
        Just("--token ".to_owned()),
        Just("https://".to_owned()),
        Just("Authorization: ".to_owned()),
        Just("Bearer ".to_owned()),
        Just("***".to_owned()),
        Just("@".to_owned()),
        Just(":".to_owned()),
        Just("\"".to_owned()),
        Just("\n".to_owned()),
        Just(" ".to_owned()),
        Just(format!("{}{}", "ghp_", "a1B2".repeat(9))),
        "[a-zA-Z0-9_=./-]{1,24}",
        "\\PC{0,6}",
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn twice_is_once(text in pieces()) {
        let masker = Masker::new(["a1B2a1B2", "known value"]);
        let once = masker.mask(&text).into_owned();
        prop_assert_eq!(masker.mask(&once).into_owned(), once.clone());
        prop_assert!(!masker.would_change(once.as_bytes()));
    }

    #[test]
    fn whole_lines_may_be_masked_apart(text in pieces()) {
        let masker = shapes();
        let apart: Vec<String> = text.split('\n').map(|line| masker.mask(line).into_owned()).collect();
        prop_assert_eq!(masker.mask(&text).into_owned(), apart.join("\n"));
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let masker = Masker::new([&bytes[..bytes.len().min(12)]]);
        let once = masker.mask_bytes(&bytes).into_owned();
        prop_assert!(once.len() <= bytes.len() + 3 * (bytes.len() / 4 + 1));
    }
}
