//! Bytes pass unchanged, apart, in order, and end when they end without us.

use std::fs;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::Stdio;

use tempfile::TempDir;

use crate::wrapper::{output, start, wait_until_gone, wrap};

/// Bytes of every value, without any order to them.
fn noise(length: usize, mut seed: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        bytes.extend_from_slice(&seed.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

#[test]
fn both_streams_are_unchanged_and_apart() {
    let folder = TempDir::new().unwrap();
    let (out, err) = (noise(5_000_001, 1), noise(3_000_017, 2));
    fs::write(folder.path().join("out"), &out).unwrap();
    fs::write(folder.path().join("err"), &err).unwrap();
    let mut command = wrap(&[], "cat out & cat err >&2; wait");
    let done = command.current_dir(folder.path()).output().unwrap();
    assert!(done.stdout == out, "standard output differs");
    assert!(done.stderr == err, "standard error differs");
}

#[test]
fn the_last_words_of_a_short_command_are_never_lost() {
    for _ in 0..100 {
        let done = output(&[], "echo out; echo err >&2; exit 3");
        assert_eq!((done.stdout.as_slice(), done.stderr.as_slice()), (&b"out\n"[..], &b"err\n"[..]));
    }
}

#[test]
fn two_streams_into_one_file_keep_their_order() {
    let folder = TempDir::new().unwrap();
    let file = fs::File::create(folder.path().join("both")).unwrap();
    let mut command = wrap(&[], "for i in 1 2 3 4 5 6 7 8 9; do echo $i; echo $i >&2; done");
    command.stdout(file.try_clone().unwrap()).stderr(file);
    assert!(command.status().unwrap().success());
    let expected: String = (1..=9).map(|i| format!("{i}\n{i}\n")).collect();
    assert_eq!(fs::read_to_string(folder.path().join("both")).unwrap(), expected);
}

#[test]
fn standard_input_passes_through() {
    let input = noise(1_000_003, 3);
    let mut child = start({
        let mut command = wrap(&[], "cat");
        command.stdin(Stdio::piped());
        command
    });
    let mut stdin = child.stdin.take().unwrap();
    let sent = input.clone();
    let writer = std::thread::spawn(move || stdin.write_all(&sent).unwrap());
    let done = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(done.stdout == input, "what was read isn't what was sent");
}

#[test]
fn output_arrives_while_the_command_runs() {
    let mut command = wrap(&[], "echo ready; read answer; echo got $answer");
    command.stdin(Stdio::piped());
    let mut child = start(command);
    let mut ready = [0; 6];
    child.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
    child.stdin.take().unwrap().write_all(b"it\n").unwrap();
    assert_eq!(child.wait_with_output().unwrap().stdout, b"got it\n");
}

#[test]
fn a_reader_that_goes_away_ends_the_command_as_without_us() {
    let mut child = start(wrap(&[], "exec yes"));
    let mut some = [0; 4096];
    child.stdout.as_mut().unwrap().read_exact(&mut some).unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(128 + 13));
}

/// The command learns of it at its very next write, though nothing was under way when the reader left.
#[test]
fn a_reader_that_goes_away_is_noticed_at_once() {
    let folder = TempDir::new().unwrap();
    let mut command = wrap(&[], "echo first; while :; do echo more || exit 55; sleep 0.01; done");
    let (reader, writer) = std::io::pipe().unwrap();
    command.current_dir(folder.path()).stdout(OwnedFd::from(writer));
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    drop(command);
    let mut first = [0; 6];
    (&reader).read_exact(&mut first).unwrap();
    drop(reader);
    let code = child.wait().unwrap().code().unwrap();
    assert!(code == 55 || code == 141, "{code}");
}

#[test]
fn a_stream_that_was_made_non_blocking_loses_nothing() {
    let (reader, writer) = std::io::pipe().unwrap();
    let flags = rustix::fs::fcntl_getfl(&writer).unwrap();
    rustix::fs::fcntl_setfl(&writer, flags | rustix::fs::OFlags::NONBLOCK).unwrap();
    let mut command = wrap(&[], "head -c 3000000 /dev/zero");
    command.stdout(OwnedFd::from(writer));
    let mut child = command.spawn().unwrap();
    drop(command);
    let mut got = Vec::new();
    (&reader).read_to_end(&mut got).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(got.len(), 3_000_000);
}

#[test]
fn memory_stays_bounded_at_any_size() {
    // The peak of the wrapper itself, read by its own child at the end of the output.
    let inner = "head -c 300000000 /dev/zero; grep VmHWM /proc/$PPID/status >&2";
    let done = wrap(&[], inner).stdout(Stdio::null()).output().unwrap();
    let text = String::from_utf8(done.stderr).unwrap();
    let peak: u64 = text.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap();
    assert!(peak < 32 * 1024, "{peak} KiB");
}

#[test]
fn the_command_is_not_left_when_nobody_reads_any_more() {
    let mut child = start(wrap(&[], "echo $$; exec yes >&2"));
    let mut line = Vec::new();
    while line.last() != Some(&b'\n') {
        let mut byte = [0];
        child.stdout.as_mut().unwrap().read_exact(&mut byte).unwrap();
        line.push(byte[0]);
    }
    let pid: i32 = String::from_utf8(line).unwrap().trim().parse().unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    assert_eq!(child.wait().unwrap().code(), Some(141));
    wait_until_gone(pid);
}
