//! `regreen patterns import FILE`: the rules of other tools as drafts.

use std::{fs::File, io::Read};

use regreen_propose::{LARGEST_IMPORT, import};

use crate::{
    args::ImportArgs,
    commands::{drafts::save, patterns},
    context::Context,
    exit::{FINE, Failed, INVALID, NOTHING_TO_READ, PROBLEMS},
    output::print::print,
    voice,
};

/// Imports.
pub fn run(context: &Context, args: &ImportArgs) -> Result<u8, Failed> {
    let (catalog, _) = patterns::known(context, &args.which)?;
    let shown = args.file.display();
    let mut text = String::new();
    let read = File::open(&args.file)
        .and_then(|file| file.take(LARGEST_IMPORT as u64 + 1).read_to_string(&mut text));
    read.map_err(|e| Failed::new(NOTHING_TO_READ, format!("{shown}: {e}")))?;
    let imported =
        import(&text, args.class, &catalog).map_err(|e| Failed::new(INVALID, format!("{shown}: {}", e.0)))?;
    let masker = context.masker();
    for (at, drafted) in imported.drafts.iter().enumerate() {
        let text = masker.mask(&drafted.text);
        match &args.output {
            Some(folder) => {
                let path = folder.join(format!("{}.toml", drafted.id));
                save(&path, &text)?;
                print(&format!("{}\n", path.display()))?;
            }
            None => _ = print(&format!("{}{text}", if at == 0 { "" } else { "\n" }))?,
        }
    }
    for skipped in &imported.skipped {
        let text = format!(
            "skipped `{}`, whose expression is `{}`: {}",
            skipped.rule, skipped.expression, skipped.why
        );
        voice::warning(context, &text);
    }
    Ok(if imported.skipped.is_empty() { FINE } else { PROBLEMS })
}
