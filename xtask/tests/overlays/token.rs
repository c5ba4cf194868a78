//! With a token, by TLS: who does not know it is turned away.

use std::path::Path;

use crate::{
    certificates::Authority,
    told::{Told, port_of, with_tls},
};

/// What a client is told that sends these headers.
fn as_a_client(name: &str, protocol: &str, headers: Option<&str>) -> Told {
    let authority = Authority::new(name, "authority");
    let trusted = authority.certificate.clone();
    let tokens = Path::new(&trusted).with_file_name("tokens.txt");
    std::fs::write(&tokens, "the-old-one\nthe-new-one\n").expect("a file");
    let tokens = [("COLLECTOR_TOKEN_FILE", tokens.to_str().expect("text"))];
    let collector = with_tls(name, &authority, &["tls", "bearer-token"], &tokens);
    let endpoint = format!(
        "https://localhost:{}",
        collector.ports.get(port_of(protocol))
    );
    let mut variables = vec![("OTEL_EXPORTER_OTLP_CERTIFICATE", trusted.as_str())];
    variables.extend(headers.map(|headers| ("OTEL_EXPORTER_OTLP_HEADERS", headers)));
    Told::by_sending(collector, &endpoint, protocol, &variables)
}

const RIGHT: Option<&str> = Some("authorization=Bearer%20the-new-one");
const WRONG: Option<&str> = Some("authorization=Bearer%20a-guess");

#[test_fork::test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn by_grpc_every_token_of_the_file_is_let_in() {
    as_a_client("token_grpc", "grpc", RIGHT).arrives();
}

#[test_fork::test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn by_http_every_token_of_the_file_is_let_in() {
    let old = Some("authorization=Bearer%20the-old-one");
    as_a_client("token_http", "http/protobuf", old).arrives();
}

#[test_fork::test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn by_grpc_a_wrong_token_is_turned_away() {
    as_a_client("token_grpc_wrong", "grpc", WRONG).is_turned_away_about("nauthenticated");
}

#[test_fork::test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn by_http_a_wrong_token_is_turned_away() {
    as_a_client("token_http_wrong", "http/protobuf", WRONG).is_turned_away_about("401");
}

#[test_fork::test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn by_http_no_token_is_turned_away() {
    as_a_client("token_http_none", "http/protobuf", None).is_turned_away_about("401");
}

#[test_fork::test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn by_grpc_no_token_is_turned_away() {
    as_a_client("token_grpc_none", "grpc", None).is_turned_away_about("nauthenticated");
}
