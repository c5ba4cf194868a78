//! Generates the objects of `kubernetes/` that repeat other files: the Prometheus Operator reads rules from objects of
//! its own, whose `spec` is a rule file.

use std::fs;

use crate::catalogue::Generated;
use crate::rules::{self, RulesError};

const RULES: &str = "kubernetes/base/observability/rules.yaml";

/// Returns the generated file: one `PrometheusRule` for each `prometheus/*_rules.yml`, with its text unchanged.
///
/// # Errors
///
/// When a rule file cannot be read.
pub fn generate() -> Result<Vec<Generated>, RulesError> {
    let mut objects = Vec::new();
    for file in rules::files()? {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        objects.push(prometheus_rule(
            &name.replace('_', "-"),
            &fs::read_to_string(&file)?,
        ));
    }
    Ok(vec![Generated {
        path: RULES,
        content: format!(
            "# Generated from prometheus/*_rules.yml by `cargo xtask kubernetes`. Do not edit.\n{}",
            objects.join("---\n")
        ),
    }])
}

fn prometheus_rule(name: &str, file: &str) -> String {
    let mut object = format!(
        "apiVersion: monitoring.coreos.com/v1\n\
         kind: PrometheusRule\n\
         metadata:\n  name: {name}\n\
         spec:\n"
    );
    for line in file.lines() {
        if !line.is_empty() {
            object.push_str("  ");
            object.push_str(line);
        }
        object.push('\n');
    }
    object
}
