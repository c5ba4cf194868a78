//! Which key of the file says what which variable says.
//!
//! The keys are those of the specification's schema, from its version 1.0 on. Keys that it calls experimental
//! (`…/development`) are not supported, except the Prometheus exporter, which has no other name.

use super::{
    FileSettings,
    document::{Node, Value},
    lists::pair,
    substitution::substitute,
};
use crate::config::{env::Place, variables::nearest};

/// Reads a document, and keeps what it finds.
pub(super) struct Reading<'environment> {
    variable: &'environment dyn Fn(&str) -> Option<String>,
    found: FileSettings,
}

/// The variables of one signal.
struct Signal {
    exporter: &'static str,
    endpoint: &'static str,
    protocol: &'static str,
    headers: &'static str,
    timeout: &'static str,
    compression: &'static str,
    certificate: &'static str,
    client_key: &'static str,
    client_certificate: &'static str,
    insecure: &'static str,
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

static TRACES: Signal = signal!("TRACES");
static METRICS: Signal = signal!("METRICS");
static LOGS: Signal = signal!("LOGS");

const VERSIONS: [&str; 3] = ["1.0", "1.1", "1.2"];
const NOT_SUPPORTED: &str = "not supported by this version";

impl<'environment> Reading<'environment> {
    pub(super) fn new(variable: &'environment dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            variable,
            found: FileSettings::default(),
        }
    }

    pub(super) fn finish(mut self) -> FileSettings {
        self.found.problems.sort_by_key(|(place, _)| place.line);
        self.found
    }

    pub(super) fn file(&mut self, root: Node<'_>) {
        // What the file does not mention is off.
        for name in [
            TRACES.exporter,
            METRICS.exporter,
            LOGS.exporter,
            "OTEL_PROPAGATORS",
        ] {
            self.put(name, "none".to_owned(), root.place());
        }
        let mut versioned = false;
        self.mapping(&root, |this, key, node| {
            match key {
                "file_format" => {
                    versioned = true;
                    this.version(node);
                }
                "disabled" => this.set("OTEL_SDK_DISABLED", node),
                "log_level" => this.set("OTEL_LOG_LEVEL", node),
                "resource" => this.resource(node),
                "attribute_limits" => this.settings(
                    node,
                    &[
                        (
                            "attribute_value_length_limit",
                            "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
                        ),
                        ("attribute_count_limit", "OTEL_ATTRIBUTE_COUNT_LIMIT"),
                    ],
                ),
                "propagator" => this.propagator(node),
                "tracer_provider" => this.tracer_provider(node),
                "meter_provider" => this.meter_provider(node),
                "logger_provider" => this.logger_provider(node),
                // How experimental a file may be; it sets nothing.
                "stability" => {}
                "distribution" | "instrumentation/development" => this.refuse(node, NOT_SUPPORTED),
                _ => return KEYS,
            }
            KNOWN
        });
        if !versioned {
            self.refuse(
                &root,
                "`file_format` is missing, such as file_format: \"1.0\"",
            );
        }
    }

    fn version(&mut self, node: &Node<'_>) {
        let Some(version) = self.text(node) else {
            return self.refuse(node, "no version, such as \"1.0\"");
        };
        let release = version.split('-').next().unwrap_or_default();
        if !VERSIONS.contains(&release) {
            let known = VERSIONS.join(", ");
            let why = format!(
                "`{version}` is not a version that can be read; these are: {known}, such as \"1.0\""
            );
            self.refuse(node, why);
        }
    }

    fn resource(&mut self, resource: &Node<'_>) {
        let mut pairs = Vec::new();
        self.mapping(resource, |this, key, node| {
            match key {
                "attributes" => {
                    for item in this.list(node) {
                        if let Some((name, value)) = this.named_value(&item) {
                            pairs.push(pair(&name, &value, true));
                        }
                    }
                }
                "attributes_list" => pairs.extend(this.text(node)),
                "schema_url" | "detection/development" => this.refuse(node, NOT_SUPPORTED),
                _ => return &["attributes", "attributes_list"],
            }
            KNOWN
        });
        if !pairs.is_empty() {
            let place = resource.place();
            self.put("OTEL_RESOURCE_ATTRIBUTES", pairs.join(","), place);
        }
    }

