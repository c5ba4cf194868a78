//! Endpoints with `https://`: the right authority, none, and a certificate that is asked for.

use crate::{
    certificates::Authority,
    doctor_json,
    receiver::{Behaviour, Receiver},
    receivers::assert_failure,
    step,
};

const PROTOCOLS: [&str; 2] = ["http/protobuf", "grpc"];

fn secure(authority: &Authority, mutual: bool) -> Receiver {
    let tls = Some(authority.server(mutual));
    Receiver::with(Behaviour {
        tls,
        ..Behaviour::default()
    })
}

#[test]
fn a_trusted_authority_is_accepted() {
    let authority = Authority::new("doctor_right");
    let (endpoint, certificate) = (secure(&authority, false), authority.certificate());
    for protocol in PROTOCOLS {
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint.secure()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", &certificate),
        ];
        let json = doctor_json(&["--check"], &variables);
        assert_eq!(json["outcome"], "ok", "{json:#}");
        assert_eq!(step(&json, "traces")["result"], "ok", "{json:#}");
    }
}

#[test]
fn an_untrusted_authority_is_reported() {
    let endpoint = secure(&Authority::new("doctor_unknown"), false);
    for protocol in PROTOCOLS {
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint.secure()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=hunter2"),
        ];
        assert_failure(
            &variables,
            "traces",
            "no trusted authority has signed the certificate",
            "OTEL_EXPORTER_OTLP_CERTIFICATE",
        );
    }
    assert_eq!(endpoint.requests().len(), 0, "nothing has been sent");
}

#[test]
fn a_missing_client_certificate_is_reported() {
    let authority = Authority::new("doctor_mutual");
    let (endpoint, certificate) = (secure(&authority, true), authority.certificate());
    for protocol in PROTOCOLS {
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint.secure()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", &certificate),
        ];
        assert_failure(
            &variables,
            "traces",
            "the server requires a client certificate",
            "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
        );
    }
}
