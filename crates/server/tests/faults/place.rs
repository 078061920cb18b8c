//! Where a ledger lies, and how it is cut off: SQLite by somebody who holds the file or by a disk that is full, PostgreSQL by
//! a line that breaks.

use std::{
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use regreen_ledger::{AsIs, Ledger};
use sqlx::{AnyConnection, AssertSqlSafe, Connection};
use tokio::{
    io::copy_bidirectional,
    net::{UnixListener, UnixStream},
    sync::watch,
    task::JoinHandle,
    time::sleep,
};

/// What a ledger lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// The server that `scripts/test` has started. Without it only SQLite is tried.
pub fn server() -> Option<String> {
    env::var("REGREEN_TEST_POSTGRES").ok()
}

/// Names the folder of a file system that only this process sees, and that has little room.
const DISK: &str = "REGREEN_FAULTS_DISK";

/// Whether this process has a disk that [`Place::full`] can fill.
pub fn has_small_disk() -> bool {
    env::var_os(DISK).is_some()
}

/// Runs a test of this program once more, where ledgers in SQLite lie on a disk of 24 MiB. False where this machine gives no
/// mount namespace; it is said then.
pub fn on_a_small_disk(test: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let mount = "mount -t tmpfs -o size=24m,mode=0700 none \"$1\" && exec \"$2\" --exact \"$3\" --nocapture";
    let within = |how: &str, script: &str| {
        let mut command = Command::new("unshare");
        command.args([how, "sh", "-c", script, "disk"]).arg(folder.path());
        command.arg(env::current_exe().unwrap()).arg(test).env(DISK, folder.path());
        command
    };
    let gives = |how: &&str| {
        let tried = within(how, "mount -t tmpfs none \"$1\"").output();
        tried.is_ok_and(|output| output.status.success())
    };
    let Some(how) = ["-m", "-rm"].into_iter().find(gives) else {
        println!("no mount namespace here: no disk is full");
        return false;
    };
    let output = within(how, mount).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}{}", String::from_utf8_lossy(&output.stderr));
    // One that was given another name would be no test at all.
    assert!(output.status.success() && said.contains("1 passed"), "{test} failed on a small disk, see above");
    true
}

/// An empty ledger.
pub struct Place {
    _folder: tempfile::TempDir,
    /// A path, or an address by way of the line.
    pub address: String,
    line: Option<Line>,
}

/// Everything that goes to the server goes through this, until it is cut.
struct Line {
    cuts: watch::Sender<u32>,
    serving: JoinHandle<()>,
}

impl Place {
    pub async fn new(on: Engine) -> Place {
        let folder = match env::var_os(DISK).filter(|_| on == Engine::Sqlite) {
            Some(disk) => tempfile::tempdir_in(disk).unwrap(),
            None => tempfile::tempdir().unwrap(),
        };
        match on {
            Engine::Sqlite => {
                let address = folder.path().join("ledger.db").display().to_string();
                Place { _folder: folder, address, line: None }
            }
            Engine::Postgres => {
                let server = server().unwrap();
                let host = server.split("host=").nth(1).and_then(|rest| rest.split('&').next());
                let host = host.unwrap_or_else(|| panic!("it is on no socket: {server}")).to_owned();
                let name = new_schema(&server).await;
                let socket = folder.path().join(".s.PGSQL.5432");
                let line = Line::lay(&socket, PathBuf::from(&host).join(".s.PGSQL.5432"));
                let through = server.replace(&host, &folder.path().display().to_string());
                let address = format!("{through}&options=-csearch_path%3D{name}");
                Place { _folder: folder, address, line: Some(line) }
            }
        }
    }

    /// A handle of a node's own. Tried until it can be had: the line may be cut.
    pub async fn open(&self) -> Ledger {
        open(self.address.clone()).await
    }

    /// Nobody can write for so long, or whatever is said breaks off.
    pub async fn cut(&self, held: Duration) {
        match &self.line {
            Some(line) => line.cuts.send_modify(|cuts| *cuts += 1),
            None => {
                let mut db = AnyConnection::connect(&format!("sqlite://{}", self.address)).await.unwrap();
                sqlx::raw_sql("PRAGMA busy_timeout = 5000").execute(&mut db).await.unwrap();
                if sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut db).await.is_ok() {
                    sleep(held).await;
                    let _over = sqlx::raw_sql("ROLLBACK").execute(&mut db).await;
                }
            }
        }
    }

    /// There is no room left on the small disk, until what this gives is dropped.
    pub fn full(&self) -> Full {
        let full = Full(Path::new(&env::var_os(DISK).unwrap()).join("full"));
        let mut file = fs::File::create(&full.0).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
        full
    }

    /// The server is killed in the middle of its work and started again, where that is a server of this test's own.
    pub async fn restart(&self) {
        let Some(folder) = env::var_os("REGREEN_TEST_POSTGRES_FOLDER").filter(|_| self.line.is_some()) else {
            return;
        };
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../scripts/postgres");
        let again = move || Command::new(script).arg("restart").arg(folder).status();
        assert!(tokio::task::spawn_blocking(again).await.unwrap().unwrap().success());
    }
}

/// A file that takes up all the room there is.
pub struct Full(PathBuf);

impl Drop for Full {
    fn drop(&mut self) {
        fs::remove_file(&self.0).unwrap();
    }
}

/// As [`Place::open`].
pub async fn open(address: String) -> Ledger {
    loop {
        match Ledger::at(&address, Arc::new(AsIs)).await {
            Ok(ledger) => return ledger,
            Err(_) => sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn new_schema(server: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    sqlx::any::install_default_drivers();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let name = format!("f{now}_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let mut db = AnyConnection::connect(server).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE SCHEMA {name}"))).execute(&mut db).await.unwrap();
    db.close().await.unwrap();
    name
}

impl Line {
    fn lay(from: &Path, to: PathBuf) -> Line {
        let listener = UnixListener::bind(from).unwrap();
        let (cuts, cut) = watch::channel(0);
        let serving = tokio::spawn(async move {
            loop {
                let Ok((mut near, _)) = listener.accept().await else { continue };
                let (to, mut cut) = (to.clone(), cut.clone());
                cut.mark_unchanged();
                tokio::spawn(async move {
                    // Refused while the server is away, as by the server itself.
                    let Ok(mut far) = UnixStream::connect(to).await else { return };
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        _ = cut.changed() => {}
                    }
                });
            }
        });
        Line { cuts, serving }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
