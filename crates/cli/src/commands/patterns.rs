//! `regreen patterns list|show|test`.

use crate::{
    args::{Format, Patterns},
    commands::prove,
    context::{Context, catalog},
    exit::{Failed, NOTHING_TO_READ},
    output::{
        known::{pattern_plain, patterns_json, patterns_plain},
        print::print,
    },
};

/// Lists, shows or proves.
pub fn patterns(context: &Context, command: &Patterns) -> Result<u8, Failed> {
    let catalog = catalog()?;
    print(&match command {
        Patterns::Test { files } => return prove::test(context, &catalog, files),
        Patterns::List { format: Format::Plain } => patterns_plain(catalog.patterns()),
        Patterns::List { format: Format::Json } => patterns_json(catalog.patterns()),
        Patterns::Show { id, format } => {
            let pattern = catalog.pattern(id).ok_or_else(|| {
                Failed::new(NOTHING_TO_READ, format!("there is no pattern `{id}`"))
                    .help("`regreen patterns list` shows what there is")
            })?;
            match format {
                Format::Plain => pattern_plain(pattern),
                Format::Json => patterns_json([pattern]),
            }
        }
    })
}
