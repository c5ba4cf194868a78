//! Certificates, keys and `…_INSECURE`: each mistake is told when the configuration is read.
#![cfg(feature = "tls")]

use std::path::{Path, PathBuf};

use rcgen::generate_simple_self_signed;

use crate::{Variables, config, diagnostics, reported};

const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://c:4318");
const TRUSTED: &str = "OTEL_EXPORTER_OTLP_CERTIFICATE";
const CERTIFICATE: &str = "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE";
const KEY: &str = "OTEL_EXPORTER_OTLP_CLIENT_KEY";
const INSECURE: &str = "OTEL_EXPORTER_OTLP_INSECURE";

/// A folder of the test's own with files: `one.pem` and `one.key`, `two.pem` and `two.key`, `text.pem`.
fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("config")
        .join(test);
    std::fs::create_dir_all(&folder).expect("a folder");
    let write = |name: &str, content: &str| {
        std::fs::write(folder.join(name), content).expect("a file");
    };
    for name in ["one", "two"] {
        let issued = generate_simple_self_signed([name.to_owned()]).expect("a certificate");
        write(&format!("{name}.pem"), &issued.cert.pem());
        write(&format!("{name}.key"), &issued.signing_key.serialize_pem());
    }
    write("text.pem", "nothing but text");
    folder
}

#[track_caller]
fn one_problem(variables: Variables<'_>, starts: &str, contains: &str) {
    let lines = diagnostics(variables);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    let line = &lines[0];
    assert!(line.starts_with(&format!("{starts}=")), "{line}");
    assert!(line.contains(contains), "{line}\nshould say\n{contains}");
}

#[test]
fn right_files_are_taken() {
    let folder = folder("right");
    let path = |name: &str| folder.join(name).to_str().expect("text").to_owned();
    let (certificate, key) = (path("one.pem"), path("one.key"));
    let variables = [
        ENDPOINT,
        (TRUSTED, certificate.as_str()),
        (CERTIFICATE, certificate.as_str()),
        (KEY, key.as_str()),
    ];
    assert!(config(&variables).traces.otlp.is_secure());
    let shown = reported(&variables, "traces.otlp.client_key");
    assert_eq!(shown, format!("{key} ({KEY})"), "a path is no secret");
    let unset = reported(&[ENDPOINT], "traces.otlp.certificate");
    assert_eq!(unset, "of the system (default)");
}

#[test]
fn wrong_files_say_what_is_wrong_with_them() {
    let folder = folder("wrong");
    let path = |name: &str| folder.join(name).to_str().expect("text").to_owned();
    let (one, text) = (path("one.pem"), path("text.pem"));
    let (one_key, two_key) = (path("one.key"), path("two.key"));
    let (absent, itself) = (path("absent.pem"), path("."));
    let cases: &[(Variables<'_>, &str, &str)] = &[
        (
            &[(TRUSTED, &absent)],
            TRUSTED,
            "cannot be read: No such file",
        ),
        (&[(TRUSTED, &itself)], TRUSTED, "cannot be read: not a file"),
        (
            &[(TRUSTED, "/dev/zero")],
            TRUSTED,
            "cannot be read: not a file",
        ),
        (
            &[(TRUSTED, &text)],
            TRUSTED,
            "there is no certificate in this file",
        ),
        (
            &[(TRUSTED, &one_key)],
            TRUSTED,
            "there is no certificate in this file",
        ),
        (
            &[(CERTIFICATE, &text), (KEY, &one_key)],
            CERTIFICATE,
            "there is no certificate in this file",
        ),
        (
            &[(CERTIFICATE, &one), (KEY, &one)],
            KEY,
            "there is no private key in this file",
        ),
        (
            &[(CERTIFICATE, &one), (KEY, &two_key)],
            KEY,
            "is not the key of ",
        ),
        (
            &[(CERTIFICATE, &one)],
            CERTIFICATE,
            "needs its private key in OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY",
        ),
        (
            &[(KEY, &one_key)],
            KEY,
            "needs its certificate in OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE",
        ),
        (
            &[("OTEL_EXPORTER_OTLP_LOGS_CLIENT_KEY", &one_key)],
            "OTEL_EXPORTER_OTLP_LOGS_CLIENT_KEY",
            "needs its certificate in OTEL_EXPORTER_OTLP_LOGS_CLIENT_CERTIFICATE",
        ),
    ];
    for (variables, name, why) in cases {
        one_problem(&[&[ENDPOINT], *variables].concat(), name, why);
    }
}

#[test]
fn an_error_shows_nothing_of_a_key() {
    let folder = folder("secret");
    let path = folder.join("broken.key");
    let broken = "-----BEGIN PRIVATE KEY-----\nhunter2*\n-----END PRIVATE KEY-----\n";
    std::fs::write(&path, broken).expect("a file");
    let certificate = folder.join("one.pem");
    let text = |path: &Path| path.to_str().expect("text").to_owned();
    let lines = diagnostics(&[
        ENDPOINT,
        (CERTIFICATE, &text(&certificate)),
        (KEY, &text(&path)),
    ]);
    assert!(!lines.concat().contains("hunter2"), "{lines:#?}");
}

#[test]
fn what_would_take_no_effect_is_refused() {
    let folder = folder("unused");
    let one = folder.join("one.pem").to_str().expect("text").to_owned();
    let why = "takes no effect, since http://localhost:4318/v1/traces is without TLS";
    one_problem(&[(TRUSTED, &one)], TRUSTED, why);
    let own = "OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE";
    let variables = [
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://m:4318"),
        ENDPOINT,
        (own, one.as_str()),
    ];
    one_problem(&variables, own, "takes no effect, since http://m:4318/");
    // It is enough if one signal needs it.
    config(&[
        (TRUSTED, &one),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://t/v1/traces"),
    ]);
}

#[test]
fn a_scheme_and_insecure_must_say_the_same() {
    let plain = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317");
    let grpc = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    let contradicts = "contradicts https://c:4318, whose scheme says it";
    one_problem(&[ENDPOINT, grpc, (INSECURE, "true")], INSECURE, contradicts);
    one_problem(
        &[plain, grpc, (INSECURE, "false")],
        INSECURE,
        "contradicts http://c:4317",
    );
    one_problem(
        &[(INSECURE, "false")],
        INSECURE,
        "contradicts http://localhost:4318",
    );
    config(&[ENDPOINT, grpc, (INSECURE, "false")]);
    config(&[plain, grpc, (INSECURE, "true")]);
    // For metrics it says what is so.
    config(&[
        plain,
        (INSECURE, "true"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://t/v1/traces"),
    ]);
    let old = "OTEL_EXPORTER_OTLP_SPAN_INSECURE";
    one_problem(
        &[(old, "true")],
        old,
        "its name is OTEL_EXPORTER_OTLP_TRACES_INSECURE",
    );
}

#[test]
fn a_wrong_endpoint_is_the_only_problem_of_what_depends_on_it() {
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://c");
    let variables = [endpoint, (INSECURE, "true")];
    one_problem(
        &variables,
        endpoint.0,
        "the scheme is neither http nor https",
    );
}

#[test]
fn files_from_code_are_looked_into_as_well() {
    let mut config = config(&[ENDPOINT]);
    let absent = PathBuf::from("/absent.pem");
    config.metrics.otlp.tls.certificate.set(Some(absent));
    let error = config.check().expect_err("no such file").to_string();
    let expected =
        "OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE=/absent.pem: cannot be read: No such file";
    assert!(error.starts_with(expected), "{error}");
    assert!(error.contains(" (set in code)"), "{error}");
}
