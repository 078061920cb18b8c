//! Docker's build cache, as the daemon that listens on this machine tells of it: layers of builds, and what was copied
//! into them. It has no checksums that anybody could check, so that entries are counted only.
//! Sources: the Docker Engine API, "Get data usage information"; answers of Docker 20.10.24.

use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use serde::Deserialize;

use super::{Asked, Cache, CacheScan, PartSize, Refill, Stats, Used, Watch, place::Place, stats::SAME};
use crate::workspace::Workspace;

/// The build cache of the daemon.
pub(crate) struct DockerBuild;

/// Where the daemon listens, unless it was told another place.
const SOCKET: &str = "/var/run/docker.sock";
/// Longest that it may take to add up its layers.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longest that it may take to say that it is there.
const SOON: Duration = Duration::from_secs(2);
/// Largest answer that is read, in bytes.
const LARGEST: u64 = 64 << 20;

impl Cache for DockerBuild {
    fn id(&self) -> &'static str {
        "docker"
    }

    fn holds(&self) -> &'static str {
        "layers of builds"
    }

    fn places(&self) -> &'static [Place] {
        &[]
    }

    /// The daemon's socket. One that listens on another machine has no cache here.
    fn find(&self, workspace: &Workspace) -> Option<PathBuf> {
        match workspace.var("DOCKER_HOST").filter(|host| !host.is_empty()) {
            Some(host) => {
                Some(PathBuf::from(host.strip_prefix("unix://")?)).filter(|path| path.is_absolute())
            }
            None => Some(PathBuf::from(SOCKET)),
        }
    }

    fn is_there(&self, root: &Path) -> bool {
        ask(root, "/_ping", SOON).is_ok()
    }

    fn is_at(&self, _: &Path) -> bool {
        false
    }

    fn by_name_only(&self) -> bool {
        true
    }

    fn counted(&self) -> (&'static str, &'static str) {
        ("entry", "entries")
    }

    /// Docker's manual, "docker builder prune": by default what no image uses, with `--all` everything that no build uses
    /// now.
    fn by_hand(&self) -> Option<&'static str> {
        Some(
            "the daemon keeps no checksums, so nothing tells which entry is damaged; where a build says `failed to \
             prepare`, build it with `--no-cache`, or empty the cache with `docker builder prune --all`: images and \
             volumes stay, and the next build makes its layers anew",
        )
    }

    fn scan(&self, root: &Path, asked: &Asked<'_>) -> CacheScan {
        let mut scan = CacheScan::default();
        match records(root) {
            Ok(records) => {
                for record in records {
                    asked.watch.count(record.size);
                    scan.unverified += 1;
                    scan.bytes += record.size;
                }
            }
            Err(e) => scan.unreadable.push(e.to_string()),
        }
        scan
    }

    fn stats(&self, root: &Path, watch: &Watch) -> Stats {
        let Ok(records) = records(root) else { return Stats { unreadable: 1, ..Stats::default() } };
        let (mut stats, mut used) = (Stats::default(), Used::default());
        let mut parts = BTreeMap::<String, PartSize>::new();
        for record in records {
            watch.count(record.size);
            stats.files += 1;
            stats.bytes += record.size;
            let name = record.kind;
            let part = parts.entry(name.clone()).or_insert_with(|| PartSize { name, ..PartSize::default() });
            part.files += 1;
            part.bytes += record.size;
            let Some(written) = moment(record.created_at.as_deref()) else { continue };
            let (first, last) = stats.written.unwrap_or((written, written));
            stats.written = Some((first.min(written), last.max(written)));
            let read = moment(record.last_used_at.as_deref()).filter(|at| *at > written + SAME);
            if let Some(read) = read {
                used.files += 1;
                used.bytes += record.size;
                used.last = Some(used.last.unwrap_or(read).max(read));
            }
        }
        stats.parts = parts.into_values().collect();
        stats.parts.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
        stats.used = Some(used);
        stats
    }

    fn refill(&self) -> Refill {
        Refill::Tool
    }
}

/// One entry of the build cache, as the daemon says it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Record {
    #[serde(rename = "Type", default)]
    kind: String,
    /// The daemon says -1 where it does not know.
    #[serde(default, deserialize_with = "size")]
    size: u64,
    created_at: Option<String>,
    last_used_at: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Usage {
    build_cache: Option<Vec<Record>>,
}

