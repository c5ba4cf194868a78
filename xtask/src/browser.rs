//! Chromium, and axe-core, which checks a page's accessibility.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workspace;

const CHROMIUM_NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
const AXE_VERSION: &str = "4.14.1";

/// Whether the tests can run without an installation.
pub fn is_present() -> bool {
    chromium_on_path().is_some() && axe_file().is_ok_and(|file| file.is_file())
}

/// The program `chromium`. Where there is none it is installed by `apt-get`, which needs root or `sudo` without a
/// password.
///
/// # Errors
///
/// When the installation fails, with its last lines.
pub fn chromium() -> io::Result<PathBuf> {
    // Several tests ask at once, some in processes of their own, and a second `apt-get` would fail.
    let cache = cache()?;
    fs::create_dir_all(&cache)?;
    let installing = File::create(cache.join("chromium.lock"))?;
    installing.lock()?;
    if let Some(program) = chromium_on_path() {
        return Ok(program);
    }
    for arguments in [
        &["update"][..],
        &["install", "--yes", "--no-install-recommends", "chromium"],
    ] {
        // In containers there is root, and often no `sudo`.
        let mut command = Command::new("env");
        if let Some(sudo) = on_path(&["sudo"]) {
            command = Command::new(sudo);
            command.args(["--non-interactive", "env"]);
        }
        run(command
            .args(["DEBIAN_FRONTEND=noninteractive", "apt-get"])
            .args(arguments))?;
    }
    chromium_on_path().ok_or_else(|| io::Error::other("apt-get installed no chromium"))
}

/// The script of axe-core, from the user's cache folder; fetched by `npm` where it is not there.
///
/// # Errors
///
/// When there is no cache folder, or `npm` fails.
pub fn axe() -> io::Result<PathBuf> {
    let file = axe_file()?;
    if file.is_file() {
        return Ok(file);
    }
    let cache = cache()?;
    // A folder of its own, so that two of these do not meet.
    let folder = cache.join(format!("axe-core-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let package = format!("axe-core@{AXE_VERSION}");
    let fetched = run(Command::new("npm")
        .args([
            "install",
            "--ignore-scripts",
            "--no-save",
            "--no-audit",
            "--no-fund",
            &package,
        ])
        .arg("--prefix")
        .arg(&folder));
    let kept =
        fetched.and_then(|()| fs::rename(folder.join("node_modules/axe-core/axe.min.js"), &file));
    fs::remove_dir_all(&folder)?;
    kept.map(|()| file)
}

fn chromium_on_path() -> Option<PathBuf> {
    on_path(&CHROMIUM_NAMES)
}

fn on_path(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let in_folder = |folder: PathBuf| {
        let mut files = names.iter().map(|name| folder.join(name));
        files.find(|file| Path::is_file(file))
    };
    std::env::split_paths(&path).find_map(in_folder)
}

fn axe_file() -> io::Result<PathBuf> {
    Ok(cache()?.join(format!("axe-core-{AXE_VERSION}.js")))
}

fn cache() -> io::Result<PathBuf> {
    let cache = workspace::cache_folder();
    cache.ok_or_else(|| io::Error::other("neither XDG_CACHE_HOME nor HOME is set"))
}

/// Runs a program; an error has the last lines that it wrote.
pub(crate) fn run(command: &mut Command) -> io::Result<()> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let mut last: Vec<_> = said.lines().rev().take(5).collect();
    last.reverse();
    Err(io::Error::other(format!(
        "{command:?}: {}: {}",
        output.status,
        last.join("\n")
    )))
}
