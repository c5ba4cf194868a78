//! The table of variables tells the truth about every name in it.

use std::collections::BTreeSet;

use rustok_telemetry::{
    __private::{SECTIONS, Status, Variable, find_variable},
    config::{Source, TelemetryConfig},
};

pub(crate) fn variables() -> impl Iterator<Item = &'static Variable> {
    SECTIONS.iter().flat_map(|section| section.variables)
}

#[test]
fn names_are_unique_and_rows_are_whole() {
    let names: BTreeSet<_> = variables().map(|variable| variable.name).collect();
    assert_eq!(names.len(), variables().count());
    for variable in variables() {
        let Variable {
            name,
            default,
            allowed,
            meaning,
            ..
        } = variable;
        let of_library = name.starts_with("RUSTOK_TELEMETRY_") || *name == "RUST_LOG";
        assert!(name.starts_with("OTEL_") || of_library, "{name}");
        assert!(
            !default.is_empty() && !allowed.is_empty() && meaning.ends_with('.'),
            "{name}"
        );
    }
}

#[test]
fn a_refused_variable_is_an_error_and_an_empty_one_is_not() {
    for variable in variables() {
        assert!(
            TelemetryConfig::from_vars([(variable.name, "")]).is_ok(),
            "{}",
            variable.name
        );
        let Status::Refused(reason) = variable.status else {
            continue;
        };
        let error = TelemetryConfig::from_vars([(variable.name, "1")]).expect_err(variable.name);
        assert_eq!(error.diagnostics().len(), 1);
        assert_eq!(error.diagnostics()[0].variable(), variable.name);
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn an_honoured_variable_is_read() {
    for variable in variables().filter(|variable| variable.status == Status::Honoured) {
        let name = variable.name;
        match TelemetryConfig::from_vars([(name, "~")]) {
            Ok(config) => {
                let lines = config.report().lines;
                assert!(
                    lines
                        .iter()
                        .any(|line| line.source == Source::Environment(name)),
                    "{name}"
                );
            }
            Err(error) => assert_eq!(error.diagnostics()[0].variable(), name),
        }
    }
}

/// The names of the specification's pages, of which the file tells source and date.
fn of_the_specification() -> BTreeSet<&'static str> {
    let lines = include_str!("specification.txt").lines();
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
}

/// A variable of the Rust SDK, which users of it may have set.
const OF_THE_RUST_SDK: [&str; 1] = ["OTEL_BSP_MAX_CONCURRENT_EXPORTS"];

#[test]
fn every_variable_of_the_specification_is_here_and_no_other() {
    let specified = of_the_specification();
    assert_eq!(specified.len(), 78);
    let missing: Vec<_> = specified
        .iter()
        .filter(|name| find_variable(name).is_none())
        .collect();
    assert!(missing.is_empty(), "not in the table: {missing:?}");
    let foreign: Vec<_> = variables()
        .map(|variable| variable.name)
        .filter(|name| name.starts_with("OTEL_"))
        .filter(|name| !specified.contains(name) && !OF_THE_RUST_SDK.contains(name))
        .collect();
    assert!(foreign.is_empty(), "not in the specification: {foreign:?}");
}
