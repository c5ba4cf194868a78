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
    let rejection = Rejection::in_text(reason);
    let (cause, remedy) = match rejection {
        Rejection::Unauthorised => unauthorised(otlp),
        Rejection::Busy => busy(),
        Rejection::Gateway => gateway(otlp),
        Rejection::TooLarge => too_large(),
        _ => match wrong_protocol(otlp, detected()).or_else(|| tls(otlp, reason)) {
            Some(found) => found,
            None => unexplained(otlp, &rejection),
        },
    };
    StepResult::failed(reason, cause, remedy)
}

/// A cause and its remedy.
pub type Found = (String, String);

/// How a receiver rejected a request.
#[derive(Debug, PartialEq, Eq)]
enum Rejection {
    Unauthorised,
    NotFound,
    Busy,
    Gateway,
    TooLarge,
    TimedOut,
    Other,
}

impl Rejection {
    fn in_text(reason: &str) -> Self {
        let after = |mark: &str| Some(reason.split_once(mark)?.1);
        if let Some(status) = after("status code: ") {
            return match status.get(..3).unwrap_or_default() {
                "401" | "403" => Self::Unauthorised,
                "404" | "405" => Self::NotFound,
                "429" | "503" => Self::Busy,
                "502" | "504" => Self::Gateway,
                "413" => Self::TooLarge,
                "408" => Self::TimedOut,
                _ => Self::Other,
            };
        }
        let code = after("gRPC code: ").unwrap_or_default();
        let code = code.split(|letter: char| !letter.is_alphabetic()).next();
        match code.unwrap_or_default() {
            "Unauthenticated" | "PermissionDenied" => Self::Unauthorised,
            "Unimplemented" | "NotFound" => Self::NotFound,
            "ResourceExhausted" => Self::Busy,
            "DeadlineExceeded" | "Cancelled" => Self::TimedOut,
            _ if reason.contains("timed out") => Self::TimedOut,
            _ => Self::Other,
        }
    }
}

fn unauthorised(otlp: &OtlpConfig) -> Found {
    let headers = variable(otlp, "HEADERS");
    match otlp.headers.is_empty() {
        true => (
            "the receiver requires credentials, but no headers are set".to_owned(),
            format!("set {headers}, such as authorization=Bearer%20…"),
        ),
        false => (
            format!("the receiver does not accept the headers {}", *otlp.headers),
            format!("check the values in {}", otlp.headers.source),
        ),
    }
}

fn busy() -> Found {
    (
        "the receiver accepts nothing at the moment: its memory limit is reached, or its queue is full"
            .to_owned(),
        "see the Collector's log and otelcol_exporter_queue_size; one of its export targets may be down"
            .to_owned(),
    )
}

fn gateway(otlp: &OtlpConfig) -> Found {
    (
        "a gateway in front of the Collector cannot reach it".to_owned(),
        format!(
            "see the log of the gateway or load balancer at {}",
            otlp.shown_url()
        ),
    )
}

fn too_large() -> Found {
    (
        "the receiver limits the size of requests".to_owned(),
        "raise its limit (max_request_body_size for HTTP, max_recv_msg_size_mib for gRPC)"
            .to_owned(),
    )
}

fn unexplained(otlp: &OtlpConfig, rejection: &Rejection) -> Found {
    let signal = name(otlp.signal);
    let url = otlp.shown_url();
    match rejection {
        Rejection::NotFound if has_standard_path(otlp) => (
            format!(
                "the server does not accept {signal}: it is no Collector, or has no pipeline for {signal}"
            ),
            format!(
                "add a pipeline for {signal} to the Collector, or do not export them (OTEL_{}_EXPORTER=none)",
                signal.to_ascii_uppercase()
            ),
        ),
        Rejection::NotFound => {
            let endpoint = variable(otlp, "ENDPOINT");
            let right = match endpoint.contains(&signal.to_ascii_uppercase()) {
                true => format!(
                    "the exporter adds no path: end it with {}",
                    otlp.signal.path()
                ),
                false => format!(
                    "the exporter adds {}: leave the path out",
                    otlp.signal.path()
                ),
            };
            (
                "wrong path: not found on the server".to_owned(),
                format!("check {endpoint}; {right}"),
            )
        }
        Rejection::TimedOut => (
            "the receiver did not answer within the timeout".to_owned(),
            format!("see its log, or raise {}", variable(otlp, "TIMEOUT")),
        ),
        _ => (
            "the receiver rejected the request".to_owned(),
            format!("see the log of the program that listens at {url}"),
        ),
    }
}

/// Returns whether the path is the standard one. With gRPC it always is.
fn has_standard_path(otlp: &OtlpConfig) -> bool {
    let url = Url::parse(&otlp.url());
    *otlp.protocol == Protocol::Grpc || url.is_ok_and(|url| url.path() == otlp.signal.path())
}

#[cfg(test)]
mod tests {
    use rustok_telemetry::config::TelemetryConfig;

    use super::*;

    fn cause(variables: &[(&str, &str)], reason: &str, detected: Detected) -> String {
        let config = TelemetryConfig::from_vars(variables.iter().copied()).expect("right");
        match explain(&config.traces.otlp, reason, || detected) {
            StepResult::Failed(failure) => format!("{} → {}", failure.cause, failure.remedy),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn rejected_headers_are_named_without_their_values() {
        for reason in [
            "HTTP export failed with status code: 403",
            "TonicTracesClient export failed with gRPC code: Unauthenticated",
        ] {
            let found = cause(
                &[("OTEL_EXPORTER_OTLP_HEADERS", "api-key=hunter2")],
                reason,
                Detected::Http1,
            );
            assert!(
                found.contains("api-key=*** → check the values in OTEL_EXPORTER_OTLP_HEADERS"),
                "{found}"
            );
            let found = cause(&[], reason, Detected::Http1);
            assert!(found.contains("no headers are set"), "{found}");
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

    #[test]
    fn missing_pipeline_and_wrong_path_differ() {
        let reason = "HTTP export failed with status code: 404";
        let found = cause(&[], reason, Detected::Http1);
        assert!(found.contains("no pipeline for traces"), "{found}");
        let base = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/v1/traces")];
        let found = cause(&base, reason, Detected::Http1);
        assert!(
            found.contains("wrong path") && found.contains("leave the path out"),
            "{found}"
        );
        let own = [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c:4318/")];
        let found = cause(&own, reason, Detected::Http1);
        assert!(found.contains("end it with /v1/traces"), "{found}");
    }
}
