//! `regreen metrics export`: every figure, for other programs.

use std::{fs, io::Write, path::Path};

use regreen_ledger::Metrics as Figures;

use crate::{
    args::{Metrics, MetricsArgs, MetricsFormat},
    config,
    context::{Context, runtime},
    exit::{FINE, Failed, LEDGER},
    output::{
        metrics::{json, original, prometheus},
        print::print,
    },
    record::{self, now},
};

/// Head of an audit chain without an entry.
const NO_HEAD: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Exports them.
pub fn metrics(context: &Context, command: &Metrics) -> Result<u8, Failed> {
    let Metrics::Export(args) = command;
    let text = runtime()?.block_on(export(context, args))?;
    let Some(path) = &args.output else { return print(&text) };
    write(path, &text).map_err(|e| {
        Failed::new(LEDGER, format!("{}: {e}", path.display()))
            .help("name a file in a folder that you can write to")
    })?;
    Ok(FINE)
}

async fn export(context: &Context, args: &MetricsArgs) -> Result<String, Failed> {
    let worth = config::operators(context, None, &context.workspace()?)?.worth();
    let (mut figures, mut head, mut history) = (Figures::default(), NO_HEAD.to_owned(), Vec::new());
    if let Some(ledger) = record::read(context).await? {
        figures = ledger.metrics(now(), None).await?;
        head = ledger.audit_head().await?;
        if args.format == MetricsFormat::Original {
            history = regreen_server::history(&ledger).await?;
        }
    }
    Ok(match args.format {
        MetricsFormat::Json => json(&figures, &worth, &head),
        MetricsFormat::Prometheus => prometheus(&figures, &worth, &head),
        MetricsFormat::Original => original(&figures, &history),
    })
}

/// By rename: who reads the file meanwhile never sees half of it.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let name = path.file_name().ok_or_else(|| std::io::Error::other("it names no file"))?;
    let scratch = path.with_file_name(format!(".{}.regreen-{}", name.to_string_lossy(), std::process::id()));
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&scratch)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&scratch, path));
    written.inspect_err(|_| drop(fs::remove_file(&scratch)))
}
