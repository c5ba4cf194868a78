//! The examples: their table, and `examples/template` as `cargo generate` fills it in.

use std::{fs, io, path::Path};

use xtask::workspace;

const PLACEHOLDER: &str = "{{project-name}}";

/// Copies a folder, and replaces the placeholder in every file.
fn generate(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            generate(&from, &to)?;
            continue;
        }
        let text = fs::read_to_string(from)?.replace(PLACEHOLDER, "greeter");
        assert!(
            !text.contains("{{") && !text.contains("{%"),
            "{}: another placeholder",
            to.display()
        );
        fs::write(to, text)?;
    }
    Ok(())
}

#[test]
fn the_generated_service_passes_its_tests() {
    let root = workspace::root();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let project = folder.join("greeter");
    if project.exists() {
        fs::remove_dir_all(&project).expect("the project of an earlier run");
    }
    generate(&root.join("examples/template"), &project).expect("the template");
    let manifest = project.join("Cargo.toml");
    let mut text = fs::read_to_string(&manifest).expect("a manifest");
    let library = root.join("rustok-telemetry");
    // The project is below the workspace, but not a member of it.
    text += &format!(
        "\n[workspace]\n\n[patch.crates-io]\nrustok-telemetry = {{ path = {library:?} }}\n"
    );
    fs::write(&manifest, text).expect("it is written");
    // The same versions, so that nothing is downloaded, and what is compiled already is reused.
    fs::copy(root.join("Cargo.lock"), project.join("Cargo.lock")).expect("the versions");

    let mut format = workspace::cargo();
    let formatted = format
        .current_dir(&project)
        .args(["fmt", "--check"])
        .output();
    assert!(
        formatted.expect("Cargo runs").status.success(),
        "not formatted"
    );
    let target = folder.parent().expect("the target folder");
    let mut tests = workspace::cargo();
    tests.current_dir(&project);
    tests.args(["test", "--offline", "--target-dir"]);
    let output = tests.arg(target).output().expect("Cargo runs");
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{stdout}\n{stderr}");
    assert!(stdout.contains("3 passed"), "{stdout}");
    assert!(!stderr.contains("warning:"), "{stderr}");
}

#[test]
fn the_table_has_every_example_and_its_package() {
    let examples = workspace::root().join("examples");
    let table = fs::read_to_string(examples.join("README.md")).expect("the table");
    for entry in fs::read_dir(&examples).expect("the examples") {
        let folder = entry.expect("an example").path();
        let Ok(manifest) = fs::read_to_string(folder.join("Cargo.toml")) else {
            continue; // not a package
        };
        let name = folder.file_name().expect("a name").to_string_lossy();
        assert!(
            table.contains(&format!("[{name}]({name}/")),
            "{name}: no row"
        );
        let package = manifest
            .lines()
            .find_map(|line| line.strip_prefix("name = "));
        let package = package.expect("a package").trim_matches('"');
        let runs = table.contains(&format!("cargo run -p {package}"));
        assert!(runs || package == PLACEHOLDER, "{package}: no command");
    }
}
