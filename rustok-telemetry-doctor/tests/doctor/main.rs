//! The program as users run it, against servers with one fault each.

#[path = "../../../rustok-telemetry/tests/wire/certificates.rs"]
#[allow(dead_code, reason = "another test uses the rest")]
mod certificates;
mod configuration;
mod partial;
mod proxies;
mod queries;
#[path = "../../../rustok-telemetry/tests/wire/receiver.rs"]
#[allow(dead_code, reason = "another test uses the rest")]
mod receiver;
mod receivers;
mod servers;
mod tls;

use std::process::Command;

use serde_json::Value;

/// The output of a run, and its exit status.
pub(crate) struct Output {
    pub(crate) status: i32,
    pub(crate) text: String,
}

/// Runs the doctor with these variables, and no other variables of telemetry or proxies.
pub(crate) fn doctor(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rustok-telemetry-doctor"));
    for (name, _) in std::env::vars_os() {
        let upper = name.to_string_lossy().to_ascii_uppercase();
        let ours = ["OTEL_", "RUSTOK_TELEMETRY_"]
            .iter()
            .any(|prefix| upper.starts_with(prefix));
        if ours || upper.ends_with("_PROXY") || upper == "RUST_LOG" {
            command.env_remove(name);
        }
    }
    let output = command
        .args(arguments)
        .envs(variables.iter().copied())
        .output()
        .expect("the doctor runs");
    let errors = String::from_utf8(output.stderr).expect("text");
    assert_eq!(errors, "", "nothing goes to standard error");
    Output {
        status: output.status.code().expect("an exit status"),
        text: String::from_utf8(output.stdout).expect("text"),
    }
}

/// The same with `--json`. The exit status is that in the JSON.
pub(crate) fn doctor_json(arguments: &[&str], variables: &[(&str, &str)]) -> Value {
    let arguments: Vec<_> = arguments.iter().copied().chain(["--json"]).collect();
    let output = doctor(&arguments, variables);
    let json: Value = serde_json::from_str(&output.text).expect("JSON");
    assert_eq!(json["version"], 1);
    assert_eq!(json["exit_status"], output.status, "{json:#}");
    json
}

/// The only step of this name.
pub(crate) fn step<'json>(json: &'json Value, name: &str) -> &'json Value {
    let steps = json["check"]["steps"].as_array().expect("steps");
    let mut named = steps.iter().filter(|step| step["step"] == name);
    let step = named
        .next()
        .unwrap_or_else(|| panic!("no step {name}: {json:#}"));
    assert!(named.next().is_none(), "{name} is there twice: {json:#}");
    step
}
