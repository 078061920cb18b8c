//! Whether the bytes of an archive are whole: the formats' own checksums, read to the end.

use std::io::{self, Read, Seek};

use crate::cache::work::{Digested, Passing};

/// Most bytes that one archive may unpack to while it is checked, against bombs.
const LARGEST: u64 = 1 << 30;

/// Reads a gzip stream to its end. Gives what is wrong with it, and the digest of the packed bytes.
///
/// # Errors
/// Where the system refuses to read: that says nothing about the archive.
pub(crate) fn gzip<R: Read>(mut packed: Passing<R>) -> io::Result<(Result<(), String>, Option<Digested>)> {
    let mut first = [0; 1];
    if packed.read(&mut first)? == 0 {
        return Ok((Err("an empty file".to_owned()), None));
    }
    let reader = io::BufReader::with_capacity(64 * 1024, (&first[..]).chain(packed.by_ref()));
    let mut reader = flate2::bufread::MultiGzDecoder::new(reader).take(LARGEST);
    let read = io::copy(&mut reader, &mut io::sink());
    drop(reader);
    match (read, packed.refused()) {
        (_, Some(refused)) => Err(refused.into()),
        (Ok(_), None) => Ok((Ok(()), packed.finish()?)),
        (Err(e), None) => Ok((Err(format!("a gzip stream that ends badly ({e})")), None)),
    }
}

/// Reads every member of a zip archive to its end. Gives what is wrong with it.
///
/// # Errors
/// Where the system refuses to read: that says nothing about the archive.
pub(crate) fn zip<R: Read + Seek>(mut packed: Passing<R>) -> io::Result<Result<(), String>> {
    let verdict = members(&mut packed);
    match packed.refused() {
        Some(refused) => Err(refused.into()),
        None => Ok(verdict),
    }
}

fn members<R: Read + Seek>(packed: &mut Passing<R>) -> Result<(), String> {
    if packed.seek(io::SeekFrom::End(0)).is_ok_and(|length| length == 0) {
        return Err("an empty file".to_owned());
    }
    let _at_the_begin = packed.seek(io::SeekFrom::Start(0));
    let mut archive = zip::ZipArchive::new(packed).map_err(|e| format!("no whole zip archive ({e})"))?;
    let mut left = LARGEST;
    for i in 0..archive.len() {
        let mut member = archive.by_index(i).map_err(|e| format!("a damaged zip member ({e})"))?.take(left);
        let read =
            io::copy(&mut member, &mut io::sink()).map_err(|e| format!("a damaged zip member ({e})"))?;
        left = left.saturating_sub(read);
    }
    Ok(())
}

/// Name and digest of every file of a zip archive. `None` where it is none, or unpacks to too much.
pub(crate) fn zip_digests(bytes: &[u8], digest: impl Fn(&[u8]) -> String) -> Option<Vec<(String, String)>> {
    let mut archive = zip::ZipArchive::new(io::Cursor::new(bytes)).ok()?;
    let mut left = LARGEST;
    let mut found = Vec::new();
    for i in 0..archive.len() {
        let member = archive.by_index(i).ok()?;
        let name = member.name().ok()?.into_owned();
        let mut content = Vec::new();
        left = left.checked_sub(member.take(left).read_to_end(&mut content).ok()? as u64)?;
        if !name.ends_with('/') {
            found.push((name, digest(&content)));
        }
    }
    (left > 0).then_some(found)
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use super::*;

    fn gz(bytes: &[u8]) -> Vec<u8> {
        let mut w = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        w.write_all(bytes).unwrap();
        w.finish().unwrap()
    }

    fn zipped(bytes: &[u8]) -> Vec<u8> {
        let mut w = zip::ZipWriter::new(Cursor::new(Vec::new()));
        w.start_file("a", zip::write::SimpleFileOptions::default()).unwrap();
        w.write_all(bytes).unwrap();
        w.finish().unwrap().into_inner()
    }

    fn check_gzip(bytes: &[u8]) -> Result<(), String> {
        gzip(Passing::new(bytes, None)).unwrap().0
    }

    fn check_zip(bytes: &[u8]) -> Result<(), String> {
        zip(Passing::new(Cursor::new(bytes), None)).unwrap()
    }

    #[test]
    fn whole_archives_pass_and_every_cut_of_them_fails() {
        let text: Vec<u8> = (0..4000u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let (gz, zip) = (gz(&text), zipped(&text));
        assert_eq!(check_gzip(&gz), Ok(()));
        assert_eq!(check_zip(&zip), Ok(()));
        for cut in [0, 1, 10, 100, 1000] {
            assert!(check_gzip(&gz[..gz.len() - 1 - cut]).is_err(), "gzip less {cut}");
            assert!(check_zip(&zip[..zip.len() - 1 - cut]).is_err(), "zip less {cut}");
        }
        assert!(check_gzip(&[]).is_err() && check_zip(&[]).is_err());
        for at in [gz.len() / 3, gz.len() / 2] {
            let mut bad = gz.clone();
            bad[at] ^= 0x55;
            assert!(check_gzip(&bad).is_err(), "gzip flipped at {at}");
            let mut bad = zip.clone();
            bad[at] ^= 0x55;
            assert!(check_zip(&bad).is_err(), "zip flipped at {at}");
        }
    }

    #[test]
    fn the_digest_is_that_of_all_packed_bytes() {
        use crate::cache::work::Hasher;
        let packed = gz(b"text");
        let (verdict, digest) = gzip(Passing::new(packed.as_slice(), Hasher::named("sha256"))).unwrap();
        let mut want = Hasher::named("sha256").unwrap();
        want.update(&packed);
        assert_eq!((verdict, digest.unwrap().bytes()), (Ok(()), want.finish().bytes()));
    }

    #[test]
    fn who_may_not_read_does_not_call_it_damaged() {
        struct Refuses;
        impl Read for Refuses {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::PermissionDenied.into())
            }
        }
        assert!(gzip(Passing::new((&gz(b"text")[..10]).chain(Refuses), None)).is_err());
    }
}
