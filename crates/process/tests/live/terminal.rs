//! On a terminal the command is on a terminal: size, Ctrl-C, Ctrl-Z, and who may read from it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex};

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{OptionalActions, Winsize, tcgetattr, tcsetattr, tcsetwinsize};

use crate::wrapper::{state, wait_for, wrapper};

/// A terminal with a program on it that is the leader of its session.
struct Session {
    keyboard: File,
    screen: Arc<Mutex<Vec<u8>>>,
    leader: Child,
}

impl Session {
    /// The wrapper alone, as a container or a terminal window starts it.
    fn of_wrapper(script: &str) -> Self {
        let wrapper = wrapper();
        Self::start(&[wrapper.to_str().unwrap(), "--", "sh", "-c", script], false)
    }

    /// An interactive shell, as people have it; `W` is the wrapper.
    fn of_shell() -> Self {
        let mut session = Self::start(&["bash", "--norc", "--noprofile", "-i"], false);
        session.type_text(&format!("PS1=; W='{}'; echo shell-''ready\n", wrapper().display()));
        session.wait_for_text("shell-ready");
        session
    }

    fn start(argv: &[&str], raw: bool) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let slave =
            ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
                .unwrap();
        resize(&master, 33, 77);
        if raw {
            let mut modes = tcgetattr(&slave).unwrap();
            modes.make_raw();
            tcsetattr(&slave, OptionalActions::Now, &modes).unwrap();
        }
        let end = || slave.try_clone().unwrap();
        let mut command = Command::new("setsid");
        let leader =
            command.arg("--ctty").args(argv).stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        drop(command);
        drop(slave);
        let keyboard = File::from(master.try_clone().unwrap());
        let screen = Arc::new(Mutex::new(Vec::new()));
        let (mut output, shown) = (File::from(master), Arc::clone(&screen));
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                shown.lock().unwrap().extend_from_slice(&buffer[..count]);
            }
        });
        Self { keyboard, screen, leader }
    }

    fn type_text(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).unwrap();
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().unwrap()).into_owned()
    }

    fn wait_for_text(&self, text: &str) {
        wait_for(text, || self.text().contains(text).then_some(()));
    }

    /// The number after `mark` and before a `;`.
    fn number_after(&self, mark: &str) -> i32 {
        wait_for(mark, || {
            let text = self.text();
            let (number, _) = text.rsplit_once(mark)?.1.split_once(';')?;
            number.parse().ok()
        })
    }

    fn ended(&mut self) -> ExitStatus {
        wait_for("the session to end", || self.leader.try_wait().unwrap())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.leader.kill();
        let _ = self.leader.wait();
    }
}

fn resize(terminal: impl AsFd, rows: u16, columns: u16) {
    tcsetwinsize(terminal, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
}

#[test]
fn the_command_sees_terminals() {
    let mut session = Session::of_wrapper("test -t 0 && test -t 1 && test -t 2 && echo all-''three");
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
    assert_eq!(*session.screen.lock().unwrap(), b"a\nb\r\n\tc\x1b[1m\x01\xff\0end");
}

#[test]
fn the_window_size_is_seen_and_followed() {
    let script = "echo now-$(stty size <&2); trap 'echo then-$(stty size <&2)' WINCH; echo rea''dy; \
                  while :; do sleep 0.02; done";
    let mut session = Session::of_wrapper(script);
    session.wait_for_text("now-33 77");
    session.wait_for_text("ready");
    resize(&session.keyboard, 44, 111);
    session.wait_for_text("then-44 111");
    session.type_text("\x03");
    assert_eq!(session.ended().code(), Some(130));
}

#[test]
fn ctrl_c_reaches_the_command_and_the_code_is_130() {
    let mut session = Session::of_wrapper("echo pid=$$\\;; exec sleep 1000");
    let command = session.number_after("pid=");
    session.type_text("\x03");
    assert_eq!(session.ended().code(), Some(130));
    assert_eq!(state(command), None);
}

#[test]
fn a_command_that_catches_ctrl_c_goes_on() {
    let mut session =
        Session::of_wrapper("trap 'echo caught' INT; echo rea''dy; read x; read x; echo read-$x; exit 3");
    session.wait_for_text("ready");
    session.type_text("\x03");
    session.wait_for_text("caught");
    session.type_text("\nhello\n");
    assert_eq!(session.ended().code(), Some(3));
}

#[test]
fn ctrl_z_stops_and_fg_goes_on() {
    let mut session = Session::of_shell();
    session.type_text("$W -- sh -c 'echo pid=$$\\;; exec sleep 1000'\n");
    let command = session.number_after("pid=");
    for _ in 0..2 {
        wait_for("it to run", || (state(command) == Some('S')).then_some(()));
        session.type_text("\x1a");
        wait_for("it to stop", || (state(command) == Some('T')).then_some(()));
        // Only a shell that has the terminal back reads this.
        session.type_text("echo back-''again\n");
        session.wait_for_text("back-again");
        session.screen.lock().unwrap().clear();
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
    let mut session = Session::of_shell();
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
    let mut session = Session::of_shell();
    session.type_text("$W -- sh -c 'echo ask''ing; read x </dev/tty; echo got-$x' | cat; echo after-''all\n");
    session.wait_for_text("asking");
    session.type_text("hello\n");
    session.wait_for_text("got-hello");
    session.wait_for_text("after-all");
}

/// Without us the script would be interrupted too.
#[test]
fn ctrl_c_reaches_the_script_around_us() {
    let mut session = Session::of_shell();
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
    let mut session = Session::of_shell();
    session.type_text("$W -- sh -c 'read x; echo got-$x; sleep 1000 &'\n");
    session.type_text("one\n");
    session.wait_for_text("got-one");
    session.type_text("read y; echo mine-$y\ntwo\n");
    session.wait_for_text("mine-two");
}
