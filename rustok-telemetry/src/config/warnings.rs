//! Warnings about settings that are valid, but probably not intended.

use super::{
    OtlpConfig, Protocol, Setting, Signal, Source, TelemetryConfig, choice::Choice, one_line,
};

impl TelemetryConfig {
    /// Returns warnings about settings that are valid, but probably not intended. Each names the setting and says what
    /// to change.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings: Vec<String> = self.replaced_by_file().into_iter().collect();
        if self.disabled.value {
            return warnings;
        }
        let signals = self.signals().into_iter();
        let exported: Vec<_> = signals.filter(|(_, _, is_exported)| *is_exported).collect();
        if !exported.is_empty() && self.service_name.value.is_none() {
            warnings.push(format!(
                "No service name is set, so backends list the service as `{}`: set OTEL_SERVICE_NAME, or call \
                 `Builder::default_service_name`.",
                self.effective_service_name()
            ));
        }
        for (_, otlp, _) in exported {
            for warning in [other_protocols_port(otlp), path_mistake(otlp)] {
                warnings.extend(warning.filter(|warning| !warnings.contains(warning)));
            }
        }
        warnings
    }

    /// Returns a warning about the variables that a configuration file replaces.
    fn replaced_by_file(&self) -> Option<String> {
        let file = self.file.as_ref()?;
        (!file.not_used.is_empty()).then(|| {
            format!(
                "OTEL_CONFIG_FILE={} takes the place of the other variables, so these are not used: {}.",
                one_line(&file.path),
                file.not_used.join(", ")
            )
        })
    }
}

/// Returns a warning about gRPC's port 4317 with HTTP, or HTTP's port 4318 with gRPC.
fn other_protocols_port(otlp: &OtlpConfig) -> Option<String> {
    let port = otlp.endpoint.value.given()?.port()?;
    let protocol = otlp.protocol.value;
    let (whose, other, right_port) = match (protocol, port) {
        (Protocol::HttpProtobuf, 4317) => ("gRPC", Protocol::Grpc, 4318),
        (Protocol::Grpc, 4318) => ("HTTP", Protocol::HttpProtobuf, 4317),
        _ => return None,
    };
    let by_default = match otlp.protocol.source {
        Source::Default => " (the default)",
        _ => "",
    };
    let [own, general] = otlp.signal.variables("PROTOCOL");
    let variable = origin(&otlp.protocol).unwrap_or(match otlp.endpoint.value.is_exact() {
        true => own,
        false => general,
    });
    let remedy = match other.disabled() {
        None => format!("Set {variable}={other}, or use {right_port}."),
        Some(why) => format!("Use {right_port}; {why}."),
    };
    Some(format!(
        "{} with protocol {protocol}{by_default}: {port} is usually the {whose} port. {remedy}",
        shown(otlp)
    ))
}

/// Returns a warning about a path that is repeated, missing or unused.
fn path_mistake(otlp: &OtlpConfig) -> Option<String> {
    let path = otlp.endpoint.value.given()?.path();
    let shown = shown(otlp);
    let signal_path = otlp.signal.path();
    let signals = [Signal::Traces, Signal::Metrics, Signal::Logs];
    let ends_with = |signal: &Signal| path.trim_end_matches('/').ends_with(signal.path());
    match (otlp.protocol.value, otlp.endpoint.value.is_exact()) {
        (Protocol::Grpc, _) if path != "/" => Some(format!(
            "{shown} with protocol grpc: the path {path} is not used."
        )),
        (Protocol::HttpProtobuf, false) if signals.iter().any(ends_with) => Some(format!(
            "{shown}: each signal's path is added, which makes {}. Leave /v1/… out.",
            otlp.shown_url()
        )),
        (Protocol::HttpProtobuf, true) if path == "/" => Some(format!(
            "{shown} is used as it is, without a path: a Collector listens on {signal_path}."
        )),
        _ => None,
    }
}

/// Returns `NAME=url`, as given.
fn shown(otlp: &OtlpConfig) -> String {
    let given = otlp.endpoint.value.to_string();
    let url = given.trim_end_matches('/');
    match origin(&otlp.endpoint) {
        Some(name) => format!("{name}={url}"),
        None => format!("the endpoint {url}"),
    }
}

/// Returns the variable that set the value.
fn origin<T>(setting: &Setting<T>) -> Option<&'static str> {
    match setting.source {
        Source::Environment(name) => Some(name),
        _ => None,
    }
}
