//! The catalogue that is part of the program: the build script reads, checks and packs the files below `/catalog`.
//!
//! A file that is invalid ends the build, with the place in it.

use regreen_catalog::{Catalog, Unreadable};

static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/catalog.packed"));

/// The built-in catalogue.
///
/// # Errors
/// None in a program whose tests passed.
pub fn catalog() -> Result<Catalog, Unreadable> {
    Catalog::unpack(PACKED)
}
