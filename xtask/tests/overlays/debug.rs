//! What passes is printed.

use xtask::stack::Port;
use xtask::workspace;
use xtask::yaml;

use crate::{client::send, collector::Collector};

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
#[serial_test::serial]
fn what_passes_is_printed_and_handed_on() {
    let collector = Collector::start("debug", &["debug"], &[]);
    let endpoint = collector.ports.url(Port::CollectorOtlpGrpc);
    let report = send(&endpoint, "grpc", "a message", &[]);
    assert!(report.is_complete(), "{report}");
    let written = collector.log_records_within(std::time::Duration::from_secs(30));
    assert!(written.contains("a message"), "{written}");
    let output = collector.output();
    for expected in [
        "Name           : work",
        "Body: Str(a message)",
        "rustok_spans_created_total",
    ] {
        assert!(output.contains(expected), "{expected}: {output}");
    }
}

/// An overlay replaces lists, so it has to repeat the base's.
#[test]
fn overlay_lists_extend_those_of_the_base() {
    let read = |path: &str| {
        let text = std::fs::read_to_string(workspace::root().join(path)).expect("a file");
        yaml::parse(&text.replace("&attributes", "").replace("*attributes", "[]")).expect("YAML")
    };
    let base = read("collector/config.yaml");
    let debug = read("collector/overlays/debug.yaml");
    let token = read("collector/overlays/bearer-token.yaml");
    let remote_write = read("collector/overlays/remote-write.yaml");
    let with = |list: &serde_json::Value, more: &str| {
        let mut list = list.as_array().expect("a list").clone();
        list.push(more.into());
        serde_json::Value::Array(list)
    };
    let pipelines = base["service"]["pipelines"].as_object().expect("pipelines");
    for (name, pipeline) in pipelines {
        assert_eq!(
            debug["service"]["pipelines"][name]["exporters"],
            with(&pipeline["exporters"], "debug"),
            "{name}"
        );
    }
    for (name, more) in [
        ("metrics", "prometheus_remote_write"),
        ("metrics/spans", "prometheus_remote_write/spans"),
    ] {
        assert_eq!(
            remote_write["service"]["pipelines"][name]["exporters"],
            with(&pipelines[name]["exporters"], more),
            "{name}"
        );
    }
    assert_eq!(
        token["service"]["extensions"],
        with(&base["service"]["extensions"], "bearertokenauth")
    );
}