    fn propagator(&mut self, propagator: &Node<'_>) {
        let mut names: Vec<String> = Vec::new();
        self.mapping(propagator, |this, key, node| {
            match key {
                "composite" => {
                    for item in this.list(node) {
                        names.extend(this.one_of(&item).map(|(name, _)| name.to_owned()));
                    }
                }
                "composite_list" => names.extend(this.text(node)),
                _ => return &["composite", "composite_list"],
            }
            KNOWN
        });
        if !names.is_empty() {
            self.put("OTEL_PROPAGATORS", names.join(","), propagator.place());
        }
    }

    fn tracer_provider(&mut self, provider: &Node<'_>) {
        self.mapping(provider, |this, key, node| {
            match key {
                "processors" => this.processors(node, &TRACES, SPAN_BATCHES),
                "limits" => this.settings(node, SPAN_LIMITS),
                "sampler" => {
                    if let Some(sampler) = this.sampler(node, "") {
                        this.put("OTEL_TRACES_SAMPLER", sampler, node.place());
                    }
                }
                "tracer_configurator/development" | "id_generator" => {
                    this.refuse(node, NOT_SUPPORTED);
                }
                _ => return &["processors", "limits", "sampler"],
            }
            KNOWN
        });
    }

    /// The sampler's name as the variable has it; its argument is set.
    fn sampler(&mut self, sampler: &Node<'_>, prefix: &str) -> Option<String> {
        let (name, node) = self.one_of(sampler)?;
        match name {
            "always_on" | "always_off" => {
                self.settings(&node, &[]);
                Some(format!("{prefix}{name}"))
            }
            "trace_id_ratio_based" => {
                self.settings(&node, &[("ratio", "OTEL_TRACES_SAMPLER_ARG")]);
                Some(format!("{prefix}traceidratio"))
            }
            "parent_based" if prefix.is_empty() => self.parent_based(&node),
            _ => {
                self.refuse(&node, NOT_SUPPORTED);
                None
            }
        }
    }

    fn parent_based(&mut self, sampler: &Node<'_>) -> Option<String> {
        let mut root = Some("parentbased_always_on".to_owned());
        self.mapping(sampler, |this, key, node| {
            let usual = match key {
                "root" => {
                    root = this.sampler(node, "parentbased_");
                    return KNOWN;
                }
                "remote_parent_sampled" | "local_parent_sampled" => "always_on",
                "remote_parent_not_sampled" | "local_parent_not_sampled" => "always_off",
                _ => return PARENT_BASED,
            };
            if let Some((name, node)) = this.one_of(node)
                && name != usual
            {
                let why = format!("only `{usual}` is supported by this version");
                this.refuse(&node, why);
            }
            KNOWN
        });
        root
    }

    fn meter_provider(&mut self, provider: &Node<'_>) {
        self.mapping(provider, |this, key, node| {
            match key {
                "readers" => this.readers(node),
                "exemplar_filter" => this.set("OTEL_METRICS_EXEMPLAR_FILTER", node),
                "views" if this.list(node).is_empty() => {}
                "views" | "meter_configurator/development" | "view_matching_mode/development" => {
                    this.refuse(node, NOT_SUPPORTED)
                }
                _ => return &["readers", "exemplar_filter"],
            }
            KNOWN
        });
    }

