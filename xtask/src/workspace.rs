//! Where things are in this workspace.

use std::path::{Path, PathBuf};

/// The root of the workspace that this `xtask` was compiled in.
pub fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// The folder where `cargo xtask stack up` keeps its state, logs and data.
pub fn default_run_dir() -> PathBuf {
    root().join(".stack")
}
