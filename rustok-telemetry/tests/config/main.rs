//! The configuration, through its public door: variables in; settings, or all problems, out.

mod access;
mod diagnostics;
mod endpoints;
#[cfg(feature = "config-file")]
mod file;
mod lists;
mod secrets;
mod settings;
mod table;
mod tls;
mod tolerant;

use rustok_telemetry::config::{ReportLine, TelemetryConfig};

type Variables<'a> = &'a [(&'a str, &'a str)];

/// The configuration of variables that are right.
fn config(variables: Variables<'_>) -> TelemetryConfig {
    match TelemetryConfig::from_vars(variables.iter().copied()) {
        Ok(config) => config,
        Err(error) => panic!("{variables:?}: {error}"),
    }
}

/// The lines of the error of variables that are wrong, without the heading.
fn diagnostics(variables: Variables<'_>) -> Vec<String> {
    match TelemetryConfig::from_vars(variables.iter().copied()) {
        Ok(config) => panic!("{variables:?} is accepted:\n{}", config.report()),
        Err(error) => error
            .to_string()
            .lines()
            // The heading, where there are several problems.
            .filter(|line| !line.ends_with(" errors in the configuration:"))
            .map(str::to_owned)
            .collect(),
    }
}

/// The report's line of one setting, as `value (source)`.
fn reported(variables: Variables<'_>, setting: &str) -> String {
    let lines = config(variables).report().lines;
    let line = lines.into_iter().find(|line| line.name == setting);
    let Some(ReportLine { value, source, .. }) = line else {
        panic!("no line {setting}");
    };
    format!("{value} ({source})")
}
