//! The masker.

use regreen_mask::Masker;

use super::bytes;
use crate::Target;

pub(super) const TARGET: Target = Target {
    name: "mask",
    law: "a known value is gone in every form; twice is once; lines may be masked apart",
    run,
    seeds,
    words: &[
        "planted-secret-value",
        "token=",
        "password: ",
        "Authorization: ",
        "Bearer ",
        "https://u:p@x.example/",
        "_authToken=",
        "--password ",
        "ghp_",
        "github_pat_",
        "AKIA",
        "eyJ",
        "-----BEGIN RSA PRIVATE KEY-----\n",
        "-----END RSA PRIVATE KEY-----\n",
        "***",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "A1b2C3d4",
        "'",
        "\"",
        "%",
        "planted%2Dsecret",
        "\\u002d",
        "&#45;",
        "://",
        "@",
        "=",
        "xox",
    ],
    share: 60,
};

const SECRET: &str = "planted-secret-value";

thread_local! {
    static MASKER: Masker = Masker::new([SECRET]);
}

fn seeds() -> Vec<Vec<u8>> {
    [
        "npm error https://user:hunter2@registry.example/a?token=planted-secret-value\n",
        "GET /?q=planted%2Dsecret%252Dvalue&r=planted\\u002dsecret&#45;value\n",
        "Authorization: Bearer abcdefghijklmnopqrstuvwxyz\nset-cookie: a=b\n",
        "PASSWORD=hunter22 --token abcdef _auth=\"QWxhZGRpbg==\"\n",
        "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\n",
    ]
    .map(bytes)
    .to_vec()
}

fn run(input: &[u8]) {
    MASKER.with(|masker| {
        let masked = masker.mask_bytes(input);
        let has = |text: &[u8]| text.windows(SECRET.len()).any(|w| w == SECRET.as_bytes());
        assert!(!has(&masked), "{:?}", String::from_utf8_lossy(&masked));
        assert_eq!(masker.mask_bytes(&masked), masked, "{:?}", String::from_utf8_lossy(input));
        let text = String::from_utf8_lossy(input);
        let whole = masker.mask(&text);
        assert_eq!(masker.would_change(text.as_bytes()), matches!(whole, std::borrow::Cow::Owned(_)));
        if !text.contains("PRIVATE KEY") {
            let lines: Vec<_> = text.split('\n').map(|line| masker.mask(line)).collect();
            assert_eq!(lines.join("\n"), whole, "{text:?}");
        }
    });
}
