//! The rows: name, default, allowed values, meaning, and the reason of a refused one. One row a line, without rustfmt.

use super::{Privacy, Section, Status, Variable};
use crate::config::choice::disabled;

/// The rows of the OTLP exporter for one signal, or for all of them.
macro_rules! otlp {
    (
        $signal:literal, $endpoint:expr, $protocol:expr, $headers:expr, $timeout:expr, $compression:expr, $insecure:expr,
        $trusted:expr, $identity:expr
    ) => {
        &[
            honoured(concat!("OTEL_EXPORTER_OTLP_", $signal, "ENDPOINT"), $endpoint, "a URL such as http://localhost:4318 (http/protobuf) or http://localhost:4317 (grpc), or https://; grpc takes collector:4317, too", "Where OTLP is sent.").url(),
            honoured(concat!("OTEL_EXPORTER_OTLP_", $signal, "PROTOCOL"), $protocol, "http/protobuf (Cargo feature `http`) or grpc (Cargo feature `grpc`)", "How OTLP is sent."),
            honoured(concat!("OTEL_EXPORTER_OTLP_", $signal, "HEADERS"), $headers, "pairs such as api-key=abc,tenant=web, with values percent-encoded", "Headers of each request. The values are secrets.").secret(),
            honoured(concat!("OTEL_EXPORTER_OTLP_", $signal, "TIMEOUT"), $timeout, TIMEOUT, "Longest time that one request may take."),
            honoured(concat!("OTEL_EXPORTER_OTLP_", $signal, "COMPRESSION"), $compression, "none, gzip or zstd (Cargo feature `zstd`)", "Compression of requests."),
            honoured(concat!("OTEL_EXPORTER_OTLP_", $signal, "INSECURE"), $insecure, "true or false, as the scheme says if there is one", "Whether gRPC goes without TLS, for an endpoint without a scheme."),
            honoured(concat!("OTEL_EXPORTER_OTLP_", $signal, "CERTIFICATE"), $trusted, PEM, "Certificates of the authorities to trust, with TLS (Cargo feature `tls`)."),
            honoured(concat!("OTEL_EXPORTER_OTLP_", $signal, "CLIENT_KEY"), $identity, PEM, "The private key of the client's certificate, for mTLS."),
            honoured(concat!("OTEL_EXPORTER_OTLP_", $signal, "CLIENT_CERTIFICATE"), $identity, PEM, "The client's certificate, for mTLS."),
        ]
    };
}

/// The whole table, by sections of the specification.
pub static SECTIONS: &[Section] = &[
    Section { title: "General", variables: GENERAL },
    Section { title: "Exporter selection", variables: EXPORTERS },
    Section { title: "Batch span processor", variables: BATCH_SPANS },
    Section { title: "Attribute and span limits", variables: LIMITS },
    Section { title: "Metrics", variables: METRICS },
    Section { title: "OTLP exporter, all signals", variables: OTLP },
    Section { title: "OTLP exporter, traces", variables: OTLP_TRACES },
    Section { title: "OTLP exporter, metrics", variables: OTLP_METRICS },
    Section { title: "OTLP exporter, logs", variables: OTLP_LOGS },
    Section { title: "Batch log record processor and limits", variables: LOGS },
    Section { title: "Other exporters", variables: OTHERS },
    Section { title: "Declarative configuration", variables: FILES },
    Section { title: "Of this library", variables: OWN },
];

