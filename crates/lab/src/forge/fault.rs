//! What goes wrong on demand.

/// Something that goes wrong, for the calls that it fits.
#[derive(Debug, Clone)]
pub struct Trouble {
    /// `GET`, …; empty fits all.
    pub method: String,
    /// A part of the path or query; empty fits all.
    pub path: String,
    /// What goes wrong.
    pub what: What,
    /// So often.
    pub times: u32,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// This status, and nothing is done.
    Status(u16),
    /// It is done, and the answer is this status all the same.
    DoneBut(u16),
    /// It is done, and the connection breaks within the answer.
    DoneButCut,
    /// The connection breaks within the answer; nothing is done.
    Cut,
    /// No answer ever comes; nothing is done.
    Hang,
    /// The answer is no JSON.
    Garbage,
    /// A secondary limit, with so many seconds to wait where it says.
    SlowDown(Option<u64>),
    /// The hour is used up.
    UsedUp,
    /// It leads there.
    Redirect(String),
    /// This body, with status 200.
    Body(Vec<u8>),
}

impl Trouble {
    /// Once, for the next call of this method with that in its path.
    pub fn once(method: &str, path: &str, what: What) -> Trouble {
        Trouble { method: method.to_owned(), path: path.to_owned(), what, times: 1 }
    }

    /// For every call of this method with that in its path.
    pub fn always(method: &str, path: &str, what: What) -> Trouble {
        Trouble { times: u32::MAX, ..Trouble::once(method, path, what) }
    }

    pub(super) fn fits(&self, method: &str, path: &str) -> bool {
        self.times > 0 && (self.method.is_empty() || self.method == method) && path.contains(&self.path)
    }
}
