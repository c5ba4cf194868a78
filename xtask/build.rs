//! Sets `cfg(stack_missing)` if programs of the stack have not been built, `cfg(browser_missing)` without Chromium or
//! axe-core, and `cfg(python_missing)` without Python, so that the tests that need them are ignored. With the variable `CI` none is ever set: the tests build or
//! install a missing program, or fail.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "modules of the library, of which a part is needed here"
)]

#[path = "src/browser.rs"]
mod browser;
#[path = "src/stack/programs/cached.rs"]
mod cached;
#[path = "src/stack/programs/on_path.rs"]
mod on_path;
#[path = "src/stack/programs/pinned.rs"]
mod pinned;
#[path = "src/progress.rs"]
mod progress;
#[path = "src/workspace.rs"]
mod workspace;

use std::io;
use std::path::Path;

use pinned::Program;
use progress::Reporter;

fn main() -> io::Result<()> {
    println!("cargo::rustc-check-cfg=cfg(stack_missing)");
    println!("cargo::rustc-check-cfg=cfg(browser_missing)");
    println!("cargo::rustc-check-cfg=cfg(python_missing)");
    for variable in ["CI", "HOME", "XDG_CACHE_HOME"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    println!("cargo::rerun-if-changed=src/stack/programs");
    for program in Program::ALL {
        println!("cargo::rerun-if-changed={}", program.module().display());
    }
    println!("cargo::rerun-if-changed=src/browser.rs");
    if std::env::var_os("CI").is_none() && !browser::is_present() {
        println!("cargo::rustc-cfg=browser_missing");
    }
    if std::env::var_os("CI").is_none() && !on_path::has("python3") {
        println!("cargo::rustc-cfg=python_missing");
    }
    if let Some(cache) = workspace::cache_folder() {
        // Cargo watches only existing folders. This one changes when a program is built.
        let built = cached::folder(&cache);
        std::fs::create_dir_all(&built)?;
        println!("cargo::rerun-if-changed={}", built.display());
        if std::env::var_os("CI").is_none() && !all_present(&cache)? {
            println!("cargo::rustc-cfg=stack_missing");
        }
    }
    Ok(())
}

/// Returns whether all programs are built and Go is installed: a test lists the Collector's Go modules.
fn all_present(cache: &Path) -> io::Result<bool> {
    for program in Program::ALL {
        let on_path = on_path::find(program, &mut Reporter::silent()).is_some();
        if !on_path && !cached::path(cache, program)?.is_file() {
            return Ok(false);
        }
    }
    Ok(on_path::has("go"))
}
