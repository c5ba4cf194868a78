//! The programs of the stack, each in one pinned version.
//!
//! [`locate`] takes a program from the `PATH` if it has the pinned version there, else from the user's cache. Else it
//! builds the program into the cache, from the Go module in this workspace with its committed `go.sum`.

mod build;
mod cached;
mod on_path;
mod pinned;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

pub use pinned::Program;

use crate::progress::Reporter;

/// A program that can be run, and its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The program.
    pub program: Program,
    /// The file to run.
    pub path: PathBuf,
    /// The origin of the file.
    pub origin: Origin,
}

/// The origin of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Found on the `PATH` in the pinned version.
    Path,
    /// Found in the cache.
    Cache,
    /// Built now, in this time.
    Built(Duration),
}

/// Finds the program, or builds it.
pub fn locate(program: Program, reporter: &mut Reporter) -> Result<Located, ProgramError> {
    if let Some(path) = on_path::find(program, reporter) {
        let origin = Origin::Path;
        return Ok(Located {
            program,
            path,
            origin,
        });
    }
    build::from_cache_or_build(program, reporter)
}

/// Returns the path of the program. If it must be built, progress goes to standard error.
pub fn path(program: Program) -> Result<PathBuf, ProgramError> {
    Ok(locate(program, &mut Reporter::stderr())?.path)
}

impl fmt::Display for Located {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} (", self.program, self.path.display())?;
        match self.origin {
            Origin::Path => return f.write_str("from the PATH)"),
            Origin::Cache => f.write_str("built before")?,
            Origin::Built(time) => write!(f, "built in {} s", time.as_secs())?,
        }
        match self.program {
            Program::Jaeger | Program::Prometheus => f.write_str("; its API only, no web UI)"),
            _ => f.write_str(")"),
        }
    }
}

/// An error in finding or building a program.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// The program must be built, and Go is not installed.
    #[error(
        "{program} is not on the PATH and must be built, but `go` is not on the PATH either.\n\
         Install Go {go} or newer (1.21 or newer will do where it may download newer toolchains), \
         or put `{}` {} on the PATH.",
        program.name_on_path(),
        program.version()
    )]
    NoGo {
        /// The missing program.
        program: Program,
        /// The version of Go that its module requires.
        go: String,
    },
    /// `go build` failed.
    #[error(
        "building {program} failed in {}. The end of the output of `go`:\n{output}\n\
         A first build downloads Go modules, so it needs a network; a later one does not.",
        module.display()
    )]
    BuildFailed {
        /// The program.
        program: Program,
        /// The folder of its module.
        module: PathBuf,
        /// The last lines of the output.
        output: String,
    },
    /// The user's cache folder is unknown.
    #[error(
        "neither HOME nor XDG_CACHE_HOME is set: set one, because built programs are stored below it"
    )]
    NoCacheFolder,
    /// The user cancelled the build.
    #[error("cancelled while {0} was being built")]
    Cancelled(Program),
    /// A file could not be read or written.
    #[error("{program}: {action} {}: {source}", path.display())]
    File {
        /// The program.
        program: Program,
        /// The failed action.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}
