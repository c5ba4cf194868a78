//! Writes generated files, or checks that they are up to date.

use std::fs;
use std::process::ExitCode;

use xtask::catalogue::Generated;
use xtask::workspace;

use super::Error;

/// Writes the files whose content differs. With `check` it writes nothing, and names the stale files and `command`.
pub(super) fn write_or_check(
    files: Vec<Generated>,
    check: bool,
    command: &str,
) -> Result<ExitCode, Error> {
    let mut stale = Vec::new();
    for file in files {
        let path = workspace::root().join(file.path);
        if fs::read_to_string(&path).is_ok_and(|current| current == file.content) {
            continue;
        }
        if check {
            stale.push(file.path);
            continue;
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, &file.content)?;
        println!("written: {}", file.path);
    }
    if stale.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!(
        "stale: {}. Run `{command}` and commit the result.",
        stale.join(", ")
    );
    Ok(ExitCode::FAILURE)
}
