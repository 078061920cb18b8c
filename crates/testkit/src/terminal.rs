//! A terminal with a program on it, as a person has it: what is typed, what the screen shows, how large the window is.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::{
    fs::{self, File},
    io::{Read, Write},
    os::fd::AsFd,
    process::{Child, Command, ExitStatus},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use rustix::{
    pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt},
    termios::{OptionalActions, Winsize, tcgetattr, tcsetattr, tcsetwinsize},
};

/// Longer than anything in a test takes, even on a machine that does much else.
const DEADLINE: Duration = Duration::from_secs(60);

/// Polls until there is something.
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The letter that `/proc` gives for the state of a process, `None` if it is gone or a zombie.
pub fn state(pid: i32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let state = stat.rsplit_once(") ")?.1.chars().next()?;
    (state != 'Z').then_some(state)
}

/// A terminal with a program on it that is the leader of its session.
pub struct Session {
    keyboard: File,
    screen: Arc<Mutex<Vec<u8>>>,
    leader: Child,
}

impl Session {
    /// Rows and columns of the window at first.
    pub const SIZE: (u16, u16) = (33, 77);

    /// Starts a program on a new terminal. A raw one shows bytes as they are.
    pub fn start(argv: &[&str], raw: bool) -> Self {
        Self::start_in(argv, raw, |_| {})
    }

    /// Starts a program on a new terminal, in the folder and the environment that `surroundings` sets.
    pub fn start_in(argv: &[&str], raw: bool, surroundings: impl FnOnce(&mut Command)) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let slave =
            ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
                .unwrap();
        resize(&master, Self::SIZE);
        if raw {
            let mut modes = tcgetattr(&slave).unwrap();
            modes.make_raw();
            tcsetattr(&slave, OptionalActions::Now, &modes).unwrap();
        }
        let end = || slave.try_clone().unwrap();
        let mut command = Command::new("setsid");
        surroundings(&mut command);
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

    /// Types.
    pub fn type_text(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).unwrap();
    }

    /// Changes the size of the window: rows and columns.
    pub fn resize(&self, size: (u16, u16)) {
        resize(&self.keyboard, size);
    }

    /// Everything that was shown since the last [`Session::clear`].
    pub fn bytes(&self) -> Vec<u8> {
        self.screen.lock().unwrap().clone()
    }

    /// The same as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    /// Forgets what was shown so far.
    pub fn clear(&self) {
        self.screen.lock().unwrap().clear();
    }

    /// Waits until the screen shows this.
    pub fn wait_for_text(&self, text: &str) {
        wait_for(&format!("{text:?} on the screen"), || self.text().contains(text).then_some(()));
    }

    /// The number after `mark` and before a `;`.
    pub fn number_after(&self, mark: &str) -> i32 {
        wait_for(mark, || {
            let text = self.text();
            let (number, _) = text.rsplit_once(mark)?.1.split_once(';')?;
            number.parse().ok()
        })
    }

    /// Waits until the program has ended.
    pub fn ended(&mut self) -> ExitStatus {
        wait_for("the session to end", || self.leader.try_wait().unwrap())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ended_already = self.leader.kill();
        let _ended_already = self.leader.wait();
    }
}

fn resize(terminal: impl AsFd, (rows, columns): (u16, u16)) {
    tcsetwinsize(terminal, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
}
