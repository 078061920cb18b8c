//! What a program needs of the machine, read from itself: the processor, and the version of the C library.
//!
//! Source: the ELF specification, `e_machine` at offset 18; symbol versions are strings `GLIBC_x.y` in its string table.

use std::fmt;

/// A processor that Regreen runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arch {
    /// 64-bit Intel and AMD.
    X86,
    /// 64-bit Arm.
    Arm,
}

impl Arch {
    /// As the kernel calls it.
    pub fn kernel(self) -> &'static str {
        match self {
            Arch::X86 => "x86_64",
            Arch::Arm => "aarch64",
        }
    }

    /// As Debian and Docker call it.
    pub fn debian(self) -> &'static str {
        match self {
            Arch::X86 => "amd64",
            Arch::Arm => "arm64",
        }
    }

    /// As Node calls it.
    pub fn node(self) -> &'static str {
        match self {
            Arch::X86 => "x64",
            Arch::Arm => "arm64",
        }
    }
}

/// What it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elf {
    /// For which processor.
    pub arch: Arch,
    /// The oldest glibc that has everything, major and minor; `None` where no C library is needed.
    pub glibc: Option<(u32, u32)>,
}

impl Elf {
    /// Reads it.
    ///
    /// # Errors
    /// Where it is no program for a processor that Regreen runs on.
    pub fn of(binary: &[u8]) -> Result<Elf, String> {
        let machine = (binary.get(..4) == Some(b"\x7fELF")).then(|| binary.get(18..20)).flatten();
        let arch = match machine {
            Some([0x3e, 0]) => Arch::X86,
            Some([0xb7, 0]) => Arch::Arm,
            _ => return Err("no Linux program for x86_64 or aarch64".to_owned()),
        };
        let dynamic =
            find(binary, b"/lib64/ld-linux-x86-64.so.2\0") || find(binary, b"/lib/ld-linux-aarch64.so.1\0");
        Ok(Elf { arch, glibc: dynamic.then(|| newest(binary)) })
    }
}

fn find(binary: &[u8], what: &[u8]) -> bool {
    binary.windows(what.len()).any(|window| window == what)
}

fn newest(binary: &[u8]) -> (u32, u32) {
    // A whole entry of the string table, and not the words of a message about it.
    const MARK: &[u8] = b"\0GLIBC_2.";
    let at = binary.windows(MARK.len()).enumerate().filter(|(_, window)| *window == MARK).map(|(at, _)| at);
    let minors = at.filter_map(|at| {
        let entry = binary[at + MARK.len()..].split(|byte| *byte == 0).next()?;
        std::str::from_utf8(entry).ok()?.split('.').next()?.parse().ok()
    });
    (2, minors.max().unwrap_or(0))
}

impl fmt::Display for Elf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.glibc {
            None => write!(f, "{}, statically linked", self.arch.kernel()),
            Some((major, minor)) => write!(f, "{}, needs glibc {major}.{minor}", self.arch.kernel()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_needs_is_read_from_itself() {
        let head = |machine: u8| {
            let mut bytes = b"\x7fELF".to_vec();
            bytes.resize(20, 0);
            bytes[18] = machine;
            bytes
        };
        let mut dynamic = head(0x3e);
        dynamic.extend(
            b"/lib64/ld-linux-x86-64.so.2\0GLIBC_2.2.5\0GLIBC_2.34\0version `GLIBC_2.99' not found\0",
        );
        assert_eq!(Elf::of(&dynamic), Ok(Elf { arch: Arch::X86, glibc: Some((2, 34)) }));
        assert_eq!(Elf::of(&head(0xb7)), Ok(Elf { arch: Arch::Arm, glibc: None }));
        assert!(Elf::of(b"MZ").is_err());
    }
}
