//! Builds a program from its Go module into the user's cache, which all clones of this repository share.
//!
//! A lock file lets one process build at a time. A complete program is renamed to its final name.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Located, Origin, Program, ProgramError};
use super::{cached, on_path};
use crate::children;
use crate::progress::Reporter;
use crate::stack::run_dir::{last_lines, tail};
use crate::workspace;

const POLL: Duration = Duration::from_millis(200);

/// Returns the program from the cache, or builds it there.
pub(super) fn from_cache_or_build(
    program: Program,
    reporter: &mut Reporter,
) -> Result<Located, ProgramError> {
    let cache = workspace::cache_folder().ok_or(ProgramError::NoCacheFolder)?;
    let module = program.module();
    let path = attempt(program, "read", &module, cached::path(&cache, program))?;
    if path.is_file() {
        return Ok(located(program, path, Origin::Cache));
    }
    if !on_path::has("go") {
        let go = go_version(program)?;
        return Err(ProgramError::NoGo { program, go });
    }
    let folder = path.parent().unwrap_or(&cache);
    attempt(program, "create", folder, fs::create_dir_all(folder))?;
    let _lock = lock(program, &folder.join("lock"), reporter)?;
    if path.is_file() {
        return Ok(located(program, path, Origin::Cache));
    }
    let start = Instant::now();
    build(program, folder, reporter)?;
    Ok(located(program, path, Origin::Built(start.elapsed())))
}

/// Builds under a temporary name, then renames the complete program.
fn build(program: Program, folder: &Path, reporter: &mut Reporter) -> Result<(), ProgramError> {
    let unfinished = folder.join(format!("{}.unfinished", program.name()));
    let log = folder.join("build.log");
    let output = attempt(program, "create", &log, File::create(&log))?;
    let errors = attempt(program, "open", &log, output.try_clone())?;
    let mut go = Command::new("go");
    go.current_dir(program.module())
        // -mod=readonly: the committed versions and checksums.
        .args(["build", "-mod=readonly", "-trimpath", "-buildvcs=false"])
        .args(program.build_arguments())
        .arg("-o")
        .arg(&unfinished)
        .arg(program.package())
        // Needs no C compiler, and ignores a go.work file in a parent folder.
        .envs([("CGO_ENABLED", "0"), ("GOWORK", "off")])
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors);
    let go = children::spawn(&mut go);
    let mut go = attempt(program, "run `go` in", &program.module(), go)?;
    let status = wait_for_build(program, &mut go, reporter)?;
    if !status.success() {
        return Err(ProgramError::BuildFailed {
            program,
            module: program.module(),
            output: tail(&log).map_or_else(|error| error.to_string(), |text| last_lines(&text)),
        });
    }
    let finished = folder.join(program.name());
    attempt(
        program,
        "rename",
        &unfinished,
        fs::rename(&unfinished, finished),
    )
}

fn wait_for_build(
    program: Program,
    go: &mut Child,
    reporter: &mut Reporter,
) -> Result<ExitStatus, ProgramError> {
    let start = Instant::now();
    let minutes = program.build_minutes();
    reporter.note(&format!(
        "building {program} with Go; the first build takes about {minutes} min on two cores"
    ));
    loop {
        if let Some(status) = attempt(program, "wait for", Path::new("go"), go.try_wait())? {
            return Ok(status);
        }
        if reporter.is_cancelled() {
            // Its compilers end with it. Finished packages stay in Go's build cache.
            let _ = go.kill();
            let _ = go.wait();
            return Err(ProgramError::Cancelled(program));
        }
        let seconds = start.elapsed().as_secs();
        reporter.tick(&format!("building {program}: {seconds} s"));
        sleep(POLL);
    }
}

/// Waits until no other process builds this program.
fn lock(program: Program, path: &Path, reporter: &mut Reporter) -> Result<File, ProgramError> {
    let file = attempt(program, "create", path, File::create(path))?;
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => attempt(program, "lock", path, Err(error))?,
            Err(TryLockError::WouldBlock) if reporter.is_cancelled() => {
                return Err(ProgramError::Cancelled(program));
            }
            Err(TryLockError::WouldBlock) => {
                let seconds = start.elapsed().as_secs();
                reporter.tick(&format!(
                    "another process builds {program}: waiting, {seconds} s"
                ));
                sleep(POLL);
            }
        }
    }
}

/// Returns the version of Go that the program's module requires.
fn go_version(program: Program) -> Result<String, ProgramError> {
    let mut newest = String::new();
    for module in Program::ALL.map(Program::module) {
        let path = module.join("go.mod");
        let text = attempt(program, "read", &path, fs::read_to_string(&path))?;
        let versions = text.lines().filter_map(|line| line.strip_prefix("go "));
        for version in versions {
            if numbers(version) > numbers(&newest) {
                newest = version.to_owned();
            }
        }
    }
    Ok(newest)
}

fn numbers(version: &str) -> Vec<u32> {
    version
        .split('.')
        .filter_map(|part| part.parse().ok())
        .collect()
}

fn located(program: Program, path: PathBuf, origin: Origin) -> Located {
    Located {
        program,
        path,
        origin,
    }
}

fn attempt<T>(
    program: Program,
    action: &'static str,
    path: &Path,
    result: io::Result<T>,
) -> Result<T, ProgramError> {
    result.map_err(|source| ProgramError::File {
        program,
        action,
        path: path.to_owned(),
        source,
    })
}
