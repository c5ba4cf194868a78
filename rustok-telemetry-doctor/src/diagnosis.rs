//! Why a receiver that can be reached did not take what was sent, and what would be right.

use rustok_telemetry::config::{OtlpConfig, Protocol};
use url::Url;

use crate::{
    endpoint::{FirstHop, variable},
    marked::name,
    mismatch::{tls, wrong_protocol},
    probe::{Speaks, ask},
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
    let speaks = || direct.map_or(Speaks::Nothing, |hop| ask(&hop.address));
    explain(otlp, reason, speaks)
}

fn explain(otlp: &OtlpConfig, reason: &str, speaks: impl FnOnce() -> Speaks) -> StepResult {
    let refusal = Refusal::in_text(reason);
    let (cause, remedy) = match refusal {
        Refusal::Unauthorised => unauthorised(otlp),
        Refusal::Busy => busy(),
        Refusal::Gateway => gateway(otlp),
        Refusal::TooLarge => too_large(),
        _ => match wrong_protocol(otlp, speaks()).or_else(|| tls(otlp, reason)) {
            Some(found) => found,
            None => unexplained(otlp, &refusal),
        },
    };
    StepResult::failed(reason, cause, remedy)
}

/// A cause, and its remedy.
pub type Found = (String, String);

/// What kind of refusal it is.
#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    Unauthorised,
    NotFound,
    Busy,
    Gateway,
    TooLarge,
    TimedOut,
    Other,
}

impl Refusal {
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
            "the receiver wants credentials, and no headers are set".to_owned(),
            format!("set {headers} to what it wants, such as authorization=Bearer%20…"),
        ),
        false => (
            format!("the receiver does not accept the headers {}", *otlp.headers),
            format!("check the values in {}", otlp.headers.source),
        ),
    }
}

fn busy() -> Found {
    (
        "the receiver takes nothing at the moment: its memory limit or its queue is reached"
            .to_owned(),
        "see the Collector's log and otelcol_exporter_queue_size; what it sends to may be down"
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
        "raise its limit (max_request_body_size)".to_owned(),
    )
}

fn unexplained(otlp: &OtlpConfig, refusal: &Refusal) -> Found {
    let signal = name(otlp.signal);
    let url = otlp.shown_url();
    match refusal {
        Refusal::NotFound if has_usual_path(otlp) => (
            format!(
                "the server takes no {signal}: it is no Collector, or has no pipeline for {signal}"
            ),
            format!(
                "add a pipeline for {signal} to the Collector, or set OTEL_{}_EXPORTER=none",
                signal.to_ascii_uppercase()
            ),
        ),
        Refusal::NotFound => {
            let endpoint = variable(otlp, "ENDPOINT");
            let right = match endpoint.contains(&signal.to_ascii_uppercase()) {
                true => format!("it is used as it is: end it with {}", otlp.signal.path()),
                false => format!("{} is added to it: leave the path out", otlp.signal.path()),
            };
            (
                "wrong path: the server does not know it".to_owned(),
                format!("check {endpoint}; {right}"),
            )
        }
        Refusal::TimedOut => (
            "the receiver takes longer than the timeout".to_owned(),
            format!("see its log, or raise {}", variable(otlp, "TIMEOUT")),
        ),
        _ => (
            "the receiver refuses what was sent".to_owned(),
            format!("see the log of what listens at {url}"),
        ),
    }
}

/// Whether the path is the one that every Collector has. gRPC has no other.
fn has_usual_path(otlp: &OtlpConfig) -> bool {
    let url = Url::parse(&otlp.url());
    *otlp.protocol == Protocol::Grpc || url.is_ok_and(|url| url.path() == otlp.signal.path())
}

#[cfg(test)]
mod tests {
    use rustok_telemetry::config::TelemetryConfig;

    use super::*;

    fn cause(variables: &[(&str, &str)], reason: &str, speaks: Speaks) -> String {
        let config = TelemetryConfig::from_vars(variables.iter().copied()).expect("right");
        match explain(&config.traces.otlp, reason, || speaks) {
            StepResult::Failed(failure) => format!("{} → {}", failure.cause, failure.remedy),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn refused_credentials_name_the_headers_without_their_values() {
        for reason in [
            "HTTP export failed with status code: 403",
            "TonicTracesClient export failed with gRPC code: Unauthenticated",
        ] {
            let told = cause(
                &[("OTEL_EXPORTER_OTLP_HEADERS", "api-key=hunter2")],
                reason,
                Speaks::Http1,
            );
            assert!(
                told.contains("api-key=*** → check the values in OTEL_EXPORTER_OTLP_HEADERS"),
                "{told}"
            );
            let told = cause(&[], reason, Speaks::Http1);
            assert!(told.contains("no headers are set"), "{told}");
        }
    }

    #[test]
    fn what_tls_says_leads_to_the_variable() {
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
            let told = cause(&variables, reason, Speaks::Http1);
            assert!(told.contains(variable), "{reason}: {told}");
        }
    }

    #[test]
    fn a_collector_without_a_pipeline_is_told_from_a_wrong_path() {
        let reason = "HTTP export failed with status code: 404";
        let told = cause(&[], reason, Speaks::Http1);
        assert!(told.contains("no pipeline for traces"), "{told}");
        let base = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/v1/traces")];
        let told = cause(&base, reason, Speaks::Http1);
        assert!(
            told.contains("wrong path") && told.contains("leave the path out"),
            "{told}"
        );
        let own = [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c:4318/")];
        let told = cause(&own, reason, Speaks::Http1);
        assert!(told.contains("end it with /v1/traces"), "{told}");
    }
}
