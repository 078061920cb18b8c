//! A registry's tarball as Yarn 4 packs it anew: an uncompressed zip whose bytes depend on nothing but the files' names,
//! bytes and executable bits. `yarn.lock` holds the checksum of that.
//!
//! Sources: berry, `packages/yarnpkg-core/sources/tgzUtils.ts`; an archive of Yarn 4.18.1, byte for byte.

use std::{collections::BTreeSet, io::Read};

/// Most bytes that a tarball may unpack to, against bombs.
const LARGEST: u64 = 1 << 30;
/// 22 June 1984, 21:50:00, as a zip writes it: time, then date. Every file of Yarn's is of this moment.
const MOMENT: [u8; 4] = [0x40, 0xae, 0xd6, 0x08];

/// The zip that Yarn makes of a package's tarball. `None` where the tarball holds what this does not know to pack as
/// Yarn does: links, names beyond ASCII, a name twice.
pub(super) fn repacked(name: &str, tarball: &[u8]) -> Option<Vec<u8>> {
    let unpacked = flate2::read::GzDecoder::new(tarball).take(LARGEST);
    let mut archive = tar::Archive::new(unpacked);
    let mut zip = Zip::default();
    let prefix = format!("node_modules/{name}");
    for entry in archive.entries().ok()? {
        let mut entry = entry.ok()?;
        let path = entry.path().ok()?.to_str()?.to_owned();
        let kind = entry.header().entry_type();
        if kind.is_pax_global_extensions() {
            continue;
        }
        // The first folder, whatever it is called, is left out.
        let Some((_, below)) = path.trim_end_matches('/').split_once('/') else { continue };
        let odd = |part: &str| matches!(part, "" | "." | "..");
        if !path.is_ascii() || path.starts_with('/') || path.split('/').any(|p| p == "..") {
            return None;
        }
        if below.split('/').any(odd) {
            return None;
        }
        let path = format!("{prefix}/{below}");
        if kind.is_dir() {
            zip.folders(&format!("{path}/x"))?;
        } else if kind.is_file() {
            let executable = entry.header().mode().ok()? & 0o111 != 0;
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).ok()?;
            zip.folders(&path)?;
            zip.add(&path, &bytes, if executable { 0o100_755 } else { 0o100_644 })?;
        } else {
            return None;
        }
    }
    zip.finish()
}

/// An uncompressed zip that is being written.
#[derive(Default)]
struct Zip {
    files: Vec<u8>,
    directory: Vec<u8>,
    names: BTreeSet<String>,
}

impl Zip {
    /// Adds the folders above `path` that are not there yet.
    fn folders(&mut self, path: &str) -> Option<()> {
        for (at, _) in path.match_indices('/') {
            let folder = &path[..=at];
            if !self.names.contains(folder) {
                self.add(folder, &[], 0o40_755)?;
            }
        }
        Some(())
    }

    fn add(&mut self, name: &str, bytes: &[u8], mode: u32) -> Option<()> {
        if !self.names.insert(name.to_owned()) {
            return None;
        }
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        let size = u32::try_from(bytes.len()).ok()?;
        let offset = u32::try_from(self.files.len()).ok()?;
        let needed: u16 = if name.ends_with('/') { 20 } else { 10 };
        let mut common = Vec::new();
        common.extend(needed.to_le_bytes());
        // No flags, not compressed.
        common.extend([0; 4]);
        common.extend(MOMENT);
        common.extend(crc.sum().to_le_bytes());
        common.extend(size.to_le_bytes());
        common.extend(size.to_le_bytes());
        common.extend(u16::try_from(name.len()).ok()?.to_le_bytes());
        // No extra field.
        common.extend([0; 2]);
        self.files.extend(b"PK\x03\x04");
        self.files.extend(&common);
        self.files.extend(name.as_bytes());
        self.files.extend(bytes);
        // Version 6.3, on Unix.
        self.directory.extend(b"PK\x01\x02\x3f\x03");
        self.directory.extend(&common);
        // No comment, the first disk, no internal attributes.
        self.directory.extend([0; 6]);
        self.directory.extend((mode << 16).to_le_bytes());
        self.directory.extend(offset.to_le_bytes());
        self.directory.extend(name.as_bytes());
        Some(())
    }

    fn finish(mut self) -> Option<Vec<u8>> {
        let count = u16::try_from(self.names.len()).ok()?;
        let (start, length) =
            (u32::try_from(self.files.len()).ok()?, u32::try_from(self.directory.len()).ok()?);
        self.files.append(&mut self.directory);
        self.files.extend(b"PK\x05\x06\0\0\0\0");
        self.files.extend(count.to_le_bytes());
        self.files.extend(count.to_le_bytes());
        self.files.extend(length.to_le_bytes());
        self.files.extend(start.to_le_bytes());
        self.files.extend([0; 2]);
        Some(self.files)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};
    use sha2::{Digest as _, Sha512};

    use super::*;

    fn tarball(files: &[(&str, &str, u32)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (path, text, mode) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(text.len() as u64);
            header.set_mode(*mode);
            builder.append_data(&mut header, path, text.as_bytes()).unwrap();
        }
        let mut gzip = builder.into_inner().unwrap();
        gzip.flush().unwrap();
        gzip.finish().unwrap()
    }

    /// The checksum that Yarn 4.18.1 wrote into yarn.lock for a package of these two files.
    #[test]
    fn the_bytes_are_those_of_yarn() {
        let manifest = "{\n  \"name\": \"regreen-lab-alpha\",\n  \"version\": \"1.1.0\",\n  \"description\": \"a package of the Regreen lab\",\n  \"license\": \"MIT\",\n  \"main\": \"index.js\",\n  \"dependencies\": {}\n}\n";
        let code = "module.exports = \"regreen-lab-alpha 1.1.0\";\n";
        let packed = tarball(&[("package/package.json", manifest, 0o644), ("package/index.js", code, 0o644)]);
        let zip = repacked("regreen-lab-alpha", &packed).unwrap();
        let digest: String = Sha512::digest(&zip).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(
            digest,
            "13b87ea92c5537920ecaee7b7df4ad88f71214dec82de8c8aa20de94201432422f8bec513019f46b703bc9a59c5542d3cc5b12f87b2beee3690f3ffe338ded21"
        );
    }

    #[test]
    fn what_is_not_packed_as_yarn_packs_it_is_not_packed() {
        for files in
            [&[("package/a", "1", 0o644), ("package/a", "2", 0o644)][..], &[("package/\u{e4}", "1", 0o644)]]
        {
            assert_eq!(repacked("a", &tarball(files)), None, "{files:?}");
        }
        assert_eq!(repacked("a", b"no tarball"), None);
    }
}
