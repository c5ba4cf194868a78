//! Finds the cause and the remedy of an export that failed although the receiver can be reached.

use rustok_telemetry::config::{OtlpConfig, Protocol};
use url::Url;

use crate::{
    endpoint::{FirstHop, variable},
    marked::name,
    mismatch::{tls, wrong_protocol},
    probe::{Detected, detect},
    step::StepResult,
};

/// Returns a failure with the cause that the exporter's reason gives, or that the endpoint's port shows. Behind a proxy
/// the port is not asked.
pub fn diagnose(otlp: &OtlpConfig, reason: &str) -> StepResult {
    let hop = FirstHop::of(otlp);
    if let Some(proxy) = hop.as_ref().and_then(|hop| hop.proxy.as_ref())
        && let Ok(url) = Url::parse(&otlp.url())
        && let Some((cause, remedy)) = proxy.rejection(&url, reason)
    {
        return StepResult::failed(reason, cause, remedy);
    }
    let direct = hop.filter(|hop| hop.proxy.is_none());
    let detected = || direct.map_or(Detected::Unknown, |hop| detect(&hop.address));
    explain(otlp, reason, detected)
}

fn explain(otlp: &OtlpConfig, reason: &str, detected: impl FnOnce() -> Detected) -> StepResult {
    let code = code(reason);
    let (cause, remedy) = match code {
        "401" | "403" | "Unauthenticated" | "PermissionDenied" => unauthorised(otlp),
        "429" | "503" | "ResourceExhausted" => (
            "the receiver accepts nothing at the moment: its memory limit is reached, or its queue is full".to_owned(),
            "see the Collector's log and otelcol_exporter_queue_size; one of its export targets may be down".to_owned(),
        ),
        "502" | "504" => (
            "a gateway in front of the Collector cannot reach it".to_owned(),
            format!("see the log of the gateway or load balancer at {}", otlp.shown_url()),
        ),
        "413" => (
            "the receiver limits the size of requests".to_owned(),
            "raise its limit (max_request_body_size)".to_owned(),
        ),
        _ => wrong_protocol(otlp, detected())
            .or_else(|| tls(otlp, reason))
            .unwrap_or_else(|| match code {
                "404" | "405" | "Unimplemented" | "NotFound" => not_found(otlp),
                "408" | "DeadlineExceeded" | "Cancelled" => timed_out(otlp),
                _ if reason.contains("timed out") => timed_out(otlp),
                _ => (
                    "the receiver rejected the request".to_owned(),
                    format!("see the log of the program that listens at {}", otlp.shown_url()),
                ),
            }),
    };
    StepResult::failed(reason, cause, remedy)
}

/// A cause and its remedy.
pub type Found = (String, String);

/// Returns the HTTP status or the name of the gRPC code in the exporter's reason; empty if there is none.
fn code(reason: &str) -> &str {
    let after = ["status code: ", "gRPC code: "]
        .iter()
        .find_map(|mark| reason.split_once(mark));
    let (_, code) = after.unwrap_or_default();
    code.split(|letter: char| !letter.is_alphanumeric())
        .next()
        .unwrap_or_default()
}

fn unauthorised(otlp: &OtlpConfig) -> Found {
    let headers = variable(otlp, "HEADERS");
    match otlp.headers.value.is_empty() {
        true => (
            "the receiver requires credentials, but no headers are set".to_owned(),
            format!("set {headers}, such as authorization=Bearer%20…"),
        ),
        false => (
            format!(
                "the receiver does not accept the headers {}",
                otlp.headers.value
            ),
            format!("check the values in {}", otlp.headers.source),
        ),
    }
}

fn not_found(otlp: &OtlpConfig) -> Found {
    let (signal, path) = (name(otlp.signal), otlp.signal.path());
    if has_standard_path(otlp) {
        let variable = format!("OTEL_{}_EXPORTER", signal.to_ascii_uppercase());
        return (
            format!(
                "the server does not accept {signal}: it is no Collector, or has no pipeline for {signal}"
            ),
            format!(
                "add a pipeline for {signal} to the Collector, or do not export them ({variable}=none)"
            ),
        );
    }
    let endpoint = variable(otlp, "ENDPOINT");
    // Other variables, and the configuration file, give the whole URL.
    let right = match endpoint == "OTEL_EXPORTER_OTLP_ENDPOINT" {
        true => format!("the exporter adds {path}: leave the path out"),
        false => format!("the exporter adds no path: end it with {path}"),
    };
    (
        "wrong path: not found on the server".to_owned(),
        format!("check {endpoint}; {right}"),
    )
}

fn timed_out(otlp: &OtlpConfig) -> Found {
    (
        "the receiver did not answer within the timeout".to_owned(),
        format!("see its log, or raise {}", variable(otlp, "TIMEOUT")),
    )
}

/// Returns whether the path is the standard one. With gRPC it always is.
fn has_standard_path(otlp: &OtlpConfig) -> bool {
    let url = Url::parse(&otlp.url());
    otlp.protocol.value == Protocol::Grpc || url.is_ok_and(|url| url.path() == otlp.signal.path())
}

#[cfg(test)]
mod tests {
    use rustok_telemetry::config::TelemetryConfig;

    use super::*;

    fn cause(variables: &[(&str, &str)], reason: &str, detected: Detected) -> String {
        let config = TelemetryConfig::from_vars(variables.iter().copied()).expect("right");
        match explain(&config.traces.otlp, reason, || detected) {
            StepResult::Failed { cause, remedy, .. } => format!("{cause} → {remedy}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_tls_error_names_the_variable() {
        let variables = [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c:4317")];
        for (reason, variable) in [
            (
                "network error: invalid peer certificate: UnknownIssuer",
                "_TRACES_CERTIFICATE",
            ),
            (
                "gRPC code: Unavailable: received fatal alert: CertificateRequired",
                "_TRACES_CLIENT_KEY",
            ),
            (
                "invalid peer certificate: certificate not valid for name \"c\"",
                "_TRACES_ENDPOINT",
            ),
            ("invalid peer certificate: Expired", "renew it"),
        ] {
            let found = cause(&variables, reason, Detected::Http1);
            assert!(found.contains(variable), "{reason}: {found}");
        }
    }
}
