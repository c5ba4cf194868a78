//! Looks for a program on the `PATH` in the pinned version.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Program;
use crate::progress::Reporter;

/// Returns the program on the `PATH` if it has the pinned version. Another version is reported as a note.
pub(super) fn find(program: Program, reporter: &mut Reporter) -> Option<PathBuf> {
    find_in(program, &std::env::var_os("PATH")?, reporter)
}

/// Returns whether the `PATH` has an executable file of this name.
pub(super) fn has(name: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| executables(name, &path).next().is_some())
}

fn find_in(program: Program, path: &OsStr, reporter: &mut Reporter) -> Option<PathBuf> {
    for file in executables(program.name_on_path(), path) {
        let printed = printed_version(&file, program.version_argument());
        if has_version(&printed, program.printed_versions()) {
            return Some(file);
        }
        reporter.note(&format!(
            "{} says {:?}, which is not {program}: not used",
            file.display(),
            printed.lines().next().unwrap_or_default()
        ));
    }
    None
}

fn executables(name: &str, path: &OsStr) -> impl Iterator<Item = PathBuf> {
    std::env::split_paths(path)
        .map(move |folder| folder.join(name))
        .filter(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    file.metadata()
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

fn printed_version(file: &Path, argument: &str) -> String {
    let output = Command::new(file)
        .arg(argument)
        .stdin(Stdio::null())
        .output();
    match output {
        // Some programs print the version to standard error.
        Ok(output) => [output.stdout, output.stderr]
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .concat(),
        Err(error) => error.to_string(),
    }
}

/// Returns whether the text contains one of the versions as a whole word.
fn has_version(text: &str, versions: &[&str]) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '+' | '-' | '~'))
        .map(|word| tag(word).unwrap_or(word))
        .map(|word| word.strip_prefix('v').unwrap_or(word))
        .any(|word| versions.contains(&word))
}

/// Returns the tag of a build from exactly that tag: VictoriaMetrics prints the output of `git describe --long --all`
/// after its name and the date.
fn tag(word: &str) -> Option<&str> {
    let (_, described) = word.split_once("-tags-")?;
    Some(described.split_once("-0-g")?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_words_of_their_own() {
        let accepted = Program::Prometheus.printed_versions();
        assert!(has_version(
            "prometheus, version 3.16.0 (branch: HEAD)",
            accepted
        ));
        assert!(!has_version(
            "prometheus, version 2.42.0+ds (branch: x)",
            accepted
        ));
        assert!(!has_version("prometheus, version 3.16.0-rc.1", accepted));
        assert!(!has_version("go1.3.16.0", accepted));
    }

    #[test]
    fn jaeger_is_known_by_either_number() {
        let accepted = Program::Jaeger.printed_versions();
        assert!(has_version(
            r#"{"gitVersion":"v2.13.0","buildDate":""}"#,
            accepted
        ));
        assert!(has_version(r#"{"gitVersion":"v1.76.0"}"#, accepted));
    }

    #[test]
    fn victoria_metrics_is_known_by_its_tag() {
        let accepted = Program::VictoriaMetrics.printed_versions();
        let printed = |end| format!("victoria-metrics-20261120-101112-{end}");
        assert!(has_version(
            &printed("tags-v1.151.0-0-g0123abcdef"),
            accepted
        ));
        // Another edition, a later commit, no tag.
        for other in [
            "tags-v1.151.0-enterprise-0-g0123abcdef",
            "tags-v1.151.0-3-g0123abcdef",
            "heads-v1.151.0-0-g0123abcdef",
        ] {
            assert!(!has_version(&printed(other), accepted), "{other}");
        }
    }

    #[test]
    fn only_the_pinned_version_is_taken_from_the_path() {
        let root = std::env::temp_dir().join(format!("xtask-path-{}", std::process::id()));
        let (old, pinned) = (root.join("old"), root.join("pinned"));
        write_program(&old, "prometheus, version 2.42.0+ds");
        write_program(&pinned, "prometheus, version 3.16.0");

        let mut reporter = Reporter::silent();
        let both = std::env::join_paths([&old, &pinned]).expect("paths");
        let found = find_in(Program::Prometheus, &both, &mut reporter);
        let only_old = find_in(Program::Prometheus, old.as_os_str(), &mut reporter);
        std::fs::remove_dir_all(&root).expect("removed");

        assert_eq!(found, Some(pinned.join("prometheus")));
        assert_eq!(only_old, None);
    }

    fn write_program(folder: &Path, says: &str) {
        std::fs::create_dir_all(folder).expect("folder");
        let file = folder.join("prometheus");
        std::fs::write(&file, format!("#!/bin/sh\necho '{says}'\n")).expect("script");
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&file, mode).expect("executable");
    }
}
