//! Who may read the endpoints.

use rustok_telemetry::config::{Source, TelemetryConfig, Token};

const TOKEN: &str = "RUSTOK_TELEMETRY_ACCESS_TOKEN";
const NETWORKS: &str = "RUSTOK_TELEMETRY_ACCESS_NETWORKS";

#[test]
fn token_and_networks_are_read() {
    let networks = " 10.0.0.0/8, ::1 ,192.0.2.7";
    let config = TelemetryConfig::from_vars([(TOKEN, " hunter2\n"), (NETWORKS, networks)]);
    let access = config.expect("valid").access;
    assert_eq!(access.token.value, Some(Token::new("hunter2")));
    assert_eq!(access.token.source, Source::Environment(TOKEN));
    let shown: Vec<_> = access
        .networks
        .value
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(shown, ["10.0.0.0/8", "::1/128", "192.0.2.7/32"]);

    let access = TelemetryConfig::from_vars([("OTEL_SERVICE_NAME", "shop")]);
    let access = access.expect("valid").access;
    assert_eq!((access.token.value, access.networks.value.len()), (None, 0));
}

#[test]
fn what_cannot_be_used_is_an_error() {
    for (name, value) in [
        (TOKEN, " "),
        (TOKEN, "hunter2 hunter2"),
        (TOKEN, "hünter2"),
        (NETWORKS, " "),
        (NETWORKS, "10.0.0.0/33"),
        (NETWORKS, "10.0.0.0/8,"),
        (NETWORKS, "10.0.0.0/8;::1"),
        (NETWORKS, "localhost"),
    ] {
        let error = TelemetryConfig::from_vars([(name, value)]).expect_err(value);
        assert_eq!(error.diagnostics()[0].variable(), name);
        let text = format!("{error} {error:?}");
        assert!(!text.contains("nter2"), "{text}");
        let tolerant = TelemetryConfig::from_vars_tolerant([(name, value)]);
        assert_eq!(tolerant.diagnostics.len(), 1);
        assert_eq!(
            tolerant.access.token.value,
            Some(Token::new("")),
            "no request is admitted"
        );
    }
}

#[test]
fn the_token_is_masked() {
    let config = TelemetryConfig::from_vars([(TOKEN, "hunter2")]).expect("valid");
    let report = config.report().to_string();
    assert!(
        report.contains(&format!("access.token = *** ({TOKEN})\n")),
        "{report}"
    );
    for text in [format!("{config:?}"), report] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}
