//! Gzipped tar archives whose bytes depend on their content only.

use std::io::Write;

/// 1985-10-26T08:15:00Z: the moment that npm itself stamps on every file it packs.
pub(crate) const MODIFIED: u64 = 499_162_500;

/// The files, in the order given, as a `.tar.gz`.
pub(crate) fn tar_gz(files: &[(String, String)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(MODIFIED);
        builder.append_data(&mut header, path, content.as_bytes()).expect(IN_MEMORY);
    }
    let tar = builder.into_inner().expect(IN_MEMORY);
    let mut gzip = flate2::GzBuilder::new().mtime(0).write(Vec::new(), flate2::Compression::default());
    gzip.write_all(&tar).expect(IN_MEMORY);
    gzip.finish().expect(IN_MEMORY)
}

/// Why writing an archive of a few short names into a `Vec` can't fail.
pub(crate) const IN_MEMORY: &str = "a small archive in memory can be written";
