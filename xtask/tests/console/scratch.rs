//! Folders for what the tests write: the browser's profile, and screenshots, which are kept.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// An empty folder for one test.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("console")
        .join(name);
    match std::fs::remove_dir_all(&folder) {
        Ok(()) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound, "{error}"),
    }
    std::fs::create_dir_all(&folder).expect("a folder for the test");
    folder
}
