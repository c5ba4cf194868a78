//! Which key of the file says what which variable says.
//!
//! The keys are those of the specification's schema, from its version 1.0 on. Keys that it calls experimental
//! (`…/development`) are not supported, except the Prometheus exporter, which has no other name.

use super::{
    document::Node,
    keys::{
        BATCH, HISTOGRAMS, KEYS, KNOWN, LOG_BATCHES, LOG_LIMITS, LOGS, METRICS, NOT_SUPPORTED,
        Names, OTLP, OTLP_KEYS, PARENT_BASED, SPAN_BATCHES, SPAN_LIMITS, Signal, TEMPORALITY,
        TRACES, VERSIONS,
    },
    lists::pair,
    reading::Reading,
};

impl Reading<'_> {
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
                "views" => this.views(node),
                "meter_configurator/development" | "view_matching_mode/development" => {
                    this.refuse(node, NOT_SUPPORTED);
                }
                _ => return &["readers", "exemplar_filter", "views"],
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
}