const GENERAL: &[Variable] = &[
    honoured("OTEL_SDK_DISABLED", "false", "true or false", "Turns all telemetry off."),
    honoured("OTEL_SERVICE_NAME", "service.name of OTEL_RESOURCE_ATTRIBUTES", "any text, such as shop", "The service's name; wins over OTEL_RESOURCE_ATTRIBUTES."),
    honoured("OTEL_RESOURCE_ATTRIBUTES", "none", "pairs such as team=web,region=eu, with , = and % percent-encoded", "Attributes of everything that is sent."),
    honoured("OTEL_PROPAGATORS", "tracecontext,baggage", "tracecontext, baggage, b3 and b3multi (Cargo feature `b3`), jaeger (Cargo feature `jaeger`), separated by commas, or none", "How context travels between services."),
    honoured("OTEL_TRACES_SAMPLER", "parentbased_always_on", "always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off or parentbased_traceidratio", "Which traces are recorded."),
    honoured("OTEL_TRACES_SAMPLER_ARG", "1.0", "a number from 0 to 1, such as 0.1", "The ratio of the ratio samplers."),
    honoured("OTEL_LOG_LEVEL", "as RUST_LOG says, without the OpenTelemetry crates unless it names them", "off, error, warn, info, debug or trace", "How much the SDK, and the OpenTelemetry crates, log about themselves."),
];

const EXPORTERS: &[Variable] = &[
    honoured("OTEL_TRACES_EXPORTER", "otlp", "otlp and console, separated by commas, or none", "Where traces go."),
    honoured("OTEL_METRICS_EXPORTER", "otlp", "otlp, prometheus (nothing is pushed, the text is scraped) and console, separated by commas, or none", "Where metrics go."),
    honoured("OTEL_LOGS_EXPORTER", "none (the specification says otlp)", "otlp and console, separated by commas, or none", "Where log records go, besides the lines on standard error."),
];

