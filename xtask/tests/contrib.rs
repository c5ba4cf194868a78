//! In containers the Collector is the official contrib distribution, in the version that we build for ourselves. What a
//! distribution is made of stands in each component's own `metadata.yaml`, in the module that is built into both.
//!
//! That the configuration is valid for these versions of the components is tested in `configuration.rs`.

#![allow(
    clippy::print_stdout,
    reason = "the tests show the figures that they saw"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use xtask::stack::programs::Program;
use xtask::{workspace, yaml};

/// A component by its class and type, such as `exporter` and `otlp_grpc`.
type Component = (String, String);

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn every_component_is_in_the_contrib_distribution() {
    let built = components(
        &workspace::root().join("collector/build"),
        &of_the_builder(),
    );
    let configured = configured();
    // A new file with new sections would be seen.
    assert!(configured.len() > 10, "{configured:?}");
    for component in configured.iter().chain(built.keys()) {
        assert_eq!(is_in_contrib(component, &built), Ok(()));
    }
    println!("all {} components are in contrib", built.len());
}

/// Jaeger has an extension that contrib has not.
#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn a_component_that_contrib_does_not_have_is_found() {
    let extension = "extension/healthcheckv2extension";
    let module = format!("github.com/open-telemetry/opentelemetry-collector-contrib/{extension}");
    let built = components(&workspace::root().join("jaeger/build"), &[module]);
    let component = ("extension".to_owned(), "healthcheckv2".to_owned());
    let found = is_in_contrib(&component, &built).expect_err("it is not there");
    assert!(found.contains("healthcheckv2: only in []"), "{found}");
    let unknown = ("exporter".to_owned(), "carrier_pigeon".to_owned());
    assert!(is_in_contrib(&unknown, &built).is_err());
}

/// The official image has the number of its components.
#[test]
fn the_components_have_the_version_of_the_image() {
    let version = format!(" v{}", Program::Otelcol.version());
    let providers = "/confmap/provider/";
    for module in modules() {
        assert!(
            module.ends_with(&version) || module.contains(providers),
            "{module} is not of {version}"
        );
    }
}

fn is_in_contrib(
    component: &Component,
    distributions: &BTreeMap<Component, BTreeSet<String>>,
) -> Result<(), String> {
    let (class, name) = component;
    match distributions.get(component) {
        None => Err(format!("{class} {name} is not built in")),
        Some(all) if all.contains("contrib") => Ok(()),
        Some(all) => {
            let all: Vec<_> = all.iter().collect();
            Err(format!("{class} {name}: only in {all:?}"))
        }
    }
}

/// What the Collector's configuration and its overlays use.
fn configured() -> BTreeSet<Component> {
    let folder = workspace::root().join("collector");
    let overlays = fs::read_dir(folder.join("overlays")).expect("a folder");
    let overlays = overlays.map(|entry| entry.expect("an entry").path());
    let bases = ["agent.yaml", "config.yaml", "gateway.yaml"].map(|file| folder.join(file));
    let mut all = BTreeSet::new();
    for file in overlays.chain(bases) {
        let text = fs::read_to_string(&file).expect("a file");
        let configuration = yaml::parse(&text).unwrap_or_else(|error| panic!("{file:?}: {error}"));
        for class in [
            "receiver",
            "processor",
            "exporter",
            "connector",
            "extension",
        ] {
            let section = configuration[format!("{class}s")].as_object();
            for name in section.into_iter().flatten().map(|(name, _)| name) {
                let kind = name.split('/').next().unwrap_or_default();
                all.insert((class.to_owned(), kind.to_owned()));
            }
        }
    }
    all
}

/// The components of modules, with the distributions that have each. The modules' versions and checksums are those of
/// the Go module in `folder`.
fn components(folder: &Path, modules: &[String]) -> BTreeMap<Component, BTreeSet<String>> {
    let output = Command::new("go")
        .args(["mod", "download", "-json"])
        .args(modules)
        .current_dir(folder)
        .env("GOWORK", "off")
        .output()
        .expect("go runs");
    let said = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success(), "{said}");
    let downloaded = serde_json::Deserializer::from_str(&said).into_iter::<Value>();
    let components: BTreeMap<_, _> = downloaded
        .map(|module| component(&module.expect("JSON")))
        .collect();
    assert_eq!(components.len(), modules.len(), "{said}");
    components
}

fn component(module: &Value) -> (Component, BTreeSet<String>) {
    let folder = Path::new(module["Dir"].as_str().expect("a folder"));
    let text = fs::read_to_string(folder.join("metadata.yaml")).expect("a file");
    let about = yaml::parse(&text).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let status = &about["status"];
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let distributions = status["distributions"].as_array().expect("a list");
    let distributions = distributions.iter().map(text).collect();
    (
        (text(&status["class"]), text(&about["type"])),
        distributions,
    )
}

/// The modules that the builder puts together, without their versions.
fn of_the_builder() -> Vec<String> {
    let module = |line: String| line.split(' ').next().unwrap_or_default().to_owned();
    modules().into_iter().map(module).collect()
}

/// The modules with their versions.
fn modules() -> Vec<String> {
    let text = fs::read_to_string(workspace::root().join("collector/builder.yaml"));
    let builder = yaml::parse(&text.expect("a file")).expect("YAML");
    let sections = builder.as_object().expect("sections");
    let lists = sections.values().filter_map(Value::as_array).flatten();
    let modules: Vec<_> = lists
        .map(|module| module["gomod"].as_str().expect("a module").to_owned())
        .collect();
    assert!(modules.len() > 20, "{modules:?}");
    modules
}
