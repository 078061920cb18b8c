//! The ledger on a PostgreSQL server: how its address is shown, and what the server's answers mean.

use sqlx::any::AnyConnectOptions;

use crate::LedgerError;

/// Whether it is meant as an address: then it is never taken for a path, and shown as one.
pub(crate) fn is_address(text: &str) -> bool {
    text.contains("://")
}

/// The address as it may be shown: host, port and database, and nothing else.
///
/// # Errors
/// `BadAddress`, which does not show it.
pub(crate) fn shown(address: &str) -> Result<String, LedgerError> {
    let bad = || LedgerError::BadAddress;
    let options: AnyConnectOptions = address.parse().map_err(|_| bad())?;
    let url = options.database_url;
    if !matches!(url.scheme(), "postgres" | "postgresql") {
        return Err(bad());
    }
    let named = |key: &str| url.query_pairs().find(|(k, _)| k == key).map(|(_, value)| value.into_owned());
    let host = url.host_str().filter(|host| !host.is_empty()).map(str::to_owned);
    let host = host.or_else(|| named("host")).unwrap_or_else(|| "localhost".to_owned());
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let database = Some(url.path().trim_start_matches('/').to_owned()).filter(|name| !name.is_empty());
    let database = database.or_else(|| named("dbname")).unwrap_or_default();
    Ok(format!("postgres://{host}{port}/{database}"))
}

/// What the server's code means: <https://www.postgresql.org/docs/15/errcodes-appendix.html>.
pub(crate) fn meaning(code: &str, message: &str) -> Option<LedgerError> {
    let (place, why) = (None, message.to_owned());
    Some(match code {
        // Lock not available; deadlock; serialization failure.
        "55P03" | "40P01" | "40001" => LedgerError::Locked { place },
        "25006" => LedgerError::ReadOnly { place },
        "42501" => LedgerError::NoPermission { place },
        "53100" => LedgerError::DiskFull { place },
        "XX001" | "XX002" => LedgerError::Corrupt { place, why },
        // No such role or password; no such database or schema.
        "28000" | "28P01" | "3D000" | "3F000" => LedgerError::Refused { place, why },
        // Shut down, starting up, too many connections, ended for idling in a transaction.
        "57P01" | "57P02" | "57P03" | "57P05" | "53300" | "25P03" => LedgerError::Unreachable { place, why },
        connection if connection.starts_with("08") => LedgerError::Unreachable { place, why },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        for (address, seen) in [
            ("postgres://ann:hunter2@db.example:5433/regreen", "postgres://db.example:5433/regreen"),
            (
                "postgresql://ann:hunter%402@db.example/regreen?sslmode=require",
                "postgres://db.example/regreen",
            ),
            ("postgres:///regreen?host=/run/pg&user=ann&password=hunter2", "postgres:///run/pg/regreen"),
            ("postgres:///?dbname=regreen&user=ann&password=hunter2", "postgres://localhost/regreen"),
        ] {
            assert_eq!(shown(address).unwrap(), seen);
        }
        for address in
            ["", "hunter2", "mysql://ann:hunter2@h/d", "postgres://ann:hunter2@h:port/d", "sqlite:x"]
        {
            let refused = shown(address).unwrap_err();
            assert!(matches!(refused, LedgerError::BadAddress), "{refused:?}");
        }
    }
}
