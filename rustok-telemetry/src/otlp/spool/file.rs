//! The file of a request in a spool.
//!
//! It is named by the time of the request and its number of items. It is written as `.part` and renamed, so `.otlp` means
//! a complete file, unless the machine stopped: nothing is synced to the disk. Headers of requests are not written.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::Path,
};

use bytes::Bytes;

use super::super::requests::LARGEST_REQUEST;

/// The mark of a file of this version, before the CRC-32 of the request and the request.
const MAGIC: [u8; 4] = *b"RTS1";
pub(super) const HEAD: usize = 8;
pub(super) const LARGEST_FILE: u64 = (HEAD + LARGEST_REQUEST) as u64;

/// A file takes whole blocks of the disk.
const BLOCK: u64 = 4096;

/// Creates files that only their owner can use.
pub(super) fn files() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Returns the name of the file of a request of this time, with so many items.
pub(super) fn name(at: u64, items: usize) -> String {
    format!("{at:020}-{items}.otlp")
}

/// Returns the time, the items, and whether the file is complete.
pub(super) fn parse(file_name: &str) -> Option<(u64, usize, bool)> {
    let (stem, extension) = file_name.rsplit_once('.')?;
    let (at, items) = stem.split_once('-')?;
    let (at, items) = (at.parse().ok()?, items.parse().ok()?);
    let is_own = name(at, items).strip_suffix(".otlp") == Some(stem);
    // An item has one byte at least.
    let is_own = is_own && (1..=LARGEST_REQUEST).contains(&items);
    match extension {
        "otlp" if is_own => Some((at, items, true)),
        "part" if is_own => Some((at, items, false)),
        _ => None,
    }
}

/// Writes a request. Other processes see the whole file or none.
pub(super) fn write(path: &Path, message: &[u8]) -> io::Result<()> {
    let part = path.with_extension("part");
    let written = files().truncate(true).open(&part).and_then(|mut file| {
        file.write_all(&head(message))?;
        file.write_all(message)
    });
    let renamed = written.and_then(|()| fs::rename(&part, path));
    renamed.inspect_err(|_| _ = fs::remove_file(&part))
}

/// Returns the request in a file; `None` if it is not intact.
pub(super) fn read(path: &Path) -> io::Result<Option<Bytes>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(LARGEST_FILE + 1)
        .read_to_end(&mut bytes)?;
    Ok(decode(bytes))
}

fn decode(file: Vec<u8>) -> Option<Bytes> {
    let (given, message) = file.split_first_chunk::<HEAD>()?;
    let is_intact = *given == head(message) && file.len() as u64 <= LARGEST_FILE;
    is_intact.then(|| Bytes::from(file).slice(HEAD..))
}

fn head(message: &[u8]) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..4].copy_from_slice(&MAGIC);
    head[4..].copy_from_slice(&crc32fast::hash(message).to_le_bytes());
    head
}

/// Returns the bytes on disk of a file.
pub(super) fn blocks(length: u64) -> u64 {
    length.next_multiple_of(BLOCK)
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
