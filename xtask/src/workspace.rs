//! Paths of this workspace.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns the root of the workspace in which this `xtask` was compiled.
pub fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// Returns a command that runs Cargo in the root of the workspace, without the variables that Cargo sets for programs
/// and tests. Build scripts watch these: with other values they would run again, and dependents would recompile.
pub fn cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text == "OUT_DIR"
            || text.starts_with("CARGO_MANIFEST_")
            || text.starts_with("CARGO_PKG_")
        {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// Returns the folder where `cargo xtask stack up` keeps its state, logs and data.
pub fn default_run_dir() -> PathBuf {
    root().join(".stack")
}

/// Returns the user's cache folder for built programs: `${XDG_CACHE_HOME:-$HOME/.cache}/rustok-telemetry`.
pub fn cache_folder() -> Option<PathBuf> {
    let folder = |variable| {
        let value = std::env::var_os(variable).filter(|value| !value.is_empty())?;
        Some(PathBuf::from(value)).filter(|path| path.is_absolute())
    };
    let cache = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")))?;
    Some(cache.join("rustok-telemetry"))
}
