//! The ledger as a file: who may read it, how it is kept, and what is refused.

use std::{fmt::Write as _, fs, io::Read, path::Path, time::Duration};

use sqlx::AnyConnection;

use crate::LedgerError;

/// Between two tries to switch a new file to write-ahead logging.
const SWITCH_PAUSE: Duration = Duration::from_millis(10);

/// The address of the file, which must be there.
///
/// # Errors
/// Where the path can't be followed.
pub(crate) fn address(path: &Path) -> Result<String, LedgerError> {
    let path = fs::canonicalize(path).map_err(|e| LedgerError::from_io("find the ledger", path, e))?;
    let mut address = "sqlite://".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                address.push(char::from(*byte));
            }
            other => _ = write!(address, "%{other:02X}"),
        }
    }
    Ok(address)
}

/// What SQLite's result code means, by its primary part (the low byte): <https://sqlite.org/rescode.html>.
pub(crate) fn meaning(code: &str, message: &str) -> Option<LedgerError> {
    let place = None;
    Some(match code.parse::<i32>().ok()? & 0xff {
        5 | 6 => LedgerError::Locked { place },
        3 | 14 | 23 => LedgerError::NoPermission { place },
        8 => LedgerError::ReadOnly { place },
        11 | 26 => LedgerError::corrupt(message),
        13 => LedgerError::DiskFull { place },
        _ => return None,
    })
}

/// Switches to write-ahead logging. SQLite does not wait by itself here, so this does.
pub(crate) async fn write_ahead(db: &mut AnyConnection, busy: Duration) -> Result<(), LedgerError> {
    let mut left = busy;
    loop {
        let answer = sqlx::query_scalar::<_, String>("PRAGMA journal_mode = WAL").fetch_one(&mut *db).await;
        match answer.map_err(LedgerError::from) {
            Ok(_) => return Ok(()),
            Err(LedgerError::Locked { .. }) if left > SWITCH_PAUSE => {
                tokio::time::sleep(SWITCH_PAUSE).await;
                left -= SWITCH_PAUSE;
            }
            Err(other) => return Err(other),
        }
    }
}

/// SQLite takes a file shorter than its smallest page for an empty one, and would write over it.
pub(crate) fn check_file(path: &Path) -> Result<(), LedgerError> {
    const MARK: &[u8] = b"SQLite format 3\0";
    const SMALLEST: u64 = 512;
    let failed = |e| LedgerError::from_io("read the ledger", path, e);
    let file = fs::File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    let mut start = Vec::new();
    file.take(MARK.len() as u64).read_to_end(&mut start).map_err(failed)?;
    if length == 0 || (length >= SMALLEST && start == MARK) {
        return Ok(());
    }
    Err(LedgerError::corrupt("it is no SQLite database").at(&path.display().to_string()))
}

/// Makes the folder and an empty file that nobody else can read, before SQLite could make one that others can.
pub(crate) fn make_file(path: &Path) -> Result<(), LedgerError> {
    #[cfg(unix)]
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        builder.mode(0o700);
        builder.create(folder).map_err(|e| LedgerError::from_io("make the folder", folder, e))?;
    }
    let mut file = fs::OpenOptions::new();
    file.write(true).create_new(true);
    #[cfg(unix)]
    file.mode(0o600);
    match file.open(path) {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(LedgerError::from_io("make the ledger", path, e))
        }
        _ => Ok(()),
    }
}
