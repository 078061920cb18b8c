//! How long `lockfile check` thinks about a lockfile of 30,000 entries, and about what changed in it: the best of
//! several runs, in time on the processor, by format, and whether that is within the goal. `cargo bench -p regreen-lockfile`
#![allow(clippy::disallowed_methods, reason = "a bench measures time")]
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

use std::fmt::Write;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use regreen_lockfile::{Format, examine, examine_changes};

const ENTRIES: usize = 30_000;
const RUNS: usize = 7;
const GOAL: Duration = Duration::from_millis(100);

/// One entry, with what stands before the first and behind the last.
struct Shape {
    format: Format,
    head: &'static str,
    entry: fn(&mut String, usize),
    tail: &'static str,
}

const SHAPES: [Shape; 8] = [
    Shape {
        format: Format::NpmLock,
        head: "{\"name\": \"x\", \"lockfileVersion\": 3, \"packages\": {\n\"\": {\"name\": \"x\"}",
        entry: |out, n| {
            let (sum, next) = (base64(n, 86), (n + 1) % ENTRIES);
            put(
                out,
                &format!(
                    ",\n\"node_modules/p{n}\": {{\n\"version\": \"1.{n}.0\",\n\"resolved\": \"https://registry.npmjs.org/p{n}/-/p{n}-1.{n}.0.tgz\",\n\"integrity\": \"sha512-{sum}==\",\n\"dependencies\": {{\"p{next}\": \"^1.0.0\"}},\n\"engines\": {{\"node\": \">=10\"}}}}"
                ),
            );
        },
        tail: "\n}}\n",
    },
    Shape {
        format: Format::CargoLock,
        head: "version = 4\n",
        entry: |out, n| {
            let (sum, next) = (hex(n, 64), (n + 1) % ENTRIES);
            put(
                out,
                &format!(
                    "\n[[package]]\nname = \"p{n}\"\nversion = \"1.{n}.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{sum}\"\ndependencies = [\n \"p{next}\",\n]\n"
                ),
            );
        },
        tail: "",
    },
    Shape {
        format: Format::PipRequirements,
        head: "",
        entry: |out, n| {
            let (one, two) = (hex(n, 64), hex(n + 7, 64));
            put(out, &format!("p{n}==1.{n}.0 \\\n    --hash=sha256:{one} \\\n    --hash=sha256:{two}\n"));
        },
        tail: "",
    },
    Shape {
        format: Format::YarnClassic,
        head: "# yarn lockfile v1\n",
        entry: |out, n| {
            let (sum, sha1, next) = (base64(n, 86), hex(n, 40), (n + 1) % ENTRIES);
            put(
                out,
                &format!(
                    "\np{n}@^1.0.0:\n  version \"1.{n}.0\"\n  resolved \"https://registry.yarnpkg.com/p{n}/-/p{n}-1.{n}.0.tgz#{sha1}\"\n  integrity sha512-{sum}==\n  dependencies:\n    p{next} \"^1.0.0\"\n"
                ),
            );
        },
        tail: "",
    },
    Shape {
        format: Format::PnpmLock,
        head: "lockfileVersion: '6.0'\n\npackages:\n",
        entry: |out, n| {
            let (sum, next) = (base64(n, 86), (n + 1) % ENTRIES);
            put(
                out,
                &format!(
                    "\n  /p{n}@1.{n}.0:\n    resolution: {{integrity: sha512-{sum}==}}\n    engines: {{node: '>=10'}}\n    dependencies:\n      p{next}: 1.{next}.0\n    dev: false\n"
                ),
            );
        },
        tail: "",
    },
    Shape {
        format: Format::PoetryLock,
        head: "",
        entry: |out, n| {
            let (one, two, next) = (hex(n, 64), hex(n + 7, 64), (n + 1) % ENTRIES);
            put(
                out,
                &format!(
                    "[[package]]\nname = \"p{n}\"\nversion = \"1.{n}.0\"\ndescription = \"a package\"\noptional = false\npython-versions = \">=3.9\"\nfiles = [\n    {{file = \"p{n}.whl\", hash = \"sha256:{one}\"}},\n    {{file = \"p{n}.tar.gz\", hash = \"sha256:{two}\"}},\n]\n\n[package.dependencies]\np{next} = \">=1\"\n\n"
                ),
            );
        },
        tail: "[metadata]\nlock-version = \"2.1\"\npython-versions = \"^3.9\"\ncontent-hash = \"0\"\n",
    },
    Shape {
        format: Format::UvLock,
        head: "version = 1\nrequires-python = \">=3.9\"\n",
        entry: |out, n| {
            let (one, two, next) = (hex(n, 64), hex(n + 7, 64), (n + 1) % ENTRIES);
            put(
                out,
                &format!(
                    "\n[[package]]\nname = \"p{n}\"\nversion = \"1.{n}.0\"\nsource = {{ registry = \"https://pypi.org/simple\" }}\ndependencies = [\n    {{ name = \"p{next}\" }},\n]\nsdist = {{ url = \"https://files.pythonhosted.org/packages/p{n}-1.{n}.0.tar.gz\", hash = \"sha256:{one}\", size = 1 }}\nwheels = [\n    {{ url = \"https://files.pythonhosted.org/packages/p{n}-1.{n}.0-py3-none-any.whl\", hash = \"sha256:{two}\", size = 1 }},\n]\n"
                ),
            );
        },
        tail: "",
    },
    Shape {
        format: Format::GoSum,
        head: "",
        entry: |out, n| put(out, &format!("example.com/m{n} v1.{n}.0 h1:{}=\n", base64(n, 43))),
        tail: "",
    },
];

