//! TLS to PostgreSQL, with a server whose certificate is of an authority of its own.

use std::{net::TcpListener, sync::Arc};

use regreen_ledger::{AsIs, Ledger, LedgerError};

use crate::{
    faults::script_with,
    world::{connect, diagnosis, incident, server},
};

/// A server with TLS, to be ended.
struct Tls(tempfile::TempDir);

impl Drop for Tls {
    fn drop(&mut self) {
        script_with("stop", self.0.path(), &[]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_believed_by_its_certificate_and_no_other_is() {
    if server().is_none() {
        return;
    }
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let own = Tls(tempfile::tempdir().unwrap());
    let said = script_with("start-tls", own.0.path(), &[&free]);
    let [address, authority, other] = said.split(' ').collect::<Vec<_>>()[..] else { panic!("{said}") };
    let full = |root: &str| format!("{address}?sslmode=verify-full&sslrootcert={root}");
    let good = full(authority);
    let ledger = Ledger::connect(&good, Arc::new(AsIs)).await.unwrap();
    ledger.open_incident(&incident("a", 1, &diagnosis())).await.unwrap();
    let ssl = "SELECT CAST(CASE WHEN ssl THEN 1 ELSE 0 END AS BIGINT) FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let encrypted: i64 = sqlx::query_scalar(ssl).fetch_one(&mut connect(&good).await).await.unwrap();
    assert_eq!(encrypted, 1);
    let by_number = good.replace("localhost", "127.0.0.1");
    let plain = format!("{address}?sslmode=disable");
    for (what, refused) in [
        ("an authority that did not make it", full(other)),
        ("the system's authorities", format!("{address}?sslmode=verify-full")),
        ("another name than its own", by_number),
        ("no TLS", plain),
    ] {
        let error = Ledger::connect(&refused, Arc::new(AsIs)).await.map(drop).unwrap_err();
        let is_refused = matches!(error, LedgerError::Unreachable { .. } | LedgerError::Refused { .. });
        assert!(is_refused, "{what}: {error:?}");
    }
}
