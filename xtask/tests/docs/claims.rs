//! Figures and names in the documentation are those of the code.

use std::collections::BTreeSet;
use std::fs;

use xtask::{bench_summary, workspace, yaml};

use crate::page::{self, Page};

#[test]
fn the_benchmarks_begin_with_their_summary() {
    let page = Page::read("docs/benchmarks.md").text;
    let fresh = bench_summary::refresh(&page).expect("a summary");
    assert!(fresh == page, "run `cargo xtask bench --summary`");
}

#[test]
fn ratios_in_the_readme_are_measured() {
    let readme = Page::read("README.md").text;
    let (_, section) = readme.split_once("## What it costs").expect("the section");
    let (section, _) = section.split_once("\n## ").expect("its end");
    let rows: Vec<_> = section
        .lines()
        .filter(|line| line.starts_with("| "))
        .collect();
    assert!(rows.len() > 6, "{rows:?}");
    let benchmarks = Page::read("docs/benchmarks.md").text;
    for row in rows {
        assert!(benchmarks.contains(&format!("\n{row}\n")), "{row}");
    }
    let ratio = |row: &&str| {
        row.rsplit('|')
            .nth(1)
            .and_then(|cell| cell.trim().parse().ok())
    };
    let ratios: Vec<f64> = section.lines().filter_map(|row| ratio(&row)).collect();
    let worse = ratios.iter().filter(|ratio| **ratio > 1.0).count();
    assert!(
        worse * 3 >= ratios.len(),
        "good and bad figures alike: {ratios:?}"
    );
}

/// `OTEL_SERVICE_VERSION` and others of the original crate have replacements.
#[test]
fn variables_in_the_guide_exist() {
    let known = Page::read("docs/environment.md").text;
    for page in page::of_the_guide() {
        if page.path == "docs/guide/migrate-rustok.md" {
            continue;
        }
        for name in names(&page.text, "OTEL_") {
            // As in `OTEL_BSP_*`.
            let several = page.text.contains(&format!("{name}_*"));
            let exists = several || known.contains(&format!("`{name}`")) || name == "OTEL";
            assert!(exists, "{}: {name}", page.path);
        }
    }
}

#[test]
fn metrics_in_the_guide_exist() {
    let known = Page::read("docs/metrics.md").text;
    for page in page::of_the_guide() {
        for name in names(&page.text, "rustok_") {
            let base = ["_bucket", "_count", "_sum"]
                .iter()
                .find_map(|suffix| name.strip_suffix(suffix))
                .unwrap_or(&name);
            // `rustok_http_*`, the crate, and a part of a name for grep.
            let part = known.contains(&format!("`{base}")) || name == "rustok_telemetry";
            let earlier = ["rustok_content", "rustok_commerce"];
            assert!(part || earlier.contains(&base), "{}: {name}", page.path);
        }
    }
}

#[test]
fn the_rust_version_is_that_of_the_workspace() {
    let manifest = fs::read_to_string(workspace::root().join("Cargo.toml")).expect("a manifest");
    let (_, version) = manifest.split_once("rust-version = \"").expect("a version");
    let version = version.split('"').next().unwrap_or_default();
    for path in [
        "README.md",
        "docs/guide/getting-started.md",
        "rustok-telemetry/README.md",
        "rustok-telemetry-macros/README.md",
    ] {
        let said = format!("needs Rust {version}");
        assert!(Page::read(path).text.contains(&said), "{path}: {said}");
    }
}

#[test]
fn yaml_in_the_guide_is_valid() {
    let mut seen = 0;
    let kubernetes = Page::read("docs/kubernetes.md");
    for page in page::of_the_guide().into_iter().chain([kubernetes]) {
        for block in page.code("yaml") {
            let parsed = yaml::parse(&block.text);
            assert!(parsed.is_ok(), "{}: {parsed:?}", page.path);
            seen += 1;
        }
    }
    assert!(seen > 1, "{seen}");
}

