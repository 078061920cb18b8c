//! On a terminal the command is on a terminal: size, Ctrl-C, Ctrl-Z, and who may read from it.

use regreen_testkit::terminal::{Session, state, wait_for};

use crate::wrapper::wrapper;

/// The wrapper alone, as a container or a terminal window starts it.
fn of_wrapper(script: &str) -> Session {
    let wrapper = wrapper();
    Session::start(&[wrapper.to_str().unwrap(), "--", "sh", "-c", script], false)
}

/// An interactive shell, as people have it; `W` is the wrapper.
fn of_shell() -> Session {
    let mut session = Session::start(&["bash", "--norc", "--noprofile", "-i"], false);
    session.type_text(&format!("PS1=; W='{}'; echo shell-''ready\n", wrapper().display()));
    session.wait_for_text("shell-ready");
    session
}

#[test]
fn the_command_sees_terminals() {
    let mut session = of_wrapper("test -t 0 && test -t 1 && test -t 2 && echo all-''three");
    assert_eq!(session.ended().code(), Some(0));
    session.wait_for_text("all-three");
}

#[test]
fn a_terminal_for_one_stream_only() {
    let script = "test -t 1; echo out-$? >&2; test -t 2; echo err-$? >&2";
    let command = format!("'{}' -- sh -c '{script}' | cat", wrapper().display());
    let mut session = Session::start(&["sh", "-c", &command], false);
    session.ended();
    session.wait_for_text("out-1");
    session.wait_for_text("err-0");
}

#[test]
fn bytes_pass_unchanged_through_a_terminal() {
    let wrapper = wrapper();
    let argv = [wrapper.to_str().unwrap(), "--", "printf", "a\\nb\\r\\n\\tc\\033[1m\\001\\377\\0end"];
    let mut session = Session::start(&argv, true);
    assert_eq!(session.ended().code(), Some(0));
    session.wait_for_text("end");
    assert_eq!(session.bytes(), b"a\nb\r\n\tc\x1b[1m\x01\xff\0end");
}

#[test]
fn the_window_size_is_seen_and_followed() {
    let script = "echo now-$(stty size <&2); trap 'echo then-$(stty size <&2)' WINCH; echo rea''dy; \
                  while :; do sleep 0.02; done";
    let mut session = of_wrapper(script);
    session.wait_for_text("now-33 77");
    session.wait_for_text("ready");
    session.resize((44, 111));
    session.wait_for_text("then-44 111");
    session.type_text("\x03");
    assert_eq!(session.ended().code(), Some(130));
}

#[test]
fn ctrl_c_reaches_the_command_and_the_code_is_130() {
    let mut session = of_wrapper("echo pid=$$\\;; exec sleep 1000");
    let command = session.number_after("pid=");
    session.type_text("\x03");
    assert_eq!(session.ended().code(), Some(130));
    assert_eq!(state(command), None);
}

#[test]
fn a_command_that_catches_ctrl_c_goes_on() {
    let mut session =
        of_wrapper("trap 'echo caught' INT; echo rea''dy; read x; read x; echo read-$x; exit 3");
    session.wait_for_text("ready");
    session.type_text("\x03");
    session.wait_for_text("caught");
    session.type_text("\nhello\n");
    assert_eq!(session.ended().code(), Some(3));
}

#[test]
fn ctrl_z_stops_and_fg_goes_on() {
    let mut session = of_shell();
    session.type_text("$W -- sh -c 'echo pid=$$\\;; exec sleep 1000'\n");
    let command = session.number_after("pid=");
    for _ in 0..2 {
        wait_for("it to run", || (state(command) == Some('S')).then_some(()));
        session.type_text("\x1a");
        wait_for("it to stop", || (state(command) == Some('T')).then_some(()));
        // Only a shell that has the terminal back reads this.
        session.type_text("echo back-''again\n");
        session.wait_for_text("back-again");
        session.clear();
        session.type_text("fg\n");
    }
    wait_for("it to run", || (state(command) == Some('S')).then_some(()));
    session.type_text("\x03");
    wait_for("it to end", || state(command).is_none().then_some(()));
    session.type_text("echo code=$?\\;\n");
    assert_eq!(session.number_after("code="), 130);
}

#[test]
fn a_job_put_into_the_background_goes_on_there() {
    let mut session = of_shell();
    session.type_text("$W -- sh -c 'echo pid=$$\\;; exec sleep 1000'\n");
    let command = session.number_after("pid=");
    wait_for("it to run", || (state(command) == Some('S')).then_some(()));
    session.type_text("\x1a");
    wait_for("it to stop", || (state(command) == Some('T')).then_some(()));
    session.type_text("bg\n");
    wait_for("it to run", || (state(command) == Some('S')).then_some(()));
    session.type_text("kill %1; wait; echo all-''done\n");
    session.wait_for_text("all-done");
    assert_eq!(state(command), None);
}

/// The pager behind us has the terminal; a command that asks for it gets it all the same.
#[test]
fn in_a_pipeline_the_command_gets_the_terminal_when_it_asks() {
    let mut session = of_shell();
    session.type_text("$W -- sh -c 'echo ask''ing; read x </dev/tty; echo got-$x' | cat; echo after-''all\n");
    session.wait_for_text("asking");
    session.type_text("hello\n");
    session.wait_for_text("got-hello");
    session.wait_for_text("after-all");
}

/// Without us the script would be interrupted too.
#[test]
fn ctrl_c_reaches_the_script_around_us() {
    let mut session = of_shell();
    session.type_text("sh -c \"$W -- sh -c 'echo pid=\\$\\$\\;; exec sleep 1000'; echo goes-''on\"\n");
    let command = session.number_after("pid=");
    wait_for("it to run", || (state(command) == Some('S')).then_some(()));
    session.type_text("\x03");
    wait_for("it to end", || state(command).is_none().then_some(()));
    session.type_text("echo the-''end\n");
    session.wait_for_text("the-end");
    assert!(!session.text().contains("goes-on"), "{}", session.text());
}

#[test]
fn the_shell_has_the_terminal_afterwards() {
    let mut session = of_shell();
    session.type_text("$W -- sh -c 'read x; echo got-$x; sleep 1000 &'\n");
    session.type_text("one\n");
    session.wait_for_text("got-one");
    session.type_text("read y; echo mine-$y\ntwo\n");
    session.wait_for_text("mine-two");
}
