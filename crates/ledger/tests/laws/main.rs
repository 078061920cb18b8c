//! The laws of the ledger, with real files and a real PostgreSQL server.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

/// Each law on both engines.
macro_rules! both_engines {
    ($($law:ident,)*) => {
        mod on_sqlite {
            $(#[tokio::test] async fn $law() { super::$law(crate::world::Engine::Sqlite).await; })*
        }
        mod on_postgres {
            $(#[tokio::test] async fn $law() {
                if crate::world::server().is_some() {
                    super::$law(crate::world::Engine::Postgres).await;
                }
            })*
        }
    };
}

mod accepted;
mod approvals;
mod audit;
mod backups;
mod bells;
mod breakers;
mod deliveries;
mod faults;
mod imports;
mod incidents;
mod journal;
mod kept_logs;
mod killed;
mod listing;
mod log_stores;
mod masking;
mod measures;
mod opening;
mod outages;
mod pruning;
mod reports;
mod server;
mod sinks;
mod spending;
mod tls;
mod tokens;
mod work;
mod world;