fn main() -> ExitCode {
    println!("{ENTRIES} entries, best of {RUNS}; goal {} ms\n", GOAL.as_millis());
    println!("{:<18} {:>9} {:>10} {:>10}", "format", "size", "check", "changes");
    // `cargo bench -p regreen-lockfile -- uv-lock` measures that one alone.
    let only = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    for shape in SHAPES.into_iter().filter(|s| only.as_deref().is_none_or(|id| id == s.format.id())) {
        let mut text = shape.head.to_owned();
        (0..ENTRIES).for_each(|n| (shape.entry)(&mut text, n));
        text.push_str(shape.tail);
        let examined = examine(shape.format, text.as_bytes(), Some(&[]));
        let sound = examined.findings.is_empty();
        let Some(lockfile) = examined.lockfile.filter(|_| sound) else {
            println!("{}: not sound: {:?}", shape.format, examined.findings.first());
            return ExitCode::FAILURE;
        };
        let check = best(|| _ = black_box(examine(shape.format, black_box(text.as_bytes()), Some(&[]))));
        let changes = best(|| _ = black_box(examine_changes(black_box(&lockfile), black_box(&lockfile))));
        let size = text.len() as f64 / 1e6;
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let verdict = if check <= GOAL { "pass" } else { "miss" };
        let (check, changes) = (ms(check), ms(changes));
        println!("{:<18} {size:>6.1} MB {check:>7.1} ms {changes:>7.1} ms  {verdict}", shape.format.id());
    }
    ExitCode::SUCCESS
}

fn best(mut run: impl FnMut()) -> Duration {
    let time = |_| {
        let (begin, before) = (Instant::now(), on_processor());
        run();
        match (before, on_processor()) {
            (Some(before), Some(after)) => after.saturating_sub(before),
            _ => begin.elapsed(),
        }
    };
    (0..RUNS).map(time).min().unwrap_or_default()
}

/// How long this thread has had a processor: what else the machine does in the meantime does not count.
fn on_processor() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_ascii_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

fn put(out: &mut String, text: &str) {
    let _infallible = out.write_str(text);
}

fn hex(n: usize, length: usize) -> String {
    format!("{n:0length$x}")
}

/// Digits of base64 that decode whatever their number: the last one is an `A`.
fn base64(n: usize, length: usize) -> String {
    let digits = n.to_string();
    format!("{digits}{}", "A".repeat(length - digits.len()))
}
