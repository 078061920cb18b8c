//! Whether the bytes of an archive are whole: the formats' own checksums, read to the end.

use std::io::{Cursor, Read};

/// Most bytes that one archive may unpack to while it is checked, against bombs.
const LARGEST: u64 = 1 << 30;

/// Reads a gzip stream to its end. `Err` says what is wrong.
pub(crate) fn check_gzip(bytes: &[u8]) -> Result<(), String> {
    if bytes.is_empty() {
        return Err("an empty file".to_owned());
    }
    let mut reader = flate2::read::MultiGzDecoder::new(bytes).take(LARGEST);
    match std::io::copy(&mut reader, &mut std::io::sink()) {
        Ok(_) => Ok(()),
        Err(e) => Err(format!("a gzip stream that ends badly ({e})")),
    }
}

/// Reads every member of a zip archive to its end. `Err` says what is wrong.
pub(crate) fn check_zip(bytes: &[u8]) -> Result<(), String> {
    if bytes.is_empty() {
        return Err("an empty file".to_owned());
    }
    let mut archive =
        zip::ZipArchive::new(Cursor::new(bytes)).map_err(|e| format!("no whole zip archive ({e})"))?;
    let mut left = LARGEST;
    for i in 0..archive.len() {
        let mut member = archive.by_index(i).map_err(|e| format!("a damaged zip member ({e})"))?.take(left);
        let read = std::io::copy(&mut member, &mut std::io::sink())
            .map_err(|e| format!("a damaged zip member ({e})"))?;
        left = left.saturating_sub(read);
    }
    Ok(())
}

/// Name and digest of every file of a zip archive. `None` where it is none, or unpacks to too much.
pub(crate) fn zip_digests(bytes: &[u8], digest: impl Fn(&[u8]) -> String) -> Option<Vec<(String, String)>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).ok()?;
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
    use std::io::Write;

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
        for at in [gz.len() / 3, gz.len() / 2] {
            let mut bad = gz.clone();
            bad[at] ^= 0x55;
            assert!(check_gzip(&bad).is_err(), "gzip flipped at {at}");
            let mut bad = zip.clone();
            bad[at] ^= 0x55;
            assert!(check_zip(&bad).is_err(), "zip flipped at {at}");
        }
    }
}
