//! `cargo xtask fuzz`: runs the fuzz targets of `rustok-telemetry/fuzz`.

use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::thread::available_parallelism;

use clap::Args;
use xtask::tools::FUZZ;
use xtask::workspace;

use super::Error;

/// The sanitizer coverage that libFuzzer needs is unstable.
const TOOLCHAIN: &str = "nightly-2026-05-20";

/// Run the fuzz targets, as many at once as there are processors.
///
/// Needs a nightly toolchain, which rustup installs. If it cannot, the targets are compiled and not run.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Seconds for each target.
    #[arg(long, default_value_t = 600)]
    seconds: u32,
    /// The targets to run; all if none is named.
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode, Error> {
    let folder = workspace::root().join("rustok-telemetry/fuzz");
    let all = targets(&folder)?;
    if let Some(unknown) = options.targets.iter().find(|name| !all.contains(name)) {
        return Err(format!(
            "there is no fuzz target {unknown}; there are {}",
            all.join(", ")
        )
        .into());
    }
    let output = workspace::root().join("target/fuzz");
    if !has_toolchain()? {
        println!("rustup cannot install {TOOLCHAIN}: the fuzz targets are compiled and not run");
        let mut check = workspace::cargo();
        check.args(["check", "--locked", "--manifest-path"]);
        check.arg(folder.join("Cargo.toml"));
        return succeed(check.arg("--target-dir").arg(output));
    }
    let fuzz = FUZZ.path()?;
    let command = |name: &str| {
        let mut command = Command::new(&fuzz);
        // Cargo of this toolchain, not of the one that runs this program.
        command
            .env_remove("CARGO")
            .env("RUSTUP_TOOLCHAIN", TOOLCHAIN);
        command.args(["fuzz", name, "--sanitizer", "none", "--fuzz-dir"]);
        command.arg(&folder).arg("--target-dir").arg(&output);
        command
    };
    succeed(&mut command("build"))?;
    let chosen = match options.targets.as_slice() {
        [] => &all,
        chosen => chosen,
    };
    let mut failed = Vec::new();
    let at_once = available_parallelism().map_or(1, NonZeroUsize::get);
    for targets in chosen.chunks(at_once) {
        let mut running = Vec::new();
        for target in targets {
            println!("── {target}");
            let corpus = folder.join("corpus").join(target);
            fs::create_dir_all(&corpus)?;
            let mut run = command("run");
            run.args([
                Path::new(target),
                &corpus,
                &folder.join("seeds").join(target),
            ]);
            run.args([
                "--",
                "-verbosity=0",
                "-print_funcs=0",
                "-print_final_stats=1",
                "-timeout=10",
            ]);
            run.arg(format!("-max_total_time={}", options.seconds));
            running.push((target, run.spawn()?));
        }
        for (target, mut process) in running {
            if !process.wait()?.success() {
                failed.push(target.as_str());
            }
        }
    }
    match failed.as_slice() {
        [] => Ok(ExitCode::SUCCESS),
        failed => {
            let failed = failed.join(", ");
            Err(format!("failed: {failed}; rustok-telemetry/fuzz/artifacts has the inputs").into())
        }
    }
}

/// Returns the names of the targets, in alphabetical order.
fn targets(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder.join("fuzz_targets"))? {
        let path = entry?.path();
        names.extend(
            path.file_stem()
                .map(|name| name.to_string_lossy().into_owned()),
        );
    }
    names.sort();
    Ok(names)
}

/// Returns whether the toolchain is there, after an attempt to install it.
fn has_toolchain() -> io::Result<bool> {
    let rustup = |arguments: &[&str]| Command::new("rustup").args(arguments).output();
    let listed = match rustup(&["toolchain", "list"]) {
        Ok(listed) => listed.stdout,
        // Rust was installed without rustup.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    if String::from_utf8_lossy(&listed).contains(TOOLCHAIN) {
        return Ok(true);
    }
    let installed = rustup(&["toolchain", "install", TOOLCHAIN, "--profile", "minimal"])?;
    Ok(installed.status.success())
}

fn succeed(command: &mut Command) -> Result<ExitCode, Error> {
    let status = command.status()?;
    match status.success() {
        true => Ok(ExitCode::SUCCESS),
        false => Err(format!("{command:?} failed: {status}").into()),
    }
}
