//! Mismatches between the exporter and the endpoint: the protocol, TLS on one side only, certificates.

use rustok_telemetry::config::{OtlpConfig, Protocol};

use crate::{
    diagnosis::Found,
    endpoint::{assignment, variable},
    probe::Detected,
};

/// Returns a finding if the port speaks another protocol than the configured one.
pub fn wrong_protocol(otlp: &OtlpConfig, detected: Detected) -> Option<Found> {
    let set = |protocol| assignment(otlp, "PROTOCOL", protocol);
    let endpoint = variable(otlp, "ENDPOINT");
    let with_tls = otlp.url().starts_with("https:");
    match (detected, otlp.protocol.value) {
        (Detected::Tls, _) if !with_tls => Some((
            "the port speaks TLS, but the endpoint starts with http://".to_owned(),
            format!("use https:// in {endpoint}"),
        )),
        (Detected::Http1 | Detected::Http2, _) if with_tls => Some((
            "the port does not speak TLS, but the endpoint starts with https://".to_owned(),
            format!("use http:// in {endpoint}, or a port that speaks TLS"),
        )),
        (Detected::Http1, Protocol::Grpc) => Some((
            "wrong protocol: the port speaks HTTP/1.1, not gRPC".to_owned(),
            format!(
                "set {}, or use the gRPC port (usually 4317)",
                set(Protocol::HttpProtobuf)
            ),
        )),
        (Detected::Http2, Protocol::HttpProtobuf) => Some((
            "wrong protocol: the port speaks gRPC (HTTP/2), not HTTP/1.1".to_owned(),
            format!(
                "set {}, or use the HTTP port (usually 4318)",
                set(Protocol::Grpc)
            ),
        )),
        (Detected::Unknown, _) if !with_tls => Some((
            "the port accepts connections, but answers neither HTTP nor gRPC".to_owned(),
            format!("check the port in {endpoint}: another program listens on it"),
        )),
        _ => None,
    }
}

/// Returns a finding if the exporter's reason is an error of TLS.
pub fn tls(otlp: &OtlpConfig, reason: &str) -> Option<Found> {
    let text = reason.to_ascii_lowercase();
    let contains = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let certificate = variable(otlp, "CERTIFICATE");
    if contains(&["certificaterequired", "certificate required"]) {
        let key = variable(otlp, "CLIENT_KEY");
        let own = variable(otlp, "CLIENT_CERTIFICATE");
        return Some((
            "the server requires a client certificate".to_owned(),
            format!("set {own} and {key}"),
        ));
    }
    if contains(&[
        "unknownissuer",
        "unknown issuer",
        "selfsigned",
        "self-signed",
        "unknownca",
    ]) {
        return Some((
            "no trusted authority has signed the certificate".to_owned(),
            format!(
                "set {certificate} to the certificate of the authority; if a client certificate is set, check which \
                 authorities the server trusts"
            ),
        ));
    }
    if contains(&["notvalidforname", "not valid for name"]) {
        return Some((
            "the server's certificate is for another host name".to_owned(),
            format!(
                "use a host name in {} that is in the certificate",
                variable(otlp, "ENDPOINT")
            ),
        ));
    }
    if contains(&["expired", "notvalidyet"]) {
        let remedy = "renew it, or correct the clock";
        return Some((
            "a certificate is expired or not yet valid".to_owned(),
            remedy.to_owned(),
        ));
    }
    if contains(&["certificate", "tls", "handshake"]) {
        return Some((
            "the TLS handshake failed".to_owned(),
            format!("check {certificate} and the TLS settings of the server"),
        ));
    }
    None
}
