//! The server goes away in the middle: nothing acknowledged is lost, nothing is there twice, and it goes on by itself.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use regreen_ledger::{AsIs, Ledger, LedgerError, NewDelivery, NewWork, Received};
use regreen_saga::{Journal, StepEvent};
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, UnixStream},
    sync::watch,
};

use crate::world::{At, OWNER, diagnosis, fact, incident, server};

/// A server of this test's own, to be ended.
struct Own {
    folder: TempDir,
    address: String,
}

impl Own {
    fn start() -> Own {
        let folder = tempfile::tempdir().unwrap();
        let address = script("start", folder.path());
        Own { folder, address }
    }

    fn restart(&self) {
        script("restart", self.folder.path());
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        script("stop", self.folder.path());
    }
}

fn script(what: &str, folder: &Path) -> String {
    script_with(what, folder, &[])
}

/// `scripts/postgres WHAT FOLDER …`: what it prints.
pub(crate) fn script_with(what: &str, folder: &Path, more: &[&str]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/postgres");
    let output = Command::new(script).arg(what).arg(folder).args(more).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn cut_off(error: &LedgerError) -> bool {
    matches!(error, LedgerError::Unreachable { .. } | LedgerError::CommitUnknown { .. })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_restarted_in_the_middle_loses_nothing_and_doubles_nothing() {
    if server().is_none() {
        return;
    }
    let own = Own::start();
    let ledger = Ledger::connect(&own.address, Arc::new(AsIs)).await.unwrap();
    ledger.open_incident(&incident("a", 1, &diagnosis())).await.unwrap();
    let writer = tokio::spawn({
        let ledger = ledger.clone();
        async move {
            let (mut acknowledged, mut facts, mut cut, mut sent) = (Vec::new(), 0, 0, 0);
            while cut < 3 || sent < 200 {
                let id = format!("d{sent}");
                let work = NewWork { kind: "k", key: &id, payload: "{}", created_at: 1, due_at: 1 };
                let delivery = NewDelivery {
                    forge: "github",
                    id: &id,
                    event: "e",
                    kind: "k",
                    received_at: 1,
                    body: None,
                    work: Some(work),
                };
                // As a forge does: sent again until it is answered.
                match ledger.receive(&[delivery]).await {
                    Ok(_) => {
                        acknowledged.push(id);
                        sent += 1;
                    }
                    Err(error) => {
                        assert!(cut_off(&error), "{error:?}");
                        cut += 1;
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                }
                let mut journal = ledger.journal("a", OWNER, || 2);
                match journal.append(&fact("s", StepEvent::Started)).await {
                    Ok(()) => facts += 1,
                    Err(error) => {
                        let why: &LedgerError = error.source.downcast_ref().unwrap();
                        assert!(cut_off(why), "{why:?}");
                        cut += 1;
                    }
                }
            }
            (acknowledged, facts)
        }
    });
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(150)).await;
        tokio::task::block_in_place(|| own.restart());
    }
    let (acknowledged, appended) = writer.await.unwrap();
    // Not opened anew: the same handle goes on.
    assert_eq!(ledger.waiting(&[], 1).await.unwrap().ready, acknowledged.len() as u64);
    let facts = ledger.facts("a").await.unwrap();
    assert!(facts.iter().zip(1..).all(|(fact, seq)| fact.seq == seq));
    assert!(facts.len() >= appended, "{} of {appended}", facts.len());
    assert!(ledger.audit_verify(None).await.unwrap().is_sound());
}

/// When the proxy cuts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    Never,
    /// What asks to commit never arrives.
    BeforeCommit,
    /// It arrives, and is done; the answer is lost.
    AfterCommit,
}

