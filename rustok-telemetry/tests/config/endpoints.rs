//! Where OTLP is sent: the rules of the specification, and mistakes that are easy to make.

use crate::{Variables, config, diagnostics};

const ALL: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TRACES: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const INSECURE: &str = "OTEL_EXPORTER_OTLP_INSECURE";
const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";

#[test]
fn urls_follow_protocol_and_signal() {
    let cases: &[(Variables<'_>, &str, &str)] = &[
        (
            &[],
            "http://localhost:4318/v1/traces",
            "http://localhost:4318/v1/metrics",
        ),
        (
            &[(PROTOCOL, "grpc")],
            "http://localhost:4317",
            "http://localhost:4317",
        ),
        (
            &[(ALL, "http://c:4318")],
            "http://c:4318/v1/traces",
            "http://c:4318/v1/metrics",
        ),
        (
            &[(ALL, "http://c:4318/base/")],
            "http://c:4318/base/v1/traces",
            "http://c:4318/base/v1/metrics",
        ),
        (
            &[(ALL, "HTTP://c:4318/base//")],
            "http://c:4318/base/v1/traces",
            "http://c:4318/base/v1/metrics",
        ),
        (
            &[(TRACES, "http://c:9")],
            "http://c:9/",
            "http://localhost:4318/v1/metrics",
        ),
        (
            &[(TRACES, "http://c:9/x/"), (ALL, "http://d")],
            "http://c:9/x/",
            "http://d/v1/metrics",
        ),
        (
            &[(ALL, "http://c:4317/x?y=z"), (PROTOCOL, "grpc")],
            "http://c:4317",
            "http://c:4317",
        ),
        (
            &[(ALL, "http://[::1]:4318")],
            "http://[::1]:4318/v1/traces",
            "http://[::1]:4318/v1/metrics",
        ),
        (
            &[("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc")],
            "http://localhost:4317",
            "http://localhost:4318/v1/metrics",
        ),
        (
            &[(ALL, "https://c")],
            "https://c/v1/traces",
            "https://c/v1/metrics",
        ),
        (
            &[(ALL, "c:80"), (PROTOCOL, "grpc")],
            "https://c:80",
            "https://c:80",
        ),
        (
            &[(ALL, "c:443"), (PROTOCOL, "grpc"), (INSECURE, "TRUE")],
            "http://c:443",
            "http://c:443",
        ),
        (
            &[
                (ALL, "c:4317"),
                (PROTOCOL, "grpc"),
                (INSECURE, "true"),
                ("OTEL_EXPORTER_OTLP_TRACES_INSECURE", "false"),
            ],
            "https://c:4317",
            "http://c:4317",
        ),
    ];
    for (variables, traces, metrics) in cases {
        let config = config(variables);
        assert_eq!(config.traces.otlp.url(), *traces, "{variables:?}");
        assert_eq!(config.metrics.otlp.url(), *metrics, "{variables:?}");
    }
}

#[test]
fn what_is_not_an_endpoint_says_why() {
    for (value, why) in [
        (
            "collector:4317",
            "the scheme is missing; write http://collector:4317. Allowed: a URL such as http://localhost:4318",
        ),
        ("/v1/traces", "not a URL: the scheme is missing."),
        ("ftp://c", "the scheme is neither http nor https."),
        ("http://", "not a URL: the host is missing after `://`."),
        (
            "http:///path",
            "not a URL: the host is missing after `://`.",
        ),
        ("http://c:99999", "not a URL: invalid port number."),
        ("http://c:0", "port 0 cannot be connected to."),
        ("http://[::1", "not a URL: invalid IPv6 address."),
        ("http://a b", "not a URL: it has white space inside."),
        (
            "http://c/#x",
            "a fragment (#…) is not sent to a server; remove it.",
        ),
    ] {
        for name in [ALL, TRACES] {
            let lines = diagnostics(&[(name, value)]);
            assert_eq!(lines.len(), 1, "{lines:#?}");
            assert!(
                lines[0].contains(&format!(": {why}")),
                "{}\nshould say\n{why}",
                lines[0]
            );
        }
    }
}

#[test]
fn probable_mistakes_are_noticed_once() {
    let cases: &[(Variables<'_>, &[&str])] = &[
        (&[], &[]),
        (
            &[(ALL, "http://c:4317")],
            &[
                "OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4317 with protocol http/protobuf (the default): \
               4317 is usually the gRPC port. Set OTEL_EXPORTER_OTLP_PROTOCOL=grpc, or use 4318.",
            ],
        ),
        (
            &[(ALL, "http://c:4318"), (PROTOCOL, "grpc")],
            &[
                "OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318 with protocol grpc: 4318 is usually the HTTP port. \
               Set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, or use 4317.",
            ],
        ),
        (&[(ALL, "http://c:4317"), (PROTOCOL, "grpc")], &[]),
        (
            &[(ALL, "http://c:4317"), ("OTEL_SDK_DISABLED", "true")],
            &[],
        ),
        (
            &[
                (TRACES, "http://c:4317/v1/traces"),
                ("OTEL_TRACES_EXPORTER", "none"),
            ],
            &[],
        ),
        (
            &[(TRACES, "http://c:4318")],
            &[
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://c:4318 is used as it is, without a path: \
               a Collector listens on /v1/traces.",
            ],
        ),
        (
            &[
                (ALL, "http://c:4318/v1/traces"),
                ("OTEL_METRICS_EXPORTER", "none"),
            ],
            &[
                "OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318/v1/traces: each signal's path is added, which makes \
               http://c:4318/v1/traces/v1/traces. Leave /v1/… out.",
            ],
        ),
        (
            &[(TRACES, "http://c:4317/v1/traces"), (PROTOCOL, "grpc")],
            &[
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://c:4317/v1/traces with protocol grpc: \
               the path /v1/traces is not used.",
            ],
        ),
    ];
    for (variables, warnings) in cases {
        let named = [*variables, &[("OTEL_SERVICE_NAME", "shop")]].concat();
        assert_eq!(config(&named).warnings(), *warnings, "{variables:?}");
    }
}
