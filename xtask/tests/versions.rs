//! `docs/versions.md` says what is built and run.

use std::collections::BTreeMap;
use std::fs;

use xtask::stack::programs::Program;
use xtask::workspace;

#[test]
fn crates_have_the_versions_of_the_workspace() {
    let manifest = read("Cargo.toml");
    let mut seen = 0;
    for (name, version) in crates() {
        let declared = manifest.lines().find_map(|line| {
            let (key, value) = line.split_once(" = ")?;
            (key == name).then_some(value)
        });
        let declared = declared.unwrap_or_else(|| panic!("{name} is no dependency"));
        let in_quotes = declared.split('"').nth(1);
        let in_quotes = in_quotes.map(|version| version.trim_start_matches('='));
        assert_eq!(in_quotes, Some(&*version), "{name} in Cargo.toml");
        let compatible = locked(&name).iter().any(|locked| {
            let exact = *locked == version;
            exact || locked.starts_with(&format!("{version}."))
        });
        assert!(
            compatible,
            "{name} {version}: {:?} in Cargo.lock",
            locked(&name)
        );
        seen += 1;
    }
    assert_eq!(seen, 19);
}

#[test]
fn features_match_the_sdk() {
    let manifest = read("rustok-telemetry/Cargo.toml");
    let (_, features) = manifest.split_once("[features]").expect("features");
    for row in rows("| crate | version | feature") {
        let feature = row[2].trim_matches('`');
        let is_one = feature.is_empty() || features.contains(&format!("\n{feature} = ["));
        assert!(is_one, "{row:?}");
    }
}

/// Else the tests behind a feature would not run, and nothing would say so.
#[test]
fn the_librarys_tests_have_every_feature() {
    let manifest = read("rustok-telemetry/Cargo.toml");
    let enabled = read("rustok-telemetry/renamed/Cargo.toml");
    let (_, features) = manifest
        .split_once("[features]\ndefault = ")
        .expect("features");
    let (default, features) = features.split_once('\n').expect("more of them");
    for line in features.lines().take_while(|line| !line.is_empty()) {
        let name = format!("\"{}\"", line.split(' ').next().expect("a name"));
        assert!(enabled.contains(&name) || default.contains(&name), "{name}");
    }
}

#[test]
fn the_minimum_rust_version_is_that_of_the_workspace() {
    let version = read("Cargo.toml")
        .lines()
        .find_map(|line| Some(line.strip_prefix("rust-version = \"")?.replace('"', "")))
        .expect("a version");
    let said = format!("Rust {version} or newer, edition 2024.");
    assert!(page().contains(&said), "{said}");
}

#[test]
fn programs_have_the_pinned_versions_and_images() {
    let compose = read("docker-compose.observability.yml");
    let rows: BTreeMap<_, _> = rows("| program | version | image |")
        .into_iter()
        .map(|row| (row[0].clone(), (row[1].clone(), row[2].clone())))
        .collect();
    assert_eq!(rows.len(), 6);
    for (name, program) in [
        ("OpenTelemetry Collector", Program::Otelcol),
        ("Prometheus", Program::Prometheus),
        ("Jaeger", Program::Jaeger),
        ("VictoriaMetrics", Program::VictoriaMetrics),
    ] {
        assert_eq!(rows[name].0, program.version(), "{name}");
    }
    // Not in containers, which have Grafana.
    let in_containers = rows.iter().filter(|(name, _)| *name != "VictoriaMetrics");
    for (name, (version, image)) in in_containers {
        let image = image.split('`').nth(1).expect("an image");
        assert!(compose.contains(&format!("image: {image}\n")), "{image}");
        // Jaeger's releases have two numbers for the same code.
        assert!(image.ends_with(version) || name == "Jaeger", "{name}");
    }
}

/// Name and version of each crate on the page.
fn crates() -> Vec<(String, String)> {
    let both = [
        rows("| crate | version | feature"),
        rows("| crate | version |\n"),
    ];
    let rows = both.into_iter().flatten();
    rows.map(|row| (row[0].trim_matches('`').to_owned(), row[1].clone()))
        .collect()
}

/// The cells of the table whose head begins so.
fn rows(head: &str) -> Vec<Vec<String>> {
    let page = page();
    let (_, table) = page
        .split_once(head)
        .unwrap_or_else(|| panic!("no table {head}"));
    let lines = table
        .lines()
        .skip_while(|line| !line.starts_with("|---"))
        .skip(1);
    let lines = lines.take_while(|line| line.starts_with('|'));
    let rows: Vec<Vec<String>> = lines
        .map(|line| {
            let cells = line.trim_matches('|').split('|');
            cells.map(|cell| cell.trim().to_owned()).collect()
        })
        .collect();
    assert!(!rows.is_empty(), "{head}");
    rows
}

/// The versions of a crate in `Cargo.lock`.
fn locked(name: &str) -> Vec<String> {
    let lock = read("Cargo.lock");
    let head = format!("name = \"{name}\"\nversion = \"");
    let found = lock.split(&head).skip(1);
    found
        .filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()))
        .collect()
}

fn page() -> String {
    read("docs/versions.md")
}

fn read(path: &str) -> String {
    fs::read_to_string(workspace::root().join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}
