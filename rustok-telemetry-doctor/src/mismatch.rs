//! Two that do not speak alike: another protocol, TLS on one side alone, certificates that one does not accept.

use rustok_telemetry::config::{OtlpConfig, Protocol};

use crate::{diagnosis::Found, endpoint::variable, probe::Speaks};

/// The port speaks another protocol than the configured one.
pub fn wrong_protocol(otlp: &OtlpConfig, speaks: Speaks) -> Option<Found> {
    let protocol = variable(otlp, "PROTOCOL");
    let endpoint = variable(otlp, "ENDPOINT");
    let with_tls = otlp.url().starts_with("https:");
    match (speaks, *otlp.protocol) {
        (Speaks::Tls, _) if !with_tls => Some((
            "the port speaks TLS, and the endpoint says http".to_owned(),
            format!("write https:// in {endpoint}"),
        )),
        (Speaks::Http1 | Speaks::Http2, _) if with_tls => Some((
            "the port speaks without TLS, and the endpoint says https".to_owned(),
            format!("write http:// in {endpoint}, or the port that has TLS"),
        )),
        (Speaks::Http1, Protocol::Grpc) => Some((
            "wrong protocol: the port speaks HTTP/1.1, not gRPC".to_owned(),
            format!("set {protocol}=http/protobuf, or use the gRPC port (usually 4317)"),
        )),
        (Speaks::Http2, Protocol::HttpProtobuf) => Some((
            "wrong protocol: the port speaks gRPC (HTTP/2), not HTTP/1.1".to_owned(),
            format!("set {protocol}=grpc, or use the HTTP port (usually 4318)"),
        )),
        (Speaks::Nothing, _) if !with_tls => Some((
            "the port takes connections, and answers neither HTTP nor gRPC".to_owned(),
            format!("check the port in {endpoint}: another program listens there"),
        )),
        _ => None,
    }
}

/// TLS is between the two, and one does not accept the other.
pub fn tls(otlp: &OtlpConfig, reason: &str) -> Option<Found> {
    let text = reason.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let certificate = variable(otlp, "CERTIFICATE");
    if says(&["certificaterequired", "certificate required"]) {
        let key = variable(otlp, "CLIENT_KEY");
        let own = variable(otlp, "CLIENT_CERTIFICATE");
        return Some((
            "the server wants a client certificate".to_owned(),
            format!("set {own} and {key}"),
        ));
    }
    if says(&[
        "unknownissuer",
        "unknown issuer",
        "selfsigned",
        "self-signed",
        "unknownca",
    ]) {
        return Some((
            "nobody trusted has signed the certificate that was shown".to_owned(),
            format!(
                "set {certificate} to the authority's certificate; check the client's, if there is one"
            ),
        ));
    }
    if says(&["notvalidforname", "not valid for name"]) {
        return Some((
            "the server's certificate is for another name".to_owned(),
            format!(
                "use a name in {} that the certificate has",
                variable(otlp, "ENDPOINT")
            ),
        ));
    }
    if says(&["expired", "notvalidyet"]) {
        let remedy = "renew it, or set the clock";
        return Some((
            "a certificate is not valid now".to_owned(),
            remedy.to_owned(),
        ));
    }
    if says(&["certificate", "tls", "handshake"]) {
        return Some((
            "TLS cannot be agreed upon".to_owned(),
            format!("check {certificate} and the server's TLS settings"),
        ));
    }
    None
}
