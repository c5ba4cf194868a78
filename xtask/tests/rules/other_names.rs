//! The files of `cargo xtask names`: promtool accepts the rules, and their cases are as expected.

use std::fs;
use std::path::{Path, PathBuf};

use xtask::names::Names;

use crate::assert_succeeds;

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn promtool_accepts_rules_and_cases_with_other_names() {
    let folder = written();
    let files = |below: &str| {
        let entries = fs::read_dir(folder.join(below)).expect("the folder");
        let paths = entries.map(|entry| entry.expect("a file").path());
        let mut files: Vec<PathBuf> = paths.filter(|path| path.is_file()).collect();
        files.sort();
        files
    };
    let (rules, cases) = (files("prometheus"), files("prometheus/tests"));
    assert_eq!(rules.len(), crate::files::rule_files().len());
    assert_eq!(cases.len(), crate::files::case_files().len());
    for file in rules.iter().chain(&cases) {
        let text = fs::read_to_string(file).expect("a file");
        for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':')) {
            let declared = word.split(':').any(|part| part.starts_with("rustok_"));
            assert!(!declared, "{}: {word}", file.display());
        }
    }
    assert_succeeds(&["check", "rules", "--lint=all", "--lint-fatal"], &rules);
    assert_succeeds(&["test", "rules"], &cases);
}

/// Writes the files into a folder of this test.
fn written() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("names");
    let names = Names::new("shop", true).expect("the names");
    for file in names.files().expect("the files") {
        let path = folder.join(&file.path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
        fs::write(&path, file.content).expect("the file");
    }
    folder
}
