//! The rows: name, default, allowed values, meaning, and for a refused one the reason. One row a line,
//! so this file is left alone by the formatter.

use super::{Privacy, Section, Status, Variable};

/// The rows of the OTLP exporter for one signal, or for all of them.
macro_rules! otlp {
    ($signal:literal, $endpoint:expr, $protocol:expr, $headers:expr, $timeout:expr) => {
        &[
            honoured(concat!("OTEL_EXPORTER_OTLP_", $signal, "ENDPOINT"), $endpoint, "a URL such as http://localhost:4318 (http/protobuf) or http://localhost:4317 (grpc)", "Where OTLP is sent.").url(),
            honoured(concat!("OTEL_EXPORTER_OTLP_", $signal, "PROTOCOL"), $protocol, "http/protobuf or grpc", "How OTLP is sent."),
            honoured(concat!("OTEL_EXPORTER_OTLP_", $signal, "HEADERS"), $headers, "pairs such as api-key=abc,tenant=web, with values percent-encoded", "Headers of each request. The values are secrets.").secret(),
            honoured(concat!("OTEL_EXPORTER_OTLP_", $signal, "TIMEOUT"), $timeout, TIMEOUT, "Longest time that one export may take."),
            honoured(concat!("OTEL_EXPORTER_OTLP_", $signal, "COMPRESSION"), "none", "none", "Compression of requests."),
            refused(concat!("OTEL_EXPORTER_OTLP_", $signal, "INSECURE"), "false", "true or false", "Whether gRPC goes without TLS.", BY_SCHEME),
            refused(concat!("OTEL_EXPORTER_OTLP_", $signal, "CERTIFICATE"), "none", "a path", "Certificates to trust.", NO_TLS),
            refused(concat!("OTEL_EXPORTER_OTLP_", $signal, "CLIENT_KEY"), "none", "a path", "The client's private key.", NO_TLS),
            refused(concat!("OTEL_EXPORTER_OTLP_", $signal, "CLIENT_CERTIFICATE"), "none", "a path", "The client's certificate.", NO_TLS),
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
    honoured("OTEL_PROPAGATORS", "tracecontext,baggage", "tracecontext, baggage, b3, b3multi and jaeger, separated by commas, or none", "How context travels between services."),
    honoured("OTEL_TRACES_SAMPLER", "parentbased_always_on", "always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off or parentbased_traceidratio", "Which traces are recorded."),
    honoured("OTEL_TRACES_SAMPLER_ARG", "1.0", "a number from 0 to 1, such as 0.1", "The ratio of the ratio samplers."),
    refused("OTEL_LOG_LEVEL", "info", "a level, such as info", "Log level of the SDK itself.", "The SDK logs through `tracing`: filter the target `opentelemetry` there"),
];

const EXPORTERS: &[Variable] = &[
    honoured("OTEL_TRACES_EXPORTER", "otlp", "otlp or none", "Where traces go."),
    honoured("OTEL_METRICS_EXPORTER", "otlp", "otlp, prometheus (text endpoint only, nothing is pushed) or none", "Where metrics go."),
    honoured("OTEL_LOGS_EXPORTER", "none (the specification says otlp)", "otlp or none", "Where log records go, besides the lines on standard error."),
];

const BATCH_SPANS: &[Variable] = &[
    honoured("OTEL_BSP_SCHEDULE_DELAY", "5000", "milliseconds from 1 to 2147483647", "Time between two exports of spans."),
    honoured("OTEL_BSP_EXPORT_TIMEOUT", "30000", TIMEOUT, "Longest time that one export of spans may take."),
    honoured("OTEL_BSP_MAX_QUEUE_SIZE", "2048", "a whole number from 1 to 1048576", "Spans that may wait; room for all of them is reserved at once."),
    honoured("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "512, or the queue's size when that is smaller", "a whole number from 1 to OTEL_BSP_MAX_QUEUE_SIZE", "Most spans in one export."),
    refused("OTEL_BSP_MAX_CONCURRENT_EXPORTS", "1", "a whole number", "Exports of spans at a time (of the Rust SDK, not of the specification).", "Spans are exported one batch at a time"),
];

const LIMITS: &[Variable] = &[
    refused("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "no limit", "a whole number", "Longest attribute value.", NO_TRUNCATION),
    honoured("OTEL_ATTRIBUTE_COUNT_LIMIT", "128", COUNT, "Most attributes of a span, unless OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT is set."),
    refused("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "no limit", "a whole number", "Longest attribute value of a span.", NO_TRUNCATION),
    honoured("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "128", COUNT, "Most attributes of a span."),
    honoured("OTEL_SPAN_EVENT_COUNT_LIMIT", "128", COUNT, "Most events of a span."),
    honoured("OTEL_SPAN_LINK_COUNT_LIMIT", "128", COUNT, "Most links of a span."),
    honoured("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "128", COUNT, "Most attributes of a span's event."),
    honoured("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "128", COUNT, "Most attributes of a span's link."),
];

const METRICS: &[Variable] = &[
    honoured("OTEL_METRIC_EXPORT_INTERVAL", "60000", "milliseconds from 1 to 2147483647", "Time between the starts of two exports of metrics."),
    honoured("OTEL_METRIC_EXPORT_TIMEOUT", "30000", TIMEOUT, "Longest time that one export of metrics may take."),
    honoured("OTEL_METRICS_EXEMPLAR_FILTER", "always_off", "always_off", "Which measurements become exemplars."),
    honoured("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "cumulative", "cumulative", "Whether sums count from the start or from the last export."),
    honoured("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "explicit_bucket_histogram", "explicit_bucket_histogram", "How histograms are aggregated."),
];

const OTLP: &[Variable] = otlp!("", "http://localhost:4318, or :4317 with grpc", "http/protobuf", "none", "10000");
const OTLP_TRACES: &[Variable] = otlp!("TRACES_", GENERAL_ENDPOINT, GENERAL_ONE, GENERAL_ONE, GENERAL_ONE);
const OTLP_METRICS: &[Variable] = otlp!("METRICS_", GENERAL_ENDPOINT, GENERAL_ONE, GENERAL_ONE, GENERAL_ONE);
const OTLP_LOGS: &[Variable] = otlp!("LOGS_", GENERAL_ENDPOINT, GENERAL_ONE, GENERAL_ONE, GENERAL_ONE);

const LOGS: &[Variable] = &[
    honoured("OTEL_BLRP_SCHEDULE_DELAY", "1000", "milliseconds from 1 to 2147483647", "Time between two exports of log records."),
    honoured("OTEL_BLRP_EXPORT_TIMEOUT", "30000", TIMEOUT, "Longest time that one export of log records may take."),
    honoured("OTEL_BLRP_MAX_QUEUE_SIZE", "2048", "a whole number from 1 to 1048576", "Log records that may wait; room for all of them is reserved at once."),
    honoured("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "512, or the queue's size when that is smaller", "a whole number from 1 to OTEL_BLRP_MAX_QUEUE_SIZE", "Most log records in one export."),
    refused("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "no limit", COUNT, "Longest attribute value of a log record.", NO_TRUNCATION),
    refused("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "128", COUNT, "Most attributes of a log record.", FEW_FIELDS),
];

const OTHERS: &[Variable] = &[
    refused("OTEL_EXPORTER_OTLP_SPAN_INSECURE", "false", "true or false", "The earlier name of OTEL_EXPORTER_OTLP_TRACES_INSECURE.", BY_SCHEME),
    refused("OTEL_EXPORTER_OTLP_METRIC_INSECURE", "false", "true or false", "The earlier name of OTEL_EXPORTER_OTLP_METRICS_INSECURE.", BY_SCHEME),
    refused("OTEL_EXPORTER_PROMETHEUS_HOST", "localhost", "a host", "Host of a Prometheus endpoint.", OWN_SERVER),
    refused("OTEL_EXPORTER_PROMETHEUS_PORT", "9464", "a port", "Port of a Prometheus endpoint.", OWN_SERVER),
    refused("OTEL_EXPORTER_ZIPKIN_ENDPOINT", "http://localhost:9411/api/v2/spans", "a URL", "Where Zipkin is.", NO_ZIPKIN).url(),
    refused("OTEL_EXPORTER_ZIPKIN_TIMEOUT", "10000", TIMEOUT, "Longest time that one export to Zipkin may take.", NO_ZIPKIN),
    refused("OTEL_EXPORTER_ZIPKIN_PROTOCOL", "none", "none", "Reserved by the specification.", NO_ZIPKIN),
];

const FILES: &[Variable] = &[
    honoured("OTEL_CONFIG_FILE", "none", "the path of a YAML file", "A declarative configuration in place of all other variables (feature config-file).").status(FILE),
    refused("OTEL_EXPERIMENTAL_CONFIG_FILE", "none", "a path", "The earlier name of OTEL_CONFIG_FILE.", "Use OTEL_CONFIG_FILE"),
];

const OWN: &[Variable] = &[
    honoured(STRICT, "true", "true or false", "Whether a problem in the configuration stops the start. With false each is one warning, and the variable counts as unset."),
    honoured(LOG_FILTER, "info", "levels and directives, such as info or warn,my_crate=debug", "Which log lines are written, and sent if OTEL_LOGS_EXPORTER says so."),
];

pub(in crate::config) const STRICT: &str = "RUSTOK_TELEMETRY_STRICT";
pub(in crate::config) const LOG_FILTER: &str = "RUST_LOG";
const COUNT: &str = "a whole number from 0 to 2147483647";
const TIMEOUT: &str = "milliseconds from 0 (no limit) to 2147483647";
const GENERAL_ONE: &str = "the general one's";
const GENERAL_ENDPOINT: &str = "the general endpoint, with the signal's path";
const NO_TRUNCATION: &str = "The SDK cannot shorten attribute values";
const FEW_FIELDS: &str = "A log record has the fields of its event, of which `tracing` allows 32";
const NO_ZIPKIN: &str = "There is no Zipkin exporter: send OTLP to a Collector, which can forward to Zipkin";
const OWN_SERVER: &str = "The Prometheus text is a route of the service's own HTTP server, GET /api/_health/metrics";
const FILE: Status = match cfg!(feature = "config-file") {
    true => Status::Honoured,
    false => Status::Refused("Build rustok-telemetry with its feature `config-file`"),
};
const NO_TLS: &str = "TLS is not built in yet: send to a Collector nearby, which can forward with TLS";
const BY_SCHEME: &str = "The endpoint's scheme decides: http:// is without TLS";

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
