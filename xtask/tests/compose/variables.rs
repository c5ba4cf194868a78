//! A variable that is set is read, and one that has to be set is.

use std::collections::BTreeSet;
use std::fs;

use xtask::workspace;

use crate::model::{FILE, counterparts, model, model_with, native_files};

/// What Go's runtime reads in every program, rather than a configuration.
const GO: &str = "GOMEMLIMIT";

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn what_is_set_is_read_by_a_configuration() {
    let model = model();
    for (service, name) in counterparts() {
        let files = native_files(service).into_iter();
        let configuration: String = files
            .map(|file| fs::read_to_string(workspace::root().join(file)).expect(file))
            .collect();
        let set = &model.services[name].environment;
        for variable in set.keys().filter(|variable| *variable != GO) {
            assert!(
                configuration.contains(&format!("${{env:{variable}")),
                "{name} does not read {variable}"
            );
        }
        // Read without a default.
        for part in configuration.split("${env:").skip(1) {
            let end = part.find([':', '}']).expect("the end of a name");
            let has_default = part[end..].starts_with(":-");
            assert!(
                has_default || set.contains_key(&part[..end]),
                "{name}: {}",
                &part[..end]
            );
        }
    }
}

/// Grafana knows no defaults in what it is provisioned with, and ignores a setting that it does not know:
/// these names are from its documentation.
#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn grafana_has_what_its_provisioning_reads() {
    let set: BTreeSet<_> = model().services["grafana"]
        .environment
        .keys()
        .cloned()
        .collect();
    let sources = "grafana/provisioning/datasources/datasources.yml";
    let sources = fs::read_to_string(workspace::root().join(sources)).expect("the data sources");
    let read: BTreeSet<_> = sources
        .lines()
        .filter_map(|line| line.trim().strip_prefix("url: $"))
        .map(str::to_owned)
        .collect();
    let others: BTreeSet<_> = set
        .iter()
        .filter(|name| !name.starts_with("GF_"))
        .cloned()
        .collect();
    assert_eq!(read, others);
}

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn the_password_comes_from_the_environment() {
    let password = |model: crate::model::Model| {
        model.services["grafana"].environment["GF_SECURITY_ADMIN_PASSWORD"].clone()
    };
    assert_eq!(password(model()), "admin");
    let own = model_with(&[("GRAFANA_ADMIN_PASSWORD", "another")]);
    assert_eq!(password(own), "another");
}

/// Each variable that the file reads has a default, and a line in the documentation.
#[test]
fn every_variable_is_documented_with_its_default() {
    let file = fs::read_to_string(workspace::root().join(FILE)).expect("the file");
    let docs = fs::read_to_string(workspace::root().join("docs/stack.md")).expect("the page");
    let mut seen = BTreeSet::new();
    for part in file.split("${").skip(1) {
        let (inside, _) = part.split_once('}').expect("its end");
        let (name, default) = inside.split_once(":-").expect("a default");
        let row = docs
            .lines()
            .find(|line| line.starts_with(&format!("| `{name}` |")));
        let row = row.unwrap_or_else(|| panic!("{name} is not in docs/stack.md"));
        assert!(row.contains(&format!("| `{default}` |")), "{row}");
        seen.insert(name);
    }
    assert_eq!(seen.len(), 9);
}
