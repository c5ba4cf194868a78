//! `rustok-server`, which exports to a Collector.

use std::path::Path;
use std::time::Duration;

use super::Error;
use super::node::Node;
use crate::stack::{Port, Ports};

/// From one export to the next.
pub(super) const INTERVAL: Duration = Duration::from_secs(2);
/// Its `service.name`.
pub const JOB: &str = "rustok-server";

/// Starts it, with its inventory. The name of the folder becomes its `service.instance.id`, and it exports its metrics in
/// this interval.
pub(super) fn start(
    program: &Path,
    folder: &Path,
    ports: &Ports,
    collector: &Node,
    interval: Duration,
    arguments: &[&str],
) -> Result<Node, Error> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let own = [
        format!("--port={}", ports.get(Port::Application)),
        format!("--database={}", folder.join("service.db").display()),
    ];
    let arguments = arguments.iter().map(|&argument| argument.to_owned());
    let ready = format!("{}/api/_health/metrics", ports.url(Port::Application));
    let mut node = Node::of_program(
        JOB,
        program,
        own.into_iter().chain(arguments),
        &ready,
        folder,
    )?;
    for (variable, value) in [
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            collector.ports().url(Port::CollectorOtlpGrpc),
        ),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc".to_owned()),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            format!("service.instance.id={name}"),
        ),
        (
            "OTEL_METRIC_EXPORT_INTERVAL",
            interval.as_millis().to_string(),
        ),
        ("OTEL_LOGS_EXPORTER", "otlp".to_owned()),
        // Each failed request is a line.
        ("RUST_LOG", "off".to_owned()),
    ] {
        node.set(variable, value);
    }
    node.start()?;
    Ok(node)
}
