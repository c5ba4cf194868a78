//! Cargo tools for the tests, installed once in pinned versions into the user's cache folder.

use std::io;
use std::path::PathBuf;
use std::process::Command;

use crate::workspace;

/// A cargo subcommand, such as `cargo deny`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tool {
    /// Name of the package and of the program.
    pub package: &'static str,
    /// The pinned version.
    pub version: &'static str,
}

/// Checks licences, bans and sources of the dependencies.
pub const DENY: Tool = Tool {
    package: "cargo-deny",
    version: "0.20.2",
};

/// Compares the public interface of a crate with that of an earlier version.
pub const SEMVER_CHECKS: Tool = Tool {
    package: "cargo-semver-checks",
    version: "0.51.0",
};

/// Builds and runs fuzz targets.
pub const FUZZ: Tool = Tool {
    package: "cargo-fuzz",
    version: "0.13.2",
};

impl Tool {
    /// Returns the path of the program. The first call installs it, which takes minutes.
    ///
    /// # Errors
    ///
    /// If there is no cache folder, or the installation fails.
    pub fn path(self) -> io::Result<PathBuf> {
        let cache = workspace::cache_folder()
            .ok_or_else(|| io::Error::other("neither XDG_CACHE_HOME nor HOME is set"))?;
        let root = cache
            .join("tools")
            .join(format!("{}-{}", self.package, self.version));
        let program = root.join("bin").join(self.package);
        if program.is_file() {
            return Ok(program);
        }
        // No lock is needed here: `cargo install --root` locks the folder.
        let status = Command::new(env!("CARGO"))
            .args([
                "install",
                "--locked",
                "--version",
                self.version,
                self.package,
                "--root",
            ])
            .arg(&root)
            .current_dir(workspace::root())
            .status()?;
        if status.success() {
            Ok(program)
        } else {
            Err(io::Error::other(format!(
                "cargo install {} {} failed: {status}",
                self.package, self.version
            )))
        }
    }
}
