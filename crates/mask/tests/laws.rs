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
fn passwords_that_look_like_words_go_where_only_a_password_stands() {
    for (text, want) in [
        (r#"{"password":"correcthorse","user":"bob"}"#, r#"{"password":"***","user":"bob"}"#),
        (
            r#"{\"password\": \"correcthorse\", \"user\": \"bob\"}"#,
            r#"{\"password\": \"***\", \"user\": \"bob\"}"#,
        ),
        (r#"{\"token\":\"a1b2c3d4e5\"}"#, r#"{\"token\":\"***"}"#),
        (r#""client_secret": "correct-horse-battery","#, r#""client_secret": "***","#),
        (r#"{'db_pass': 'correct horse battery'}"#, r#"{'db_pass': '***'}"#),
        ("password='correct horse battery' next", "password='***' next"),
        (r#"DB_PASSWORD="correct \"horse\" battery" next"#, r#"DB_PASSWORD="***" next"#),
        (r#"password := "correct horse battery""#, r#"password := "***""#),
        (r#"{"password"=>"correcthorse"}"#, r#"{"password"=>"***"}"#),
        ("DB_PASS=correcthorse2", "DB_PASS=***"),
        ("export DB_PASS='correct horse' X=1", "export DB_PASS='***' X=1"),
        ("Server=db;Uid=app;Pwd=correcthorse;", "Server=db;Uid=app;Pwd=***;"),
        ("+ curl -sSf -u bob:pw https://x.example", "+ curl -sSf -u bob:*** https://x.example"),
        ("curl -fsu bob:pw -o a b", "curl -fsu bob:*** -o a b"),
        ("curl --user 'bob:correct horse' x", "curl --user 'bob:***' x"),
        ("docker login -u bob -p hunter2 registry.example", "docker login -u bob -p *** registry.example"),
        ("mysql -u root -phunter2 test", "mysql -u root -p*** test"),
        ("    <password>correcthorse</password>", "    <password>***</password>"),
        ("//registry.example/:_authToken=8d3c", "//registry.example/:_authToken=***"),
    ] {
        assert_eq!(shapes().mask(text), want);
    }
}

#[test]
fn what_a_log_names_as_secret_goes_everywhere_in_it() {
    for (command, shown) in [
        ("::add-mask::correct horse", "::add-mask::***"),
        ("##[add-mask]correct horse", "##[add-mask]***"),
        (
            "##vso[task.setvariable variable=a;issecret=true]correct horse",
            "##vso[task.setvariable variable=a;issecret=true]***",
        ),
    ] {
        let text = format!("{command}\nlogin with correct horse\nGET /?p=correct%20horse");
        assert_eq!(shapes().mask(&text), format!("{shown}\nlogin with ***\nGET /?p=***"));
        let known = shapes().knowing(&regreen_mask::Announced::by(text.as_bytes()));
        assert_eq!(known.mask("login with correct horse"), "login with ***");
    }
    let long = "0123456789".repeat(400);
    assert_eq!(shapes().mask(&format!("::add-mask::{long}\n{long}")), "::add-mask::***\n***");
    // Nobody hides what everybody says.
    assert_eq!(shapes().mask("::add-mask::true\nit is true"), "::add-mask::true\nit is true");
    assert_eq!(shapes().mask("::add-mask::yes\nyes"), "::add-mask::***\nyes");
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
        "password: required",
        "password is wrong",
        "Password: incorrect",
        "error: password: the field is required",
        "token: expected ';'",
        "error: unexpected token: expected `;`, found `}`",
        "error[E0425]: cannot find value `password` in this scope",
        r#"{"errors":{"password":"required","token":"invalid"}}"#,
        r#"{"password": "The password is too short.", "secret": "must not be blank"}"#,
        r#"{"errors":{"password":["can't be blank"]}}"#,
        r#""password": "string","#,
        r#"{"password":"********","secret":"<redacted>"}"#,
        r#""forgotPassword": "/auth/forgot""#,
        r#""csrf-token": "latest", "js-token": "v4.0.1", "password": "^1.2.3""#,
        r#"  password: "is required""#,
        "first_pass=true second_pass=12 third_pass=***",
        "tests: pass=12 fail=0",
        "PWD=/home/runner/work",
        "OLDPWD=/home/runner/work",
        "curl: (6) Could not resolve host: github.com",
        "curl -u $USER:$PASSWORD https://x.example",
        "curl -sSL https://x.example:8080/a -o b:c",
        "curl --user-agent a:b https://x.example",
        "login failed -p",
        "npm warn login in progress",
        "<password>${env.PASSWORD}</password>",
        "<token>expected</token>",
        "##vso[task.setvariable variable=a]value of it",
        "echo \"::add-mask::$TOKEN\"",
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
fn a_known_value_goes_however_encoders_write_it() {
    let masker = Masker::new(["p@ss/w0rd+x!Qz9", "it's a \"long\" secret", "two words+more"]);
    for text in [
        // Python's `quote`, JavaScript's `encodeURIComponent`, `encodeURI` and `URLSearchParams`.
        "p%40ss/w0rd%2Bx%21Qz9",
        "p%40ss%2Fw0rd%2Bx!Qz9",
        "p@ss/w0rd+x!Qz9",
        "p%40ss%2Fw0rd%2Bx%21Qz9",
        // An address within an address.
        "p%2540ss%252Fw0rd%252Bx%2521Qz9",
        // PHP's JSON, HTML-safe JSON, HTML.
        "p@ss\\/w0rd+x!Qz9",
        "p@ss\\/w0rd\\u002bx!Qz9",
        "p&#64;ss/w0rd&#x2B;x!Qz9",
        // `set -x`, `repr`, `printf %q`, JSON in JSON.
        "it'\\''s a \"long\" secret",
        "it'\"'\"'s a \"long\" secret",
        "it\\'s\\ a\\ \\\"long\\\"\\ secret",
        "it's a \\\\\"long\\\\\" secret",
        "it&#39;s a &quot;long&quot; secret",
        "two+words%2Bmore",
        "two%20words+more",
        "two+words+more",
        // `xxd -p`, and base64 in a query.
        "7040 is 704073732f773072642b7821517a39",
        "x=cEBzcy93MHJkK3ghUXo5",
    ] {
        let masked = masker.mask(text);
        assert!(masked.contains("***") && masked.len() < 12, "{text} -> {masked}");
    }
    let masker = Masker::new(["?>?>?>?>?>?>"]);
    assert_eq!(masker.mask("a=Pz4%2FPj8%2BPz4%2FPj8%2B&b"), "a=***&b");
}

#[test]
fn the_lines_of_a_long_value_in_base64_go() {
    let value = "0123456789".repeat(12);
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &value);
    for width in [64, 76] {
        let lines: Vec<&str> =
            encoded.as_bytes().chunks(width).map(|l| std::str::from_utf8(l).unwrap()).collect();
        let masked = Masker::new([&value]).mask(&lines.join("\n")).into_owned();
        assert!(lines.iter().all(|line| !masked.contains(&line[..8])), "{masked}");
    }
}

#[test]
fn what_only_looks_escaped_stays() {
    let masker = Masker::new(["p@ss/w0rd+x!Qz9", "it's a secret"]);
    for text in ["100% of 12 && a%2Fb \\ c", "&amp; p%40ss", "it's a secr", "C:\\new\\table 'x' + 'y'"] {
        assert_eq!(masker.mask(text), text);
    }
}

#[test]
fn a_long_hostile_text_takes_linear_time() {
    // Quadratic behaviour would take far longer than a test may.
    for unit in [
        "eyJ",
        "a:b@",
        "-----BEGIN RSA PRIVATE KEY",
        "https://",
        "token=",
        "AKIA",
        "curl -",
        "curl -u a:bcd ",
        "login ",
        "mysql -p",
        "<token>a",
        "password=\"a b",
        "::add-mask::",
    ] {
        let text = unit.repeat(60_000 / unit.len());
        assert!(shapes().mask(&text).len() <= text.len() + 3);
    }
    for unit in ["%3", "%25", "\\", "&#38;", "&", "planted%", "p\\u006", "'+"] {
        let text = unit.repeat(400_000 / unit.len());
        assert!(Masker::new(["planted 'value'"]).mask(&text).len() <= text.len());
    }
}

/// A value as some encoder writes it: `how` says of each byte whether it is escaped, and in which digits.
fn percent_encoded(value: &str, how: &[u8]) -> String {
    let encoded = value.bytes().zip(how.iter().cycle()).map(|(byte, how)| match how {
        0 if byte.is_ascii() => char::from(byte).to_string(),
        1 if byte == b' ' => "+".to_owned(),
        2 => format!("%{byte:02x}"),
        _ => format!("%{byte:02X}"),
    });
    encoded.collect()
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
        Just("\"password\":\"".to_owned()),
        Just("_pass='".to_owned()),
        Just("curl -u a:".to_owned()),
        Just("<token>".to_owned()),
        Just("\\".to_owned()),
        Just("'".to_owned()),
        Just("<".to_owned()),
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
    fn a_value_goes_whichever_of_its_bytes_are_percent_encoded(
        value in r#"[A-Za-z0-9]{8}[ -~é]{0,24}[A-Za-z0-9]"#,
        how in proptest::collection::vec(0u8..4, 1..40),
        times in 1..3,
    ) {
        let mut written = percent_encoded(&value, &how);
        for _ in 1..times {
            written = percent_encoded(&written, &how);
        }
        let text = format!("GET /a?b= {written} c\nnext {written}");
        let masked = Masker::new([&value]).mask(&text).into_owned();
        prop_assert_eq!(masked, "GET /a?b= *** c\nnext ***");
    }

    #[test]
    fn lines_with_escaped_values_may_be_masked_apart(
        lines in proptest::collection::vec(("[ -~]{0,12}", proptest::collection::vec(0u8..4, 1..9), "[ -~]{0,12}"), 1..6),
    ) {
        let masker = Masker::new(["p@ss/w0rd +x!'Qz9"]);
        let line = |(before, how, after): &(String, Vec<u8>, String)| {
            format!("{before}{}{after}", percent_encoded("p@ss/w0rd +x!'Qz9", how))
        };
        let lines: Vec<String> = lines.iter().map(line).collect();
        let apart: Vec<String> = lines.iter().map(|line| masker.mask(line).into_owned()).collect();
        let whole = masker.mask(&lines.join("\n")).into_owned();
        prop_assert_eq!(&whole, &apart.join("\n"));
        prop_assert_eq!(masker.mask(&whole).into_owned(), whole.clone());
    }

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
