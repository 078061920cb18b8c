//! `regreen state export|import`: what is on record, carried from one machine to the next.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufReader, BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use regreen_engine::{Event, Voice};
use regreen_ledger::{ImportMode, Imported, Ledger};

use crate::{
    args::State,
    context::{Context, runtime},
    exit::{FINE, Failed, LEDGER, NOTHING_TO_READ},
    output::print::print,
    record::{self, now},
    voice::Terminal,
};

/// Exports or imports.
pub fn state(context: &Context, command: &State) -> Result<u8, Failed> {
    runtime()?.block_on(async {
        match command {
            State::Export { file, .. } => export(context, file).await,
            State::Import { file, .. } => import(context, file).await,
        }
    })
}

fn is_stream(file: &Path) -> bool {
    file == Path::new("-")
}

async fn export(context: &Context, file: &Path) -> Result<u8, Failed> {
    let Some(ledger) = record::read(context).await? else {
        Terminal::new(context)
            .tell(Event::Progress("nothing is on record in this workspace, so nothing was exported"));
        return Ok(FINE);
    };
    if is_stream(file) {
        let mut text = Vec::new();
        ledger.export(&mut text).await?;
        return print(&String::from_utf8_lossy(&text));
    }
    let failed = |e: io::Error| Failed::new(LEDGER, format!("{}: {e}", file.display()));
    let name = file.file_name().ok_or_else(|| failed(io::Error::other("it names no file")))?;
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    // By rename: a job that is cut off in the middle leaves the file before.
    let scratch = file.with_file_name(format!(".{}.regreen-{}", name.to_string_lossy(), std::process::id()));
    let exported = write(&ledger, &scratch).await;
    let done = exported.and_then(|head| fs::rename(&scratch, file).map(|()| head).map_err(failed));
    let head = done.inspect_err(|_| drop(fs::remove_file(&scratch)))?;
    print(&format!("exported to {}, audit head {head}\n", file.display()))
}

async fn write(ledger: &Ledger, path: &Path) -> Result<String, Failed> {
    let failed = |e: io::Error| Failed::new(LEDGER, format!("{}: {e}", path.display()));
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    let mut out = BufWriter::new(file);
    let exported = ledger.export(&mut out).await?;
    out.flush().map_err(failed)?;
    out.get_ref().sync_all().map_err(failed)?;
    Ok(exported.head)
}

async fn import(context: &Context, file: &Path) -> Result<u8, Failed> {
    let imported = if is_stream(file) {
        record::write(context).await?.import(&mut BufReader::new(io::stdin()), now()).await?
    } else {
        let opened = File::open(file).and_then(|opened| match opened.metadata()?.is_dir() {
            true => Err(io::Error::from(io::ErrorKind::IsADirectory)),
            false => Ok(opened),
        });
        let opened = opened.map_err(|e| {
            Failed::new(NOTHING_TO_READ, format!("{}: {e}", file.display()))
                .help("`regreen state export` writes such a file; the first job of a CI cache has none yet")
        })?;
        record::write(context).await?.import(&mut BufReader::new(opened), now()).await?
    };
    print(&said(&imported))
}

fn said(i: &Imported) -> String {
    let how = match i.mode {
        ImportMode::Same => return "all of it was on record already\n".to_owned(),
        ImportMode::FastForward => "this record goes on where the file ends",
        ImportMode::Merged => "both records went on by themselves, and were merged",
    };
    format!(
        "imported: {} incident(s), {} journal entries, {} label(s), {} breaker event(s), {} pause(s), {} accepted pattern(s); {} of the file's \
         rows were not taken\n{how}\n",
        i.incidents, i.facts, i.feedback, i.breaker_events, i.pauses, i.patterns, i.kept
    )
}
