//! The keys of the file, and the variables that they set.

/// The variables of one signal.
pub(super) struct Signal {
    pub(super) exporter: &'static str,
    pub(super) endpoint: &'static str,
    pub(super) protocol: &'static str,
    pub(super) headers: &'static str,
    pub(super) timeout: &'static str,
    pub(super) compression: &'static str,
    pub(super) certificate: &'static str,
    pub(super) client_key: &'static str,
    pub(super) client_certificate: &'static str,
    pub(super) insecure: &'static str,
}

macro_rules! signal {
    ($name:literal) => {
        Signal {
            exporter: concat!("OTEL_", $name, "_EXPORTER"),
            endpoint: concat!("OTEL_EXPORTER_OTLP_", $name, "_ENDPOINT"),
            protocol: concat!("OTEL_EXPORTER_OTLP_", $name, "_PROTOCOL"),
            headers: concat!("OTEL_EXPORTER_OTLP_", $name, "_HEADERS"),
            timeout: concat!("OTEL_EXPORTER_OTLP_", $name, "_TIMEOUT"),
            compression: concat!("OTEL_EXPORTER_OTLP_", $name, "_COMPRESSION"),
            certificate: concat!("OTEL_EXPORTER_OTLP_", $name, "_CERTIFICATE"),
            client_key: concat!("OTEL_EXPORTER_OTLP_", $name, "_CLIENT_KEY"),
            client_certificate: concat!("OTEL_EXPORTER_OTLP_", $name, "_CLIENT_CERTIFICATE"),
            insecure: concat!("OTEL_EXPORTER_OTLP_", $name, "_INSECURE"),
        }
    };
}

pub(super) static TRACES: Signal = signal!("TRACES");
pub(super) static METRICS: Signal = signal!("METRICS");
pub(super) static LOGS: Signal = signal!("LOGS");

pub(super) const VERSIONS: [&str; 3] = ["1.0", "1.1", "1.2"];
pub(super) const NOT_SUPPORTED: &str = "not supported by this version";

/// Keys that would have been known; empty if the key was.
pub(super) type Keys = &'static [&'static str];

/// Keys, and the variables that they set.
pub(super) type Names = &'static [(&'static str, &'static str)];

pub(super) const KNOWN: Keys = &[];
pub(super) const OTLP: &str = "otlp";
pub(super) const TEMPORALITY: &str = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";
pub(super) const HISTOGRAMS: &str = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION";

pub(super) const KEYS: Keys = &[
    "file_format",
    "disabled",
    "log_level",
    "resource",
    "attribute_limits",
    "propagator",
    "tracer_provider",
    "meter_provider",
    "logger_provider",
];
pub(super) const BATCH: Keys = &[
    "exporter",
    "schedule_delay",
    "export_timeout",
    "max_queue_size",
    "max_export_batch_size",
];
pub(super) const PARENT_BASED: Keys = &[
    "root",
    "remote_parent_sampled",
    "remote_parent_not_sampled",
    "local_parent_sampled",
    "local_parent_not_sampled",
];
pub(super) const OTLP_KEYS: Keys = &[
    "endpoint",
    "timeout",
    "compression",
    "tls",
    "headers",
    "headers_list",
    "encoding",
    "temporality_preference",
    "default_histogram_aggregation",
];
pub(super) const SPAN_BATCHES: Names = &[
    ("schedule_delay", "OTEL_BSP_SCHEDULE_DELAY"),
    ("export_timeout", "OTEL_BSP_EXPORT_TIMEOUT"),
    ("max_queue_size", "OTEL_BSP_MAX_QUEUE_SIZE"),
    ("max_export_batch_size", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE"),
];
pub(super) const LOG_BATCHES: Names = &[
    ("schedule_delay", "OTEL_BLRP_SCHEDULE_DELAY"),
    ("export_timeout", "OTEL_BLRP_EXPORT_TIMEOUT"),
    ("max_queue_size", "OTEL_BLRP_MAX_QUEUE_SIZE"),
    ("max_export_batch_size", "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE"),
];
pub(super) const SPAN_LIMITS: Names = &[
    (
        "attribute_value_length_limit",
        "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    ),
    ("attribute_count_limit", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT"),
    ("event_count_limit", "OTEL_SPAN_EVENT_COUNT_LIMIT"),
    ("link_count_limit", "OTEL_SPAN_LINK_COUNT_LIMIT"),
    (
        "event_attribute_count_limit",
        "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
    ),
    (
        "link_attribute_count_limit",
        "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
    ),
];
pub(super) const LOG_LIMITS: Names = &[
    (
        "attribute_value_length_limit",
        "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    ),
    (
        "attribute_count_limit",
        "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT",
    ),
];
