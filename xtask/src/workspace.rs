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

/// The user's cache folder for what is built once: `${XDG_CACHE_HOME:-$HOME/.cache}/rustok-telemetry`.
pub fn cache_folder() -> Option<PathBuf> {
    let folder = |variable| {
        let value = std::env::var_os(variable).filter(|value| !value.is_empty())?;
        Some(PathBuf::from(value)).filter(|path| path.is_absolute())
    };
    let cache = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")))?;
    Some(cache.join("rustok-telemetry"))
}
