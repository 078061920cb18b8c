//! What a project's own script does, by its name: `npm run build`, `pnpm lint`, `yarn test`.

use regreen_domain::CommandKind;

/// By the words that people agree on; any other script is opaque.
pub(crate) fn kind(name: &str) -> CommandKind {
    match name.split(':').next() {
        Some("test" | "lint") => CommandKind::Test,
        Some("build") => CommandKind::Build,
        _ => CommandKind::Opaque,
    }
}

/// The words of an argv behind its program that are no options. An option of `valued` takes the next word with it.
///
/// `None` where an option before the command is not known: then it is not clear which word is the command.
pub(crate) fn words<'a>(argv: &'a [String], flags: &[&str], valued: &[&str]) -> Option<Vec<&'a str>> {
    let mut found = Vec::new();
    let mut rest = argv.iter().skip(1).map(String::as_str);
    while let Some(word) = rest.next() {
        match word {
            "--" => break,
            _ if !word.starts_with('-') => found.push(word),
            _ if !found.is_empty() => {}
            _ if flags.contains(&word) => {}
            _ if valued.contains(&word) => drop(rest.next()?),
            _ if word.split_once('=').is_some_and(|(name, _)| valued.contains(&name)) => {}
            _ => return None,
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_by_their_name() {
        for (name, expected) in [
            ("test", CommandKind::Test),
            ("test:unit", CommandKind::Test),
            ("lint:fix", CommandKind::Test),
            ("build:prod", CommandKind::Build),
            ("builder", CommandKind::Opaque),
            ("start", CommandKind::Opaque),
        ] {
            assert_eq!(kind(name), expected, "{name}");
        }
    }

    #[test]
    fn words_are_what_is_no_option() {
        let argv = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let read = |text: &str| {
            words(&argv(text), &["-r"], &["--filter"])
                .map(|words| words.into_iter().map(str::to_owned).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(read("pnpm -r --filter web build --watch -- x").as_deref(), Some("build"));
        assert_eq!(read("pnpm --filter=web run lint").as_deref(), Some("run lint"));
        assert_eq!(read("pnpm --unknown x install"), None);
        assert_eq!(read("pnpm --filter"), None);
    }
}
