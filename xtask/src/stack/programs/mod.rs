//! The programs that the stack is made of, each in exactly one version.
//!
//! [`locate`] takes a program from the `PATH` if it has the pinned version there, else from the
//! user's cache, else builds it into the cache from the Go module in this workspace. That module's
//! `go.sum` is committed, so what is built is what was tested.

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

/// A program that can be run, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// Which it is.
    pub program: Program,
    /// The file to run.
    pub path: PathBuf,
    /// How it got there.
    pub origin: Origin,
}

/// Where a program came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It was on the `PATH`, in the pinned version.
    Path,
    /// It had been built before.
    Cache,
    /// It was built just now, in this time.
    Built(Duration),
}

/// Finds the program, and builds it if need be.
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

/// The program's file; building it, if need be, is shown on standard error.
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

/// Why there is no program to run.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// It has to be built, and there is no Go.
    #[error(
        "{program} is not on the PATH, so it has to be built, and `go` is not there either.\n\
         Install Go {go} or newer (1.21 or newer will do where it may download newer toolchains), \
         or put `{}` {} on the PATH.",
        program.name_on_path(),
        program.version()
    )]
    NoGo {
        /// The program that is missing.
        program: Program,
        /// The version of Go that its module asks for.
        go: String,
    },
    /// The compiler gave up.
    #[error(
        "building {program} failed in {}. `go` said at the end:\n{output}\n\
         A first build downloads Go modules, so it needs a network; a later one does not.",
        module.display()
    )]
    BuildFailed {
        /// The program that was to be built.
        program: Program,
        /// The folder of its module.
        module: PathBuf,
        /// The last lines of the output.
        output: String,
    },
    /// There is no place for the cache.
    #[error("set HOME or XDG_CACHE_HOME: built programs are kept below it")]
    NoCacheFolder,
    /// The user asked to stop.
    #[error("cancelled while {0} was being built")]
    Cancelled(Program),
    /// A file could not be read or written.
    #[error("{program}: {action} {}: {source}", path.display())]
    File {
        /// The program concerned.
        program: Program,
        /// What was being done.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}
