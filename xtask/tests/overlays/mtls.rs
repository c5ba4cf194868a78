//! mTLS against the real Collector: with the right certificate telemetry arrives, with a wrong one or none there is one
//! clear error, and nothing is ever to be read on the way.

use crate::{
    certificates::Authority,
    tap::Tap,
    told::{SECRET_HEADER, Told, is_unreadable, port_of, with_tls},
};

/// What a client with the certificate of `whose` is told, by way of somebody who listens. `None`: without one.
fn as_a_client(name: &str, protocol: &str, whose: Option<&str>) -> Told {
    let authority = Authority::new(name, "authority");
    let trusted = authority.certificate.clone();
    let clients = [("COLLECTOR_TLS_CLIENT_AUTHORITY", trusted.as_str())];
    let collector = with_tls(name, &authority, &["mtls"], &clients);
    let tap = Tap::start(collector.ports.get(port_of(protocol)));
    let client = whose.map(|whose| match whose {
        "authority" => authority.issue("client"),
        other => Authority::new(name, other).issue("client"),
    });
    let mut variables = vec![
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", trusted.as_str()),
        SECRET_HEADER,
    ];
    if let Some((certificate, key)) = &client {
        variables.push(("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", certificate));
        variables.push(("OTEL_EXPORTER_OTLP_CLIENT_KEY", key));
    }
    let endpoint = format!("https://localhost:{}", tap.port);
    let told = Told::by_sending(collector, &endpoint, protocol, &variables);
    is_unreadable(&tap.seen());
    told
}

#[test_fork::test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn by_grpc_the_right_certificate_is_let_in() {
    as_a_client("grpc_right", "grpc", Some("authority")).arrives();
}

#[test_fork::test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn by_http_the_right_certificate_is_let_in() {
    as_a_client("http_right", "http/protobuf", Some("authority")).arrives();
}

#[test_fork::test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn by_grpc_a_wrong_certificate_is_turned_away_with_the_reason() {
    as_a_client("grpc_wrong", "grpc", Some("stranger")).is_turned_away(WRONG);
}

#[test_fork::test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn by_http_a_wrong_certificate_is_turned_away_with_the_reason() {
    as_a_client("http_wrong", "http/protobuf", Some("stranger")).is_turned_away(WRONG);
}

#[test_fork::test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn by_grpc_no_certificate_is_turned_away_with_the_reason() {
    as_a_client("grpc_none", "grpc", None).is_turned_away(NONE);
}

#[test_fork::test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn by_http_no_certificate_is_turned_away_with_the_reason() {
    as_a_client("http_none", "http/protobuf", None).is_turned_away(NONE);
}

/// What the Collector says to a certificate of an authority that it does not know, and to none.
const WRONG: &str = "received fatal alert: UnknownCA";
const NONE: &str = "received fatal alert: CertificateRequired";
