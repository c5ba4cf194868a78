//! Queries to Jaeger and Prometheus: over TLS, and through proxies.

use crate::{
    certificates::Authority,
    doctor_json,
    proxies::Proxy,
    receiver::{Behaviour, Receiver},
    servers, step,
};

const JAEGER: &str = r#"{"data": [{"spans": [{}]}]}"#;
const PROMETHEUS: &str = r#"{"status": "success", "data": {"result": [{"value": [0, "1"]}]}}"#;

/// A program that answers each request with this JSON.
fn api(json: &str, authority: Option<&Authority>) -> Receiver {
    Receiver::with(Behaviour {
        answer: json.as_bytes().to_vec(),
        tls: authority.map(|authority| authority.server(false)),
        ..Behaviour::default()
    })
}

#[test]
fn system_certificates_are_trusted() {
    let authority = Authority::new("doctor_queries");
    let collector = Receiver::start().plain();
    let jaeger = api(JAEGER, Some(&authority));
    let prometheus = api(PROMETHEUS, Some(&authority));
    let arguments = [
        "--jaeger",
        &jaeger.secure(),
        "--prometheus",
        &prometheus.secure(),
    ];
    let certificate = authority.certificate();
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector),
        ("SSL_CERT_FILE", &certificate),
    ];
    let json = doctor_json(&arguments, &variables);
    assert_eq!(json["outcome"], "ok", "{json:#}");
    let paths = |of: &Receiver| of.requests().into_iter().map(|request| request.path);
    let trace = json["check"]["trace_id"].as_str().expect("a trace");
    assert!(paths(&jaeger).eq([format!("/api/traces/{trace}")]));
    assert!(paths(&prometheus).eq(["/api/v1/query".to_owned()]));

    let json = doctor_json(&arguments, &variables[..1]);
    for name in ["jaeger", "prometheus"] {
        let seen = step(&json, name)["seen"].as_str().expect("text");
        assert!(seen.contains("UnknownIssuer"), "{json:#}");
    }
}

#[test]
fn proxies_apply_to_https_only() {
    let authority = Authority::new("doctor_proxied_queries");
    let collector = Receiver::start().plain();
    let certificate = authority.certificate();
    let prometheus = api(PROMETHEUS, Some(&authority));
    let (proxy, dead) = (Proxy::start(Ok(prometheus.address)), servers::nothing());
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector),
        ("SSL_CERT_FILE", &certificate),
        ("HTTPS_PROXY", &proxy.url().replace("://", "://me:secret@")),
        ("HTTP_PROXY", &format!("http://{dead}")),
    ];
    let arguments = ["--prometheus", "https://localhost:9"];
    let json = doctor_json(&arguments, &variables);
    assert_eq!(json["outcome"], "ok", "{json:#}");
    assert_eq!(proxy.requests(), ["CONNECT localhost:9 HTTP/1.1"]);

    let json = doctor_json(
        &["--prometheus", &api(PROMETHEUS, None).plain()],
        &variables,
    );
    assert_eq!(json["outcome"], "ok", "{json:#}");
    assert_eq!(proxy.requests().len(), 1);
}