/// A way to the server that can be cut.
async fn proxy(server: PathBuf) -> (u16, watch::Sender<Cut>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = watch::channel(Cut::Never);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (server, told) = (server.clone(), told.clone());
            tokio::spawn(async move {
                let (mut from_client, mut to_client) = client.into_split();
                let (mut from_server, mut to_server) =
                    UnixStream::connect(server).await.unwrap().into_split();
                let back = tokio::spawn(async move {
                    _ = tokio::io::copy(&mut from_server, &mut to_client).await;
                });
                while let Some(bytes) = some(&mut from_client).await {
                    // A simple query ends with a zero; `READ COMMITTED` is none.
                    let commits = bytes.windows(7).any(|word| word == b"COMMIT\0");
                    match *told.borrow() {
                        Cut::BeforeCommit if commits => break,
                        Cut::AfterCommit if commits => back.abort(),
                        _ => {}
                    }
                    to_server.write_all(&bytes).await.unwrap();
                    if back.is_finished() || (commits && *told.borrow() == Cut::AfterCommit) {
                        // Until the server has done it.
                        tokio::time::sleep(Duration::from_millis(200)).await;
                        break;
                    }
                }
                back.abort();
            });
        }
    });
    (port, tell)
}

async fn some(from: &mut (impl AsyncRead + Unpin)) -> Option<Vec<u8>> {
    let mut bytes = vec![0; 1 << 16];
    let n = from.read(&mut bytes).await.ok().filter(|n| *n > 0)?;
    bytes.truncate(n);
    Some(bytes)
}

#[tokio::test]
async fn a_connection_that_is_cut_at_a_commit_leaves_no_doubt_for_long() {
    if server().is_none() {
        return;
    }
    let at = At::new_schema().await;
    let truth = at.open().await;
    let At::Server(address) = &at else { panic!() };
    let socket = address.split(['?', '&']).find_map(|part| part.strip_prefix("host=")).unwrap();
    let (port, tell) = proxy(Path::new(socket).join(".s.PGSQL.5432")).await;
    let address = address.replacen("postgres:///", &format!("postgres://127.0.0.1:{port}/"), 1).replacen(
        &format!("host={socket}&"),
        "",
        1,
    );
    let ledger = Ledger::connect(&address, Arc::new(AsIs)).await.unwrap();
    ledger.open_incident(&incident("a", 1, &diagnosis())).await.unwrap();
    let mut facts = 0;
    for (cut, stored) in [(Cut::BeforeCommit, false), (Cut::AfterCommit, true)] {
        let id = format!("{cut:?}");
        let delivery = NewDelivery {
            forge: "github",
            id: &id,
            event: "e",
            kind: "k",
            received_at: 1,
            body: None,
            work: None,
        };
        let mut journal = ledger.journal("a", OWNER, || 2);
        journal.read().await.unwrap();
        tell.send(cut).unwrap();
        let unknown = ledger.receive(&[delivery]).await.unwrap_err();
        assert!(matches!(unknown, LedgerError::CommitUnknown { place: Some(_), .. }), "{cut:?}: {unknown:?}");
        let unknown = journal.append(&fact("s", StepEvent::Started)).await.unwrap_err();
        let why: &LedgerError = unknown.source.downcast_ref().unwrap();
        assert!(matches!(why, LedgerError::CommitUnknown { .. }), "{cut:?}: {why:?}");
        facts += usize::from(stored);
        assert_eq!(truth.facts("a").await.unwrap().len(), facts, "{cut:?}");
        // The way is free again: the same handle goes on, and what was stored is not stored again.
        tell.send(Cut::Never).unwrap();
        let expected = if stored { Received::Duplicate } else { Received::Fresh { work: false } };
        assert_eq!(ledger.receive(&[delivery]).await.unwrap(), [expected], "{cut:?}");
        let again = journal.append(&fact("s", StepEvent::Started)).await;
        assert_eq!(again.is_err(), stored, "{cut:?}: {again:?}");
        facts = truth.facts("a").await.unwrap().len();
    }
    assert_eq!(facts, 2);
    assert!(truth.audit_verify(None).await.unwrap().is_sound());
}