    fn readers(&mut self, readers: &Node<'_>) {
        let mut exporters = Vec::new();
        for reader in self.list(readers) {
            let Some((kind, node)) = self.one_of(&reader) else {
                continue;
            };
            match kind {
                "periodic" => self.mapping(&node, |this, key, node| {
                    match key {
                        "interval" => this.set("OTEL_METRIC_EXPORT_INTERVAL", node),
                        "timeout" => this.set("OTEL_METRIC_EXPORT_TIMEOUT", node),
                        "exporter" => exporters.extend(this.exporter(node, &METRICS)),
                        "producers" | "cardinality_limits" => this.refuse(node, NOT_SUPPORTED),
                        _ => return &["interval", "timeout", "exporter"],
                    }
                    KNOWN
                }),
                "pull" => self.mapping(&node, |this, key, node| {
                    match key {
                        "exporter" => exporters.extend(this.exporter(node, &METRICS)),
                        "producers" | "cardinality_limits" => this.refuse(node, NOT_SUPPORTED),
                        _ => return &["exporter"],
                    }
                    KNOWN
                }),
                _ => self.refuse_key(&node, kind, &["periodic", "pull"]),
            }
        }
        self.exporters(exporters, readers, &METRICS);
    }

    fn logger_provider(&mut self, provider: &Node<'_>) {
        self.mapping(provider, |this, key, node| {
            match key {
                "processors" => this.processors(node, &LOGS, LOG_BATCHES),
                "limits" => this.settings(node, LOG_LIMITS),
                "logger_configurator/development" => this.refuse(node, NOT_SUPPORTED),
                _ => return &["processors", "limits"],
            }
            KNOWN
        });
    }

    fn processors(&mut self, processors: &Node<'_>, signal: &Signal, batches: Names) {
        let mut exporters = Vec::new();
        for processor in self.list(processors) {
            let Some((kind, node)) = self.one_of(&processor) else {
                continue;
            };
            match kind {
                "batch" => self.mapping(&node, |this, key, node| {
                    if key == "exporter" {
                        exporters.extend(this.exporter(node, signal));
                    } else if let Some((_, name)) = batches.iter().find(|(own, _)| *own == key) {
                        this.set(name, node);
                    } else {
                        return BATCH;
                    }
                    KNOWN
                }),
                "simple" => self.mapping(&node, |this, key, node| {
                    if key != "exporter" {
                        return &["exporter"];
                    }
                    match this.exporter(node, signal) {
                        Some(name) if name != OTLP => exporters.push(name),
                        Some(_) => this.refuse(node, "OTLP goes through a `batch` processor"),
                        None => {}
                    }
                    KNOWN
                }),
                _ => self.refuse_key(&node, kind, &["batch", "simple"]),
            }
        }
        self.exporters(exporters, processors, signal);
    }

    fn exporters(&mut self, names: Vec<&'static str>, list: &Node<'_>, signal: &Signal) {
        if names.iter().filter(|name| **name == OTLP).count() > 1 {
            self.refuse(
                list,
                "one OTLP exporter for each signal is supported by this version",
            );
        }
        if !names.is_empty() {
            self.put(signal.exporter, names.join(","), list.place());
        }
    }

