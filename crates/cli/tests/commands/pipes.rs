//! Who closes the pipe has seen enough: that is no failure of any command.

use std::process::Stdio;

use crate::said::Bare;

#[test]
fn a_closed_pipe_is_success() {
    let bare = Bare::new();
    for command in [
        &["patterns", "list"][..],
        &["playbooks", "list"],
        &["explain", "unknown"],
        &["completions", "bash"],
        &["status"],
        &["incidents", "list"],
        &["metrics", "export"],
        &["manual"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        // Closed before the first byte, so that no timing decides what is tested.
        drop(reader);
        let mut child = bare.command(command).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let status = child.wait().unwrap();
        let mut err = String::new();
        std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut err).unwrap();
        assert_eq!((status.code(), err.as_str()), (Some(0), ""), "{command:?}");
    }
}
