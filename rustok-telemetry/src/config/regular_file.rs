//! Reads the files that settings name.

use std::{
    fs::{self, File},
    io::Read,
    path::Path,
};

/// Maximum size of a file, in bytes.
const LARGEST: u64 = 4 << 20;

/// Returns the content of a regular file: directories, devices and large files are errors.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
    let failed = |error| format!("cannot be read: {error}");
    let about = fs::metadata(path).map_err(failed)?;
    if !about.is_file() {
        return Err("cannot be read: not a file".to_owned());
    }
    if about.len() > LARGEST {
        return Err(format!("larger than {} MiB", LARGEST >> 20));
    }
    let file = File::open(path).map_err(failed)?;
    let mut content = Vec::new();
    let read = file.take(LARGEST).read_to_end(&mut content);
    read.map(|_| content).map_err(failed)
}