    /// The exporter's name as the variable has it; its settings are set.
    fn exporter(&mut self, exporter: &Node<'_>, signal: &Signal) -> Option<&'static str> {
        let (kind, node) = self.one_of(exporter)?;
        let protocol = match kind {
            "otlp_http" => "http/protobuf",
            "otlp_grpc" => "grpc",
            "console" => {
                self.settings(&node, &[]);
                return Some("console");
            }
            "prometheus/development" => {
                let names = &[
                    ("host", "OTEL_EXPORTER_PROMETHEUS_HOST"),
                    ("port", "OTEL_EXPORTER_PROMETHEUS_PORT"),
                ];
                self.settings(&node, names);
                return Some("prometheus");
            }
            "otlp_file/development" => {
                self.refuse(&node, NOT_SUPPORTED);
                return None;
            }
            _ => {
                self.refuse_key(&node, kind, &["otlp_http", "otlp_grpc", "console"]);
                return None;
            }
        };
        self.put(signal.protocol, protocol.to_owned(), node.place());
        self.otlp(&node, signal);
        Some(OTLP)
    }

    fn otlp(&mut self, exporter: &Node<'_>, signal: &Signal) {
        let mut headers = Vec::new();
        self.mapping(exporter, |this, key, node| {
            match key {
                "endpoint" => this.set(signal.endpoint, node),
                "timeout" => this.set(signal.timeout, node),
                "compression" => this.set(signal.compression, node),
                "tls" => this.settings(
                    node,
                    &[
                        ("ca_file", signal.certificate),
                        ("key_file", signal.client_key),
                        ("cert_file", signal.client_certificate),
                        ("insecure", signal.insecure),
                    ],
                ),
                "headers" => {
                    for item in this.list(node) {
                        if let Some((name, value)) = this.named_value(&item) {
                            headers.push(pair(&name, &value, false));
                        }
                    }
                }
                "headers_list" => headers.extend(this.text(node)),
                "encoding" => match this.text(node).as_deref() {
                    None | Some("protobuf") => {}
                    Some(other) => {
                        let why = format!(
                            "`{other}` is not supported by this version: OTLP is sent as protobuf"
                        );
                        this.refuse(node, why);
                    }
                },
                "temporality_preference" => this.set(TEMPORALITY, node),
                "default_histogram_aggregation" => this.set(HISTOGRAMS, node),
                _ => return OTLP_KEYS,
            }
            KNOWN
        });
        if !headers.is_empty() {
            self.put(signal.headers, headers.join(","), exporter.place());
        }
    }

    /// `{name: …, value: …}`.
    fn named_value(&mut self, item: &Node<'_>) -> Option<(String, String)> {
        let (mut name, mut value) = (None, None);
        self.mapping(item, |this, key, node| {
            match key {
                "name" => name = this.text(node),
                "value" => value = this.text(node),
                "type" => match this.text(node).as_deref() {
                    None | Some("string") => {}
                    Some(_) => this.refuse(node, "only `string` is supported by this version"),
                },
                _ => return &["name", "value", "type"],
            }
            KNOWN
        });
        match name {
            // A value that is nothing, as of a variable that is not set, leaves the pair out.
            Some(name) => Some((name, value?)),
            None => {
                self.refuse(item, "`name` is missing");
                None
            }
        }
    }

    /// Each key of a mapping sets the variable beside it.
    fn settings(&mut self, node: &Node<'_>, names: &[(&'static str, &'static str)]) {
        let keys: Vec<_> = names.iter().map(|(key, _)| *key).collect();
        for (key, value) in self.entries(node) {
            match names.iter().find(|(own, _)| *own == key) {
                Some((_, name)) => self.set(name, &value),
                None => self.refuse_key(&value, key, &keys),
            }
        }
    }

    fn set(&mut self, name: &'static str, node: &Node<'_>) {
        if let Some(value) = self.text(node) {
            self.put(name, value, node.place());
        }
    }

    fn put(&mut self, name: &'static str, value: String, place: Place) {
        self.found.values.insert(name, (value, place));
    }

    /// Calls back for each key; the answer is [`KNOWN`], or the keys that would have been.
    fn mapping(
        &mut self,
        node: &Node<'_>,
        mut take: impl FnMut(&mut Self, &str, &Node<'_>) -> Keys,
    ) {
        for (key, value) in self.entries(node) {
            let known = take(self, key, &value);
            if !known.is_empty() {
                self.refuse_key(&value, key, known);
            }
        }
    }

    fn entries<'document>(
        &mut self,
        node: &Node<'document>,
    ) -> Vec<(&'document str, Node<'document>)> {
        match node.value() {
            Value::Null => Vec::new(),
            Value::Mapping(entries) => entries,
            other => {
                self.unexpected(node, &other, "a mapping is");
                Vec::new()
            }
        }
    }

    /// The one entry of a mapping that has one, such as `batch:` in a list of processors.
    fn one_of<'document>(
        &mut self,
        node: &Node<'document>,
    ) -> Option<(&'document str, Node<'document>)> {
        let mut entries = self.entries(node).into_iter();
        let Some((key, value)) = entries.next() else {
            self.refuse(node, "empty, where one key is expected");
            return None;
        };
        if let Some((_, further)) = entries.next() {
            let why = format!("one key is expected here, and `{key}` stands before it");
            self.refuse(&further, why);
        }
        Some((key, value))
    }