#[test]
fn counts_of_crates_are_those_of_cargo_tree() {
    let page = Page::read("docs/guide/features.md").text;
    let defaults = crates(&["default"]);
    assert!(
        page.contains(&format!("is {defaults} crates in all")),
        "{defaults}"
    );
    let manifest = fs::read_to_string(workspace::root().join("rustok-telemetry/Cargo.toml"));
    let manifest = manifest.expect("a manifest");
    let (_, features) = manifest.split_once("[features]\n").expect("features");
    let mut seen = 0;
    for line in features.lines().take_while(|line| !line.is_empty()) {
        let name = line.split(' ').next().unwrap_or_default();
        if ["default", "http", "tls"].contains(&name) {
            continue;
        }
        let row = page.lines().find(|line| {
            let cell = line.split('|').nth(1).unwrap_or_default();
            cell.contains(&format!("`{name}`"))
        });
        let row = row.unwrap_or_else(|| panic!("no row for {name}"));
        let adds = crates(&["default", name]) - defaults;
        assert_eq!(
            row.split('|').nth(2).map(str::trim),
            Some(&*adds.to_string()),
            "{name}"
        );
        seen += 1;
    }
    assert!(seen > 12, "{seen}");
    let tonic = crates(&["grpc", "tonic"]) - crates(&["grpc"]);
    assert!(page.contains(&format!("{tonic} with `grpc`")), "{tonic}");
    for features in [&["http"][..], &["grpc"]] {
        let list = features.join("\", \"");
        let row = format!(
            "| `default-features = false, features = [\"{list}\"]` | {} |",
            crates(features)
        );
        assert!(page.contains(&row), "{row}");
    }
}

/// The crates of a build with these features, the library and its macros included.
fn crates(features: &[&str]) -> usize {
    let output = workspace::cargo()
        .args(["tree", "--offline", "--edges", "normal", "--prefix", "none"])
        .args(["--package", "rustok-telemetry", "--no-default-features"])
        .args([
            "--target",
            "x86_64-unknown-linux-gnu",
            "--features",
            &features.join(","),
        ])
        .output()
        .expect("Cargo runs");
    assert!(output.status.success(), "{output:?}");
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let crates: BTreeSet<_> = lines
        .lines()
        .filter_map(|line| line.split_once(" v"))
        .map(|(name, rest)| (name, rest.split(' ').next()))
        .collect();
    crates.len()
}

/// Words that begin so.
fn names(text: &str, start: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    let words = words.filter(|word| word.starts_with(start));
    words
        .map(|word| word.trim_end_matches('_').to_owned())
        .collect()
}

/// Each promise on the page names a test, `…_suffix` being the one before it with another end.
#[test]
fn tests_of_the_promises_exist() {
    let page = Page::read("docs/reliability.md").text;
    let tables = page.split("\n| When | Then | Test |\n").skip(1);
    let rows = tables.flat_map(|table| {
        let rows = table.lines().skip(1);
        rows.take_while(|line| line.starts_with("| "))
    });
    let rows: Vec<_> = rows.collect();
    assert!(rows.len() > 20, "{rows:?}");
    for row in rows {
        let tests = row.rsplit('|').nth(1).expect("a cell");
        let names: Vec<_> = tests.split('`').skip(1).step_by(2).collect();
        let (mut file, mut found) = (String::new(), 0);
        for name in names {
            if name.ends_with(".rs") {
                let path = match name.contains('/') {
                    true => name.to_owned(),
                    false => format!("rustok-telemetry/tests/wire/{name}"),
                };
                file = fs::read_to_string(workspace::root().join(&path))
                    .unwrap_or_else(|error| panic!("{path}: {error}"));
                continue;
            }
            let exists = match name.strip_prefix('…') {
                Some(end) => file.contains(&format!("{end}()")),
                None => file.contains(&format!("fn {name}()")),
            };
            assert!(exists, "{name}");
            found += 1;
        }
        assert!(found > 0, "{row}");
    }
}
