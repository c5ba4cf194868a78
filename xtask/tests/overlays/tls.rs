//! TLS alone: a client needs no certificate, but has to trust the Collector's, and clear text is not understood.

use crate::{
    certificates::Authority,
    tap::Tap,
    told::{SECRET_HEADER, Told, is_unreadable, port_of, with_tls},
};

/// Whom a client trusts, and how it speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Client {
    /// It trusts the authority that the Collector's certificate is of.
    Trusts,
    /// It trusts another authority only.
    TrustsAnother,
    /// It knows of no TLS.
    ClearText,
}

/// What a client is told by way of somebody who listens.
fn as_a_client(name: &str, protocol: &str, client: Client) -> Told {
    let authority = Authority::new(name, "authority");
    let collector = with_tls(name, &authority, &["tls"], &[]);
    let tap = Tap::start(collector.ports.get(port_of(protocol)));
    let trusted = match client {
        Client::TrustsAnother => Authority::new(name, "another").certificate,
        Client::Trusts | Client::ClearText => authority.certificate,
    };
    let at = format!("localhost:{}", tap.port);
    if client == Client::ClearText {
        return Told::by_sending(collector, &format!("http://{at}"), protocol, &[]);
    }
    let variables = [
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", trusted.as_str()),
        SECRET_HEADER,
    ];
    let told = Told::by_sending(collector, &format!("https://{at}"), protocol, &variables);
    is_unreadable(&tap.seen());
    told
}

#[test_fork::test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn by_grpc_a_client_without_a_certificate_is_let_in() {
    as_a_client("tls_grpc", "grpc", Client::Trusts).arrives();
}

#[test_fork::test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn by_http_a_client_without_a_certificate_is_let_in() {
    as_a_client("tls_http", "http/protobuf", Client::Trusts).arrives();
}

#[test_fork::test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn by_grpc_a_client_that_does_not_know_the_authority_sends_nothing() {
    let told = as_a_client("tls_grpc_stranger", "grpc", Client::TrustsAnother);
    told.is_turned_away_about(UNKNOWN);
}

#[test_fork::test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn by_http_a_client_that_does_not_know_the_authority_sends_nothing() {
    let told = as_a_client("tls_http_stranger", "http/protobuf", Client::TrustsAnother);
    told.is_turned_away_about(UNKNOWN);
}

#[test_fork::test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn by_grpc_clear_text_is_refused() {
    let told = as_a_client("tls_grpc_clear", "grpc", Client::ClearText);
    told.is_turned_away_about("transport error");
}

#[test_fork::test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn by_http_clear_text_is_refused() {
    let told = as_a_client("tls_http_clear", "http/protobuf", Client::ClearText);
    told.is_turned_away_about("400");
}

/// What a client says of a certificate whose authority it does not know.
const UNKNOWN: &str = "UnknownIssuer";
