//! Why a log can't be read.

/// Why a log can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is nothing in it.
    #[error("it is empty")]
    Empty,
    /// It is no text.
    #[error("it is no text but {0}")]
    Binary(&'static str),
    /// An archive, where one log was expected.
    #[error("it is an archive of several logs")]
    Archive,
    /// It grows too much when it is unpacked.
    #[error("unpacked it is larger than {0} MiB")]
    TooLarge(u64),
    /// So little makes so much only where somebody means harm.
    #[error("it unpacks to more than {0} times its size")]
    Bomb(u64),
    /// More entries than an archive of logs has.
    #[error("it has more than {0} entries")]
    Entries(usize),
    /// The archive is damaged, or of a kind that isn't read.
    #[error("the archive can't be read")]
    Zip(#[from] zip::result::ZipError),
    /// The packed bytes are damaged.
    #[error("the packed log can't be read")]
    Packed(#[source] std::io::Error),
    /// The source failed.
    #[error("it can't be read")]
    Io(#[from] std::io::Error),
}