/// In milliseconds since 1970.
fn moment(text: Option<&str>) -> Option<i64> {
    text?.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

fn size<'d, D: serde::Deserializer<'d>>(from: D) -> Result<u64, D::Error> {
    i64::deserialize(from).map(|size| u64::try_from(size).unwrap_or(0))
}

fn records(socket: &Path) -> io::Result<Vec<Record>> {
    // Newer daemons leave out images and volumes, which take long to add up.
    let answer = ask(socket, "/system/df?type=build-cache", PATIENCE)?;
    let usage: Usage = serde_json::from_slice(&answer).map_err(io::Error::other)?;
    usage.build_cache.ok_or_else(|| io::Error::other("the daemon says nothing of a build cache"))
}

/// What the daemon answers to a question that changes nothing.
fn ask(socket: &Path, path: &str, patience: Duration) -> io::Result<Vec<u8>> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    // Version 1.0, so that the answer ends where the connection does.
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: docker\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    stream.take(LARGEST).read_to_end(&mut answer)?;
    let odd = || io::Error::other("the daemon's answer is not HTTP");
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n").ok_or_else(odd)?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    match head.split(' ').nth(1) {
        Some("200") => Ok(answer.split_off(end + 4)),
        _ => Err(io::Error::other(format!("the daemon says: {}", head.lines().next().unwrap_or_default()))),
    }
}

#[cfg(test)]
mod tests {
    use std::{os::unix::net::UnixListener, thread};

    use super::*;

    /// An answer of Docker 20.10.24, shortened.
    const ANSWER: &str = r#"{"LayersSize":4,"Images":[],"Containers":[],"Volumes":[],"BuildCache":[
{"ID":"9gijhe0d7iwoipxbidfdjhxjs","Parent":"","Type":"regular","Description":"fileop target","InUse":false,"Shared":true,"Size":2,"CreatedAt":"2026-11-29T11:06:01.077648067Z","LastUsedAt":"2026-11-29T11:06:02.02576628Z","UsageCount":1},
{"ID":"d69cit468l0j3azult1ehzuhi","Parent":"9gijhe0d7iwoipxbidfdjhxjs","Type":"regular","Description":"fileop target","InUse":true,"Shared":true,"Size":-1,"CreatedAt":"2026-11-29T11:06:01.179414778Z","LastUsedAt":null,"UsageCount":0},
{"ID":"x25tgrz148j3enwzlqwruq9x2","Parent":"","Type":"source.local","Description":"local source for dockerfile","InUse":false,"Shared":false,"Size":33,"CreatedAt":"2026-11-29T11:06:00.858917975Z","LastUsedAt":"2026-11-29T12:06:02.038594943Z","UsageCount":7}]}"#;

    /// A daemon that says this to everything, until its socket is gone.
    fn daemon(status: &'static str, body: &'static str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("docker.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut stream = stream;
                let _ = stream.read(&mut [0; 1024]);
                let _ = write!(stream, "HTTP/1.0 {status}\r\nContent-Type: application/json\r\n\r\n{body}");
            }
        });
        (folder, socket)
    }

    #[test]
    fn the_daemon_tells_of_its_build_cache() {
        let (_folder, socket) = daemon("200 OK", ANSWER);
        assert!(DockerBuild.is_there(&socket) && DockerBuild.by_hand().is_some());
        let watch = Watch::default();
        let scan = DockerBuild.scan(&socket, &Asked { workspace: None, watch: &watch });
        assert_eq!((scan.checked, scan.unverified, scan.bytes, scan.health()), (0, 3, 35, None));
        let stats = DockerBuild.stats(&socket, &watch);
        assert_eq!((stats.files, stats.bytes), (3, 35));
        let parts: Vec<_> = stats.parts.iter().map(|p| (p.name.as_str(), p.files, p.bytes)).collect();
        assert_eq!(parts, [("source.local", 1, 33), ("regular", 2, 2)]);
        assert_eq!(stats.used.map(|used| (used.files, used.bytes)), Some((1, 33)));
    }

    #[test]
    fn what_does_not_answer_is_not_there_and_not_damaged() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!DockerBuild.is_there(&folder.path().join("none")));
        let watch = Watch::default();
        for (status, body) in [("500 Internal Server Error", "{}"), ("200 OK", "{}"), ("200 OK", "<html>")] {
            let (_folder, socket) = daemon(status, body);
            let scan = DockerBuild.scan(&socket, &Asked { workspace: None, watch: &watch });
            assert_eq!((scan.damaged.len(), scan.unreadable.len()), (0, 1), "{status} {body}");
        }
    }

    #[test]
    fn a_daemon_on_another_machine_has_no_cache_here() {
        let find = |host: Option<&str>| {
            let env: BTreeMap<_, _> =
                host.iter().map(|host| ("DOCKER_HOST".into(), (*host).into())).collect();
            DockerBuild.find(&Workspace::new(PathBuf::from("/"), env))
        };
        assert_eq!(find(None).as_deref(), Some(Path::new(SOCKET)));
        assert_eq!(
            find(Some("unix:///run/user/1000/docker.sock")).as_deref(),
            Some(Path::new("/run/user/1000/docker.sock"))
        );
        assert_eq!(find(Some("tcp://build.example:2376")), None);
        assert_eq!(find(Some("ssh://me@build.example")), None);
    }
}
