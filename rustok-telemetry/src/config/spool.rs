//! The spool: files in which spans and log records wait.

use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    time::Duration,
};

use super::{Reader, Rules, Setting, disabled, integer, settings, variables::SPOOL_DIR};

const MAX_BYTES: &str = "RUSTOK_TELEMETRY_SPOOL_MAX_BYTES";
const MAX_AGE: &str = "RUSTOK_TELEMETRY_SPOOL_MAX_AGE";

/// Room for a few of the largest requests, with the one that is being sent.
const SMALLEST: u64 = 16 << 20;
const LARGEST: u64 = 1 << 40;

const DEFAULT_BYTES: u64 = 256 << 20;
const DEFAULT_AGE: Duration = Duration::from_secs(24 * 60 * 60);

settings! {
    /// The spool of spans and log records on disk: the Cargo feature `spool`.
    #[derive(Eq)]
    pub struct SpoolConfig() {
        /// The directory of the spool. `None`: no spool.
        dir: Setting<Option<PathBuf>> =
            setting("dir", [SPOOL_DIR], None, Rules::optional("none").check(unusable)),
        /// Maximum number of bytes on disk, of each signal of each process.
        max_bytes: Setting<u64> = setting(
            "max_bytes", [MAX_BYTES], DEFAULT_BYTES,
            Rules::new()
                .parse(|text| integer(text, SMALLEST..=LARGEST))
                .check(|bytes| integer(&bytes.to_string(), SMALLEST..=LARGEST).err())
        ),
        /// Maximum time that a span or a log record waits on disk.
        max_age: Setting<Duration> = setting("max_age", [MAX_AGE], DEFAULT_AGE),
    }
}

/// Refuses the limits without a directory.
pub(super) fn refuse_limits(reader: &mut Reader, spool: &SpoolConfig) {
    if spool.dir.value.is_none() && !reader.has_failed(SPOOL_DIR) {
        for name in [MAX_BYTES, MAX_AGE] {
            reader.refuse(name, format!("takes no effect without {SPOOL_DIR}"));
        }
    }
}

/// Returns why this directory cannot be used, if that is known before it is.
fn unusable(dir: &Option<PathBuf>) -> Option<String> {
    let dir = dir.as_deref()?;
    let disabled = disabled!("the spool", "spool").map(str::to_owned);
    disabled.or_else(|| {
        let existing = dir.ancestors().find(|path| path.exists());
        // A relative path without an existing part is in the working directory.
        let existing = existing.unwrap_or_else(|| Path::new("."));
        let error = can_write(existing).err()?;
        Some(format!(
            "files cannot be written in {}: {error}",
            existing.display()
        ))
    })
}

/// Creates and removes a file. The directory of the spool itself is not created here: only the service's user may.
fn can_write(dir: &Path) -> io::Result<()> {
    if !dir.is_dir() {
        return Err(ErrorKind::NotADirectory.into());
    }
    let path = dir.join(format!(".{}", uuid::Uuid::new_v4()));
    let created = OpenOptions::new().write(true).create_new(true).open(&path);
    created.and_then(|_| fs::remove_file(path))
}
