//! The ways by which the command's output reaches us: a pseudo-terminal or a pipe for each stream.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Weak};

use rustix::fs::{FileType, OFlags, fcntl_getfl, fcntl_setfl, fstat};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{
    LocalModes, OptionalActions, OutputModes, Winsize, isatty, tcgetattr, tcgetwinsize, tcsetattr,
    tcsetwinsize,
};

use crate::Stream;

/// What a pipe holds by default on Linux (pipe(7)). Larger ones cost more than the calls that they save: what was written
/// has left the processor's cache before it is read.
pub(super) const PIPE_SIZE: usize = 64 * 1024;

/// One way from the command to us, and on to where our own stream goes.
pub(super) struct Channel {
    pub(super) stream: Stream,
    /// Shared only so that the window size can be set; whoever reads from it decides when it is closed.
    pub(super) source: Arc<OwnedFd>,
    pub(super) sink: OwnedFd,
    kind: Kind,
}

/// The command's ends of the channels.
pub(super) struct ChildEnds {
    pub(super) stdout: OwnedFd,
    pub(super) stderr: OwnedFd,
}

/// A pseudo-terminal that must have the size of the real one.
pub(super) struct Window {
    real: OwnedFd,
    pty: Weak<OwnedFd>,
    size: Winsize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Pty,
    Pipe,
}

/// Opens what our own standard output and error call for: one channel if both are the same file, else two.
pub(super) fn open() -> io::Result<(Vec<Channel>, ChildEnds)> {
    let (out, err) = (io::stdout(), io::stderr());
    let (stdout_channel, stdout) = open_one(Stream::Out, out.as_fd())?;
    if same_file(out.as_fd(), err.as_fd()) {
        let stderr = stdout.try_clone()?;
        return Ok((vec![stdout_channel], ChildEnds { stdout, stderr }));
    }
    let (stderr_channel, stderr) = open_one(Stream::Err, err.as_fd())?;
    Ok((vec![stdout_channel, stderr_channel], ChildEnds { stdout, stderr }))
}

impl Channel {
    /// The size to keep equal, if this is a pseudo-terminal.
    pub(super) fn window(&self) -> Option<Window> {
        if self.kind == Kind::Pipe {
            return None;
        }
        let size = tcgetwinsize(&self.sink).ok()?;
        Some(Window { real: self.sink.try_clone().ok()?, pty: Arc::downgrade(&self.source), size })
    }
}

impl Window {
    /// Copies the size if it has changed, and says whether it had.
    pub(super) fn follow(&mut self) -> bool {
        let (Some(pty), Ok(size)) = (self.pty.upgrade(), tcgetwinsize(&self.real)) else { return false };
        let changed = (size.ws_row, size.ws_col) != (self.size.ws_row, self.size.ws_col);
        self.size = size;
        changed && tcsetwinsize(&*pty, size).is_ok()
    }
}

fn open_one(stream: Stream, ours: BorrowedFd<'_>) -> io::Result<(Channel, OwnedFd)> {
    let (kind, (source, child_end)) = match isatty(ours) {
        true => (Kind::Pty, open_pty(ours)?),
        false => (Kind::Pipe, open_pipe()?),
    };
    let sink = ours.try_clone_to_owned()?;
    // Our end only: the command's own stays as it was.
    fcntl_setfl(&source, fcntl_getfl(&source)? | OFlags::NONBLOCK)?;
    Ok((Channel { stream, source: Arc::new(source), sink, kind }, child_end))
}

fn open_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(pipe_with(PipeFlags::CLOEXEC)?)
}

/// A pseudo-terminal like `real`, but one that changes no byte: the real one will do to the output what it does.
fn open_pty(real: BorrowedFd<'_>) -> io::Result<(OwnedFd, OwnedFd)> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let slave = ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    let mut modes = tcgetattr(real)?;
    modes.output_modes.remove(OutputModes::OPOST);
    // Nobody types into it.
    modes.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&slave, OptionalActions::Now, &modes)?;
    if let Ok(size) = tcgetwinsize(real) {
        tcsetwinsize(&master, size)?;
    }
    Ok((master, slave))
}

/// Whether writing to either is writing to the same place, so that the order between them can be seen.
///
/// Two descriptors of one regular file could still have offsets of their own (`>log 2>log`); such output is torn
/// without us and becomes whole with us.
fn same_file(one: BorrowedFd<'_>, other: BorrowedFd<'_>) -> bool {
    let (Ok(a), Ok(b)) = (fstat(one), fstat(other)) else { return false };
    let same = (a.st_dev, a.st_ino, a.st_rdev) == (b.st_dev, b.st_ino, b.st_rdev);
    let same_flags = || fcntl_getfl(one).ok() == fcntl_getfl(other).ok();
    same && (FileType::from_raw_mode(a.st_mode) != FileType::RegularFile || same_flags())
}
