//! The lines of the README can be pasted: a crate of exactly these dependencies and this code compiles.

use std::fs;
use std::path::Path;

use xtask::workspace;

use crate::page::Page;

#[test]
fn a_crate_of_the_readmes_lines_compiles() {
    let page = Page::read("README.md");
    let dependencies = only(&page, "toml");
    let checkout = format!("\"{}/", workspace::root().display());
    let pasted = dependencies.replace("\"../rustok-telemetry/", &checkout);
    assert_ne!(pasted, dependencies, "the path of the clone");

    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme");
    fs::create_dir_all(folder.join("src")).expect("a folder");
    let manifest =
        format!("[package]\nname = \"pasted\"\nedition = \"2024\"\n\n[workspace]\n\n{pasted}");
    fs::write(folder.join("Cargo.toml"), manifest).expect("a file");
    fs::write(folder.join("src/main.rs"), only(&page, "rust")).expect("a file");
    // The same versions, which are there without a network.
    let lock = workspace::root().join("Cargo.lock");
    fs::copy(lock, folder.join("Cargo.lock")).expect("a copy");
    let output = workspace::cargo()
        .args(["check", "--offline"])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .env("RUSTFLAGS", "-D warnings")
        .output()
        .expect("Cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn getting_started_has_the_same_dependencies() {
    let page = Page::read("docs/guide/getting-started.md");
    let first = page.code("toml").next().expect("dependencies");
    let expected = only(&Page::read("README.md"), "toml") + "tracing = \"0.1\"\n";
    assert_eq!(first.text, expected);
}

/// docs.rs and a registry show the crate's own page.
#[test]
fn the_crates_readme_shows_the_same_code() {
    let whole = Page::read("README.md");
    let of_the_crate = Page::read("rustok-telemetry/README.md");
    assert_eq!(only(&of_the_crate, "rust"), only(&whole, "rust"));
}

#[test]
fn packages_contain_sources_and_licences_only() {
    for name in ["rustok-telemetry", "rustok-telemetry-macros"] {
        let output = workspace::cargo()
            .args([
                "package",
                "--list",
                "--allow-dirty",
                "--offline",
                "-p",
                name,
            ])
            .output()
            .expect("Cargo runs");
        let files = String::from_utf8_lossy(&output.stdout).into_owned();
        let files: Vec<_> = files
            .lines()
            .filter(|file| !file.starts_with("src/"))
            .collect();
        let expected = [
            ".cargo_vcs_info.json",
            "Cargo.lock",
            "Cargo.toml",
            "Cargo.toml.orig",
            "LICENSE-APACHE",
            "LICENSE-MIT",
            "README.md",
        ];
        // Outside of a Git repository the first one is absent.
        let expected = &expected[expected.len() - files.len().min(expected.len())..];
        assert_eq!(files, expected, "{name}");
    }
}

#[test]
fn the_readme_is_short() {
    let lines = Page::read("README.md").text.lines().count();
    assert!(lines < 150, "{lines}");
}

fn only(page: &Page, language: &str) -> String {
    let mut blocks = page.code(language);
    let block = blocks.next().unwrap_or_else(|| panic!("{language}"));
    assert!(blocks.next().is_none(), "one block of {language}");
    block.text.clone()
}
