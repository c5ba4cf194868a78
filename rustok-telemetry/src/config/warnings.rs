//! What is valid, but probably not intended.

use super::{
    otlp::{OtlpConfig, Signal},
    protocol::Protocol,
    setting::{Setting, Source},
    telemetry::TelemetryConfig,
    variables::one_line,
};

impl TelemetryConfig {
    /// Returns what is valid, but probably not intended. Each warning names the setting and the way out.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings: Vec<String> = self.not_used().into_iter().collect();
        if self.disabled.value {
            return warnings;
        }
        let exported = self
            .signals()
            .into_iter()
            .filter(|(_, _, is_exported)| *is_exported);
        let exported: Vec<_> = exported.map(|(_, otlp, _)| otlp).collect();
        warnings.extend(self.nameless(!exported.is_empty()));
        for otlp in exported {
            for warning in [other_protocols_port(otlp), path_mistake(otlp)] {
                if let Some(warning) = warning.filter(|warning| !warnings.contains(warning)) {
                    warnings.push(warning);
                }
            }
        }
        warnings
    }

    /// Backends cannot tell services without a name apart.
    fn nameless(&self, is_sent: bool) -> Option<String> {
        let nameless = is_sent && self.service_name.value.is_none();
        nameless.then(|| {
            format!(
                "The service has no name, so backends list it as `{}`: set OTEL_SERVICE_NAME.",
                self.effective_service_name()
            )
        })
    }

    /// Variables that a configuration file replaces.
    fn not_used(&self) -> Option<String> {
        let file = self
            .file
            .as_ref()
            .filter(|file| !file.not_used.is_empty())?;
        Some(format!(
            "OTEL_CONFIG_FILE={} takes the place of the other variables, so these are not used: {}.",
            one_line(&file.path),
            file.not_used.join(", ")
        ))
    }
}

/// 4317 is gRPC's port and 4318 is HTTP's; the other way round nothing arrives.
fn other_protocols_port(otlp: &OtlpConfig) -> Option<String> {
    let port = otlp.endpoint.value.given()?.port()?;
    let (whose, other, right_port) = match (otlp.protocol.value, port) {
        (Protocol::HttpProtobuf, 4317) => ("gRPC", Protocol::Grpc, 4318),
        (Protocol::Grpc, 4318) => ("HTTP", Protocol::HttpProtobuf, 4317),
        _ => return None,
    };
    let protocol = otlp.protocol.value;
    let by_default = match otlp.protocol.source {
        Source::Default => " (the default)",
        _ => "",
    };
    let variable = protocol_variable(otlp);
    Some(format!(
        "{} with protocol {protocol}{by_default}: {port} is usually the {whose} port. \
         Set {variable}={other}, or use {right_port}.",
        shown(otlp)
    ))
}

/// A path that is added twice, left out, or not used at all.
fn path_mistake(otlp: &OtlpConfig) -> Option<String> {
    let path = otlp.endpoint.value.given()?.path();
    let shown = shown(otlp);
    let signal_path = otlp.signal.path();
    match (otlp.protocol.value, otlp.endpoint.value.is_exact()) {
        (Protocol::Grpc, _) if path != "/" => Some(format!(
            "{shown} with protocol grpc: the path {path} is not used."
        )),
        (Protocol::HttpProtobuf, false) if ends_with_signal_path(path) => Some(format!(
            "{shown}: each signal's path is added, which makes {}. Leave /v1/… out.",
            otlp.shown_url()
        )),
        (Protocol::HttpProtobuf, true) if path == "/" => Some(format!(
            "{shown} is used as it is, without a path: a Collector listens on {signal_path}."
        )),
        _ => None,
    }
}

fn ends_with_signal_path(path: &str) -> bool {
    let path = path.trim_end_matches('/');
    [Signal::Traces, Signal::Metrics, Signal::Logs]
        .iter()
        .any(|signal| path.ends_with(signal.path()))
}

/// `NAME=url`, as given.
fn shown(otlp: &OtlpConfig) -> String {
    let given = otlp.endpoint.value.to_string();
    match origin(&otlp.endpoint) {
        Some(name) => format!("{name}={}", given.trim_end_matches('/')),
        None => format!("the endpoint {}", given.trim_end_matches('/')),
    }
}

/// The variable that sets the protocol.
fn protocol_variable(otlp: &OtlpConfig) -> &'static str {
    let [own, general] = otlp.signal.variables("PROTOCOL");
    origin(&otlp.protocol).unwrap_or(match otlp.endpoint.value.is_exact() {
        true => own,
        false => general,
    })
}

fn origin<T>(setting: &Setting<T>) -> Option<&'static str> {
    match setting.source {
        Source::Environment(name) => Some(name),
        _ => None,
    }
}
