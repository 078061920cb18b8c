//! `regreen ledger backup|restore|prune|check`: the ledger as a whole.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufReader, BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use regreen_ledger::{BackedUp, Ledger as Opened, LedgerError};

use crate::{
    args::{Format, Ledger},
    context::{Context, runtime},
    exit::{FINE, Failed, LEDGER, NOTHING_TO_READ, PROBLEMS},
    log_store,
    output::{
        ledger::{json, plain},
        print::print,
    },
    record::{self, actor, now},
    voice,
};

/// Does it.
pub fn ledger(context: &Context, command: &Ledger) -> Result<u8, Failed> {
    runtime()?.block_on(async {
        match command {
            Ledger::Backup { file, .. } => backup(context, file).await,
            Ledger::Restore { file, .. } => restore(context, file).await,
            Ledger::Prune { keep_days, .. } => prune(context, *keep_days).await,
            Ledger::Check { head, format, .. } => check(context, head.as_deref(), *format).await,
        }
    })
}

async fn present(context: &Context) -> Result<Opened, Failed> {
    let nothing = || Failed::new(NOTHING_TO_READ, record::nothing(context).trim_end());
    record::read(context).await?.ok_or_else(nothing)
}

async fn backup(context: &Context, file: &Path) -> Result<u8, Failed> {
    let ledger = present(context).await?;
    let failed = |e: io::Error| {
        Failed::new(LEDGER, format!("{}: {e}", file.display()))
            .help("name a file in a folder that you can write to")
    };
    let name = file.file_name().ok_or_else(|| failed(io::Error::other("it names no file")))?;
    // By rename: a backup that is cut off leaves the one before.
    let scratch = file.with_file_name(format!(".{}.regreen-{}", name.to_string_lossy(), std::process::id()));
    let opened =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&scratch).map_err(failed)?;
    let written = async {
        let mut out = BufWriter::new(opened);
        let done = ledger.backup(&mut out).await?;
        out.flush().and_then(|()| out.get_ref().sync_all()).map_err(failed)?;
        fs::rename(&scratch, file).map_err(failed)?;
        Ok::<_, Failed>(done)
    };
    let done = written.await.inspect_err(|_| drop(fs::remove_file(&scratch)))?;
    print(&format!("backed up to {}: {}\n", file.display(), said(&done)))
}

async fn restore(context: &Context, file: &Path) -> Result<u8, Failed> {
    let opened = File::open(file).map_err(|e| {
        Failed::new(NOTHING_TO_READ, format!("{}: {e}", file.display()))
            .help("`regreen ledger backup` writes such a file")
    })?;
    let ledger = record::write(context).await?;
    let done = ledger.restore(&mut BufReader::new(opened)).await.map_err(|e| match e {
        LedgerError::BadBackup { .. } => {
            let help = e.help().unwrap_or_default();
            Failed::new(PROBLEMS, format!("{}: {e}", file.display())).help(help)
        }
        e => e.into(),
    })?;
    print(&format!("restored into {}: {}\n", ledger.place(), said(&done)))
}

async fn prune(context: &Context, keep_days: u32) -> Result<u8, Failed> {
    present(context).await?;
    let ledger = log_store::of_fleet(context, record::write(context).await?)?;
    let now = now();
    let before = now.saturating_sub(i64::from(keep_days) * 86_400_000);
    let gone = ledger.prune(before, &actor(), now).await?;
    // After the ledger, so that a store that fails keeps nothing of that back.
    let swept = ledger.sweep_logs(self::now()).await;
    let outside = match &swept {
        Ok(Some(swept)) => format!("; {} of {} log(s) in the store", swept.gone, swept.found),
        Ok(None) | Err(_) => String::new(),
    };
    let done = print(&format!(
        "taken out: {} incident(s), {} breaker event(s), {} pause(s), {} bodies of deliveries, {} piece(s) of work, {} log(s){outside}\n",
        gone.incidents, gone.breaker_events, gone.pauses, gone.bodies, gone.work, gone.logs
    ))?;
    if let Some(trouble) = ledger.log_trouble() {
        voice::warning(context, &trouble);
    }
    swept.map(|_| done).map_err(Failed::from)
}

async fn check(context: &Context, head: Option<&str>, format: Format) -> Result<u8, Failed> {
    let ledger = log_store::of_fleet(context, present(context).await?)?;
    let report = ledger.check(head).await?;
    print(&match format {
        Format::Plain => plain(ledger.place(), &report),
        Format::Json => json(ledger.place(), &report),
    })?;
    Ok(if report.is_sound() { FINE } else { PROBLEMS })
}

fn said(done: &BackedUp) -> String {
    let outside = match done.logs_outside {
        0 => String::new(),
        n => format!(" ({n} of them by name alone: they lie in the store of logs, which is not part of it)"),
    };
    format!(
        "{} record(s), {} deliveries, {} piece(s) of work, {} log(s){outside}, audit head {}",
        done.records, done.deliveries, done.work, done.logs, done.head
    )
}