    fn list<'document>(&mut self, node: &Node<'document>) -> Vec<Node<'document>> {
        match node.value() {
            Value::Null => Vec::new(),
            Value::List(items) => items,
            other => {
                self.unexpected(node, &other, "a list is");
                Vec::new()
            }
        }
    }

    /// A single value, with what the environment has put in; `None` where that is nothing.
    fn text(&mut self, node: &Node<'_>) -> Option<String> {
        let (text, quoted) = match node.value() {
            Value::Null => return None,
            Value::Text(text, quoted) => (text, quoted),
            other => {
                self.unexpected(node, &other, "one value is");
                return None;
            }
        };
        match substitute(text, self.variable) {
            Ok(value) if value.is_empty() && !quoted => None,
            Ok(value) => Some(value),
            Err(why) => {
                self.refuse(node, why);
                None
            }
        }
    }

    fn unexpected(&mut self, node: &Node<'_>, found: &Value<'_>, expected: &str) {
        let found = match found {
            Value::Null => "nothing",
            Value::Text(..) => "one value",
            Value::List(_) => "a list",
            Value::Mapping(_) => "a mapping",
            Value::Other => "something that is no configuration",
        };
        self.refuse(node, format!("{found}, where {expected} expected"));
    }

    fn refuse_key(&mut self, node: &Node<'_>, key: &str, known: &[&'static str]) {
        let mut why = "unknown key".to_owned();
        if let Some(meant) = nearest(key, known.iter().copied()) {
            why.push_str(&format!("; did you mean `{meant}`?"));
        }
        self.refuse(node, why);
    }

    fn refuse(&mut self, node: &Node<'_>, why: impl Into<String>) {
        self.found.problems.push((node.place(), why.into()));
    }
}

/// Keys that would have been known; empty if the key was.
type Keys = &'static [&'static str];

/// Keys, and the variables that they set.
type Names = &'static [(&'static str, &'static str)];

const KNOWN: Keys = &[];
const OTLP: &str = "otlp";
const TEMPORALITY: &str = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";
const HISTOGRAMS: &str = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION";

const KEYS: Keys = &[
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
const BATCH: Keys = &[
    "exporter",
    "schedule_delay",
    "export_timeout",
    "max_queue_size",
    "max_export_batch_size",
];
const PARENT_BASED: Keys = &[
    "root",
    "remote_parent_sampled",
    "remote_parent_not_sampled",
    "local_parent_sampled",
    "local_parent_not_sampled",
];
const OTLP_KEYS: Keys = &[
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
const SPAN_BATCHES: Names = &[
    ("schedule_delay", "OTEL_BSP_SCHEDULE_DELAY"),
    ("export_timeout", "OTEL_BSP_EXPORT_TIMEOUT"),
    ("max_queue_size", "OTEL_BSP_MAX_QUEUE_SIZE"),
    ("max_export_batch_size", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE"),
];
const LOG_BATCHES: Names = &[
    ("schedule_delay", "OTEL_BLRP_SCHEDULE_DELAY"),
    ("export_timeout", "OTEL_BLRP_EXPORT_TIMEOUT"),
    ("max_queue_size", "OTEL_BLRP_MAX_QUEUE_SIZE"),
    ("max_export_batch_size", "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE"),
];
const SPAN_LIMITS: Names = &[
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
const LOG_LIMITS: Names = &[
    (
        "attribute_value_length_limit",
        "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    ),
    (
        "attribute_count_limit",
        "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT",
    ),
];
