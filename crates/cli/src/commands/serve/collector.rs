//! What the collector of figures wants to be sent beside: `OTEL_EXPORTER_OTLP_HEADERS`, `name=value,…`, each value
//! percent-encoded as in W3C Baggage (OpenTelemetry Protocol Exporter, "Specifying headers via environment variables").

use percent_encoding::percent_decode_str;

use crate::{
    context::Context,
    exit::{Failed, USAGE},
};

/// The variable.
pub(super) const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";

/// Headers: each with its name and its value.
pub(super) type Headers = Vec<(String, String)>;

/// The headers. From now on their values are masked wherever they turn up: as they stand there, decoded, and what follows a
/// scheme such as `Bearer`.
///
/// # Errors
/// A part that is no `name=value`; nothing of it is said.
pub(super) fn headers(context: &Context) -> Result<Headers, Failed> {
    let text = context.secret(HEADERS).unwrap_or_default();
    let (headers, secrets) = read(&text)?;
    secrets.iter().for_each(|secret| context.hide(secret));
    Ok(headers)
}

/// The headers, and what of them is to be hidden.
fn read(text: &str) -> Result<(Headers, Vec<String>), Failed> {
    let (mut headers, mut secrets) = (Vec::new(), Vec::new());
    let pairs = text.split(',').map(str::trim).enumerate().filter(|(_, pair)| !pair.is_empty());
    for (at, pair) in pairs {
        let wrong = |why: &str| {
            Failed::new(USAGE, format!("the variable {HEADERS}: part {} {why}", at + 1))
                .help("it is written as name=value,name=value; in a value a comma is %2C, and a blank %20")
        };
        let (name, value) = pair.split_once('=').ok_or_else(|| wrong("has no `=`"))?;
        let (name, value) = (name.trim(), value.trim());
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if name.is_empty() || !name.chars().all(is_token) {
            return Err(wrong("names no header"));
        }
        let decoded =
            percent_decode_str(value).decode_utf8().map_err(|_| wrong("is no text once decoded"))?;
        if decoded.chars().any(char::is_control) {
            return Err(wrong("has a character that no header may have"));
        }
        let after = decoded.trim().split_once(' ').map(|(_, after)| after.trim().to_owned());
        secrets.extend([value.to_owned(), decoded.to_string()].into_iter().chain(after));
        headers.push((name.to_owned(), decoded.into_owned()));
    }
    Ok((headers, secrets))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_decoded_and_hidden_in_every_form() {
        let (headers, secrets) =
            read("authorization=Bearer%20s3cr3t-of-mine, x-scope = team-one,,x-b64=YWJjZA==").unwrap();
        let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let want = [
            own("authorization", "Bearer s3cr3t-of-mine"),
            own("x-scope", "team-one"),
            own("x-b64", "YWJjZA=="),
        ];
        assert_eq!(headers, want);
        let masker = regreen_mask::Masker::new(&secrets);
        for said in
            ["Bearer s3cr3t-of-mine", "no token s3cr3t-of-mine", "Bearer%20s3cr3t-of-mine", "is YWJjZA=="]
        {
            let masked = masker.mask(&format!("401 {said} is unknown")).into_owned();
            assert!(!masked.contains("s3cr3t-of-mine") && !masked.contains("YWJjZA"), "{masked}");
        }
        assert_eq!(read("").unwrap(), Default::default());
    }

    #[test]
    fn what_is_no_header_is_refused_and_not_shown() {
        for (text, want) in [
            ("a=b,hunter2", "part 2 has no `=`"),
            ("=hunter2", "part 1 names no header"),
            ("a b=hunter2", "names no header"),
            ("a=hunter2%0d%0Ab: c", "no header may have"),
            ("a=hunter2%ff", "no text"),
        ] {
            let said = read(text).unwrap_err().to_string();
            assert!(said.contains(want) && !said.contains("hunter2"), "{text}: {said}");
        }
    }
}
