//! The path of a built program: `<cache>/bin/<program>-<version>-<key>/<program>`. The key is a hash of the module's
//! files and the build flags.
//!
//! The build script of this package compiles this file too.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Program;

/// Returns the folder of all built programs.
pub(super) fn folder(cache: &Path) -> PathBuf {
    cache.join("bin")
}

/// Returns the path of the program, built or not.
///
/// # Errors
///
/// If the files of the program's module cannot be read.
pub(super) fn path(cache: &Path, program: Program) -> io::Result<PathBuf> {
    let (name, version) = (program.name(), program.version());
    let key = build_key(program)?;
    Ok(folder(cache)
        .join(format!("{name}-{version}-{key:016x}"))
        .join(name))
}

/// Returns a hash of the module's files and the build flags.
fn build_key(program: Program) -> io::Result<u64> {
    let mut key = Fnv1a::default();
    for file in files_of(&program.module())? {
        key.add(file.file_name().unwrap_or_default().as_encoded_bytes());
        key.add(&fs::read(&file)?);
    }
    for argument in program.build_arguments() {
        key.add(argument.as_bytes());
    }
    Ok(key.0)
}

/// Returns the Go sources, go.mod and go.sum; other files, such as an editor's backups, are ignored.
fn files_of(module: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = fs::read_dir(module)?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<Vec<_>>>()?;
    files.retain(|file| {
        let extension = file.extension().unwrap_or_default();
        ["go", "mod", "sum"].iter().any(|&known| extension == known)
    });
    files.sort();
    Ok(files)
}

/// A hash that is stable across compiler versions, unlike `DefaultHasher`.
struct Fnv1a(u64);

impl Default for Fnv1a {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv1a {
    /// Adds a part, with its length, so that ("ab", "c") and ("a", "bc") differ.
    fn add(&mut self, part: &[u8]) {
        for byte in part.iter().chain(&part.len().to_le_bytes()) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