const BATCH_SPANS: &[Variable] = &[
    honoured("OTEL_BSP_SCHEDULE_DELAY", "5000", "milliseconds from 1 to 2147483647", "Time between two exports of spans."),
    honoured("OTEL_BSP_EXPORT_TIMEOUT", "30000", TIMEOUT, "Longest time that one request with spans may take."),
    honoured("OTEL_BSP_MAX_QUEUE_SIZE", "32768 (the specification says 2048)", "a whole number from 1 to 1048576", "Spans that may wait."),
    honoured("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "512, or the queue's size when that is smaller", "a whole number from 1 to OTEL_BSP_MAX_QUEUE_SIZE", "Most spans in one export."),
    refused("OTEL_BSP_MAX_CONCURRENT_EXPORTS", "1", "a whole number", "Exports of spans at a time (of the Rust SDK, not of the specification).", "spans are exported one batch at a time; remove it"),
];

const LIMITS: &[Variable] = &[
    honoured("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "no limit", COUNT, "Most characters of a text among the attributes of spans, their events and links, and of log records; the rest is cut off."),
    honoured("OTEL_ATTRIBUTE_COUNT_LIMIT", "128", COUNT, "Most attributes of a span, and of a log record, unless its own limit is set."),
    honoured("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", COUNT, "The same for spans alone."),
    honoured("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "128", COUNT, "Most attributes of a span."),
    honoured("OTEL_SPAN_EVENT_COUNT_LIMIT", "128", COUNT, "Most events of a span."),
    honoured("OTEL_SPAN_LINK_COUNT_LIMIT", "128", COUNT, "Most links of a span."),
    honoured("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "128", COUNT, "Most attributes of a span's event."),
    honoured("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "128", COUNT, "Most attributes of a span's link."),
];

const METRICS: &[Variable] = &[
    honoured("OTEL_METRIC_EXPORT_INTERVAL", "60000", "milliseconds from 1 to 2147483647", "Time between the starts of two exports of metrics."),
    honoured("OTEL_METRIC_EXPORT_TIMEOUT", "30000", TIMEOUT, "Longest time that one request with metrics may take."),
    honoured("OTEL_METRICS_EXEMPLAR_FILTER", "trace_based", "trace_based, always_on or always_off", "Which values of counters and histograms become exemplars: those within sampled spans, all or none."),
    honoured("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "cumulative", "cumulative, delta or lowmemory", "Whether what OTLP sends counts from the start or from the last export; the text is cumulative."),
    honoured("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "explicit_bucket_histogram", "explicit_bucket_histogram", "How histograms are aggregated."),
];

const OTLP: &[Variable] = otlp!("", "http://localhost:4318, or :4317 with grpc", "http/protobuf", "none", "10000", "none", "false", "those of the operating system", "none");
const OTLP_TRACES: &[Variable] = otlp!("TRACES_", GENERAL_ENDPOINT, GENERAL_ONE, GENERAL_ONE, GENERAL_ONE, GENERAL_ONE, GENERAL_ONE, GENERAL_ONE, GENERAL_ONE);
const OTLP_METRICS: &[Variable] = otlp!("METRICS_", GENERAL_ENDPOINT, GENERAL_ONE, GENERAL_ONE, GENERAL_ONE, GENERAL_ONE, GENERAL_ONE, GENERAL_ONE, GENERAL_ONE);
const OTLP_LOGS: &[Variable] = otlp!("LOGS_", GENERAL_ENDPOINT, GENERAL_ONE, GENERAL_ONE, GENERAL_ONE, GENERAL_ONE, GENERAL_ONE, GENERAL_ONE, GENERAL_ONE);

const LOGS: &[Variable] = &[
    honoured("OTEL_BLRP_SCHEDULE_DELAY", "1000", "milliseconds from 1 to 2147483647", "Time between two exports of log records."),
    honoured("OTEL_BLRP_EXPORT_TIMEOUT", "30000", TIMEOUT, "Longest time that one request with log records may take."),
    honoured("OTEL_BLRP_MAX_QUEUE_SIZE", "32768 (the specification says 2048)", "a whole number from 1 to 1048576", "Log records that may wait."),
    honoured("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "512, or the queue's size when that is smaller", "a whole number from 1 to OTEL_BLRP_MAX_QUEUE_SIZE", "Most log records in one export."),
    honoured("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", COUNT, "The same for log records alone."),
    honoured("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "128", COUNT, "Most attributes of a log record, besides tenant_id; further ones are dropped."),
];

const OTHERS: &[Variable] = &[
    refused("OTEL_EXPORTER_OTLP_SPAN_INSECURE", "false", "true or false", "The earlier name of OTEL_EXPORTER_OTLP_TRACES_INSECURE.", "its name is OTEL_EXPORTER_OTLP_TRACES_INSECURE"),
    refused("OTEL_EXPORTER_OTLP_METRIC_INSECURE", "false", "true or false", "The earlier name of OTEL_EXPORTER_OTLP_METRICS_INSECURE.", "its name is OTEL_EXPORTER_OTLP_METRICS_INSECURE"),
    honoured("OTEL_EXPORTER_PROMETHEUS_HOST", "localhost, if the port is set", "a name or address of this machine, such as 0.0.0.0", "Where the text is served at /metrics, besides the service's own route, with `prometheus` in OTEL_METRICS_EXPORTER."),
    honoured("OTEL_EXPORTER_PROMETHEUS_PORT", "9464, if the host is set; nothing listens if neither is", "a port from 0 (any that is free) to 65535", "The port for it."),
    refused("OTEL_EXPORTER_ZIPKIN_ENDPOINT", "http://localhost:9411/api/v2/spans", "a URL", "Where Zipkin is.", NO_ZIPKIN).url(),
    refused("OTEL_EXPORTER_ZIPKIN_TIMEOUT", "10000", TIMEOUT, "Longest time that one export to Zipkin may take.", NO_ZIPKIN),
    refused("OTEL_EXPORTER_ZIPKIN_PROTOCOL", "none", "none", "Reserved by the specification.", NO_ZIPKIN),
];

const FILES: &[Variable] = &[
    honoured("OTEL_CONFIG_FILE", "none", "the path of a YAML file", "A declarative configuration in place of all other variables (feature config-file).").status(FILE),
    refused("OTEL_EXPERIMENTAL_CONFIG_FILE", "none", "a path", "The earlier name of OTEL_CONFIG_FILE.", "its name is OTEL_CONFIG_FILE"),
];

const OWN: &[Variable] = &[
    honoured("RUSTOK_TELEMETRY_BSP_MAX_QUEUE_BYTES", "33554432 (32 MiB)", QUEUE_BYTES, "Bytes of the spans that may wait, as they are encoded."),
    honoured("RUSTOK_TELEMETRY_BLRP_MAX_QUEUE_BYTES", "33554432 (32 MiB)", QUEUE_BYTES, "Bytes of the log records that may wait, as they are encoded."),
    honoured("RUSTOK_TELEMETRY_BSP_DROP_OLDEST", "false", "true or false", "Whether a full queue drops the spans that wait longest, instead of new ones."),
    honoured("RUSTOK_TELEMETRY_BLRP_DROP_OLDEST", "false", "true or false", "Whether a full queue drops the log records that wait longest, instead of new ones."),
    honoured("RUSTOK_TELEMETRY_ACCESS_TOKEN", "none", "visible ASCII characters without spaces", "The bearer token that the routes below /api/_health/, except for the status of live and ready, and the port for Prometheus require.").secret(),
    honoured("RUSTOK_TELEMETRY_ACCESS_NETWORKS", "all", "IP addresses and networks such as 127.0.0.1,10.0.0.0/8", "The networks whose requests these endpoints answer."),
    honoured(SPOOL_DIR, "none", "the path of a directory on a local disk, which is created if it does not exist; one for each service", "Where spans and log records are kept on disk until they are exported (Cargo feature `spool`).").status(SPOOL),
    honoured("RUSTOK_TELEMETRY_SPOOL_MAX_BYTES", "268435456 (256 MiB)", "a whole number from 16777216 to 1099511627776", "Bytes on disk, of each signal of each process; beyond them the oldest spans and log records are dropped.").status(SPOOL),
    honoured("RUSTOK_TELEMETRY_SPOOL_MAX_AGE", "86400000 (24 hours)", "milliseconds from 1 to 2147483647", "Longest time that spans and log records wait on disk; older ones are dropped.").status(SPOOL),
    honoured(STRICT, "true", "true or false", "Whether an error in the configuration stops the start. With false each error is one warning, and the variable is ignored."),
    honoured(LOG_FILTER, "info", "levels and directives, such as info or warn,my_crate=debug", "Which log lines are written, and sent if OTEL_LOGS_EXPORTER says so."),
];

pub(in crate::config) const SPOOL_DIR: &str = "RUSTOK_TELEMETRY_SPOOL_DIR";
pub(in crate::config) const STRICT: &str = "RUSTOK_TELEMETRY_STRICT";
pub(in crate::config) const LOG_FILTER: &str = "RUST_LOG";
const COUNT: &str = "a whole number from 0 to 2147483647";
const TIMEOUT: &str = "milliseconds from 0 (no limit) to 2147483647";
const QUEUE_BYTES: &str = "a whole number from 65536 to 4294967295";
const PEM: &str = "a path to a PEM file, used with https://";
const GENERAL_ONE: &str = "the general one's";
const GENERAL_ENDPOINT: &str = "the general endpoint, with the signal's path";
const NO_ZIPKIN: &str = "there is no Zipkin exporter; remove it and send OTLP to a Collector, which can forward to Zipkin";
const FILE: Status = unless(disabled!("OTEL_CONFIG_FILE", "config-file"));
const SPOOL: Status = unless(disabled!("the spool", "spool"));

const fn unless(disabled: Option<&'static str>) -> Status {
    match disabled {
        None => Status::Honoured,
        Some(reason) => Status::Refused(reason),
    }
}

const fn honoured(name: &'static str, default: &'static str, allowed: &'static str, meaning: &'static str) -> Variable {
    Variable { name, default, allowed, meaning, status: Status::Honoured, privacy: Privacy::Open }
}

const fn refused(
    name: &'static str, default: &'static str, allowed: &'static str, meaning: &'static str, reason: &'static str,
) -> Variable {
    honoured(name, default, allowed, meaning).status(Status::Refused(reason))
}

impl Variable {
    const fn status(self, status: Status) -> Self {
        Self { status, ..self }
    }

    const fn url(self) -> Self {
        Self { privacy: Privacy::Url, ..self }
    }

    const fn secret(self) -> Self {
        Self { privacy: Privacy::Secret, ..self }
    }
}
