//! The keys of the file, and the variables for the same settings.
//!
//! The keys are those of the specification's schema since version 1.0. Experimental keys (`…/development`) are not
//! supported, except the Prometheus exporter, which has no stable name.

use super::document::Node;
use super::walker::Rule::{self, Add, By, Exporter, Ignored, One, Provider, Refused, Set};
use super::walker::{Keys, NOT_SUPPORTED, Walker};
use crate::config::{Setting, Signal, Source, View, ViewAggregation};

const NO: Rule = Refused(NOT_SUPPORTED);
const VERSIONS: [&str; 3] = ["1.0", "1.1", "1.2"];

/// Variables that are `none` if the file does not set them; the first three by signal.
pub(super) const OFF_UNLESS_SET: [&str; 4] = [
    "OTEL_TRACES_EXPORTER",
    "OTEL_METRICS_EXPORTER",
    "OTEL_LOGS_EXPORTER",
    "OTEL_PROPAGATORS",
];

#[rustfmt::skip]
pub(super) const FILE: Keys = &[
    ("file_format", By(version)),
    ("disabled", Set("OTEL_SDK_DISABLED")),
    ("log_level", Set("OTEL_LOG_LEVEL")),
    ("resource", Rule::Keys(&[
        ("attributes", By(|walker, list| walker.add_pairs("OTEL_RESOURCE_ATTRIBUTES", list, true))),
        ("attributes_list", Add("OTEL_RESOURCE_ATTRIBUTES")),
        ("schema_url", NO),
    ])),
    ("attribute_limits", Rule::Keys(&[
        ("attribute_value_length_limit", Set("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT")),
        ("attribute_count_limit", Set("OTEL_ATTRIBUTE_COUNT_LIMIT")),
    ])),
    ("propagator", Rule::Keys(&[
        ("composite", By(propagators)),
        ("composite_list", Add("OTEL_PROPAGATORS")),
    ])),
    ("tracer_provider", Provider(Signal::Traces, TRACER_PROVIDER)),
    ("meter_provider", Provider(Signal::Metrics, METER_PROVIDER)),
    ("logger_provider", Provider(Signal::Logs, LOGGER_PROVIDER)),
    // The required stability of keys.
    ("stability", Ignored),
    ("distribution", NO),
];

#[rustfmt::skip]
const TRACER_PROVIDER: Keys = &[
    ("processors", By(|walker, list| exporters(walker, list, PROCESSOR))),
    ("limits", Rule::Keys(&[
        ("attribute_value_length_limit", Set("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT")),
        ("attribute_count_limit", Set("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT")),
        ("event_count_limit", Set("OTEL_SPAN_EVENT_COUNT_LIMIT")),
        ("link_count_limit", Set("OTEL_SPAN_LINK_COUNT_LIMIT")),
        ("event_attribute_count_limit", Set("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT")),
        ("link_attribute_count_limit", Set("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT")),
    ])),
    ("sampler", By(|walker, node| sampler(walker, node, ""))),
    ("id_generator", NO),
];

#[rustfmt::skip]
const METER_PROVIDER: Keys = &[
    ("readers", By(|walker, list| exporters(walker, list, READER))),
    ("exemplar_filter", Set("OTEL_METRICS_EXEMPLAR_FILTER")),
    ("views", By(views)),
];

#[rustfmt::skip]
const LOGGER_PROVIDER: Keys = &[
    ("processors", By(|walker, list| exporters(walker, list, PROCESSOR))),
    ("limits", Rule::Keys(&[
        ("attribute_value_length_limit", Set("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT")),
        ("attribute_count_limit", Set("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT")),
    ])),
];

#[rustfmt::skip]
const PROCESSOR: Keys = &[
    ("batch", Rule::Keys(&[
        ("exporter", One(EXPORTER)),
        ("schedule_delay", Set("OTEL_#_SCHEDULE_DELAY")),
        ("export_timeout", Set("OTEL_#_EXPORT_TIMEOUT")),
        ("max_queue_size", Set("OTEL_#_MAX_QUEUE_SIZE")),
        ("max_export_batch_size", Set("OTEL_#_MAX_EXPORT_BATCH_SIZE")),
    ])),
    ("simple", Rule::Keys(&[("exporter", By(simple))])),
];

#[rustfmt::skip]
const READER: Keys = &[
    ("periodic", Rule::Keys(&[
        ("interval", Set("OTEL_METRIC_EXPORT_INTERVAL")),
        ("timeout", Set("OTEL_METRIC_EXPORT_TIMEOUT")),
        ("exporter", One(EXPORTER)),
        ("producers", NO),
        ("cardinality_limits", NO),
    ])),
    ("pull", Rule::Keys(&[("exporter", One(EXPORTER)), ("producers", NO), ("cardinality_limits", NO)])),
];

#[rustfmt::skip]
const EXPORTER: Keys = &[
    ("otlp_http", By(|walker, node| otlp(walker, node, "http/protobuf"))),
    ("otlp_grpc", By(|walker, node| otlp(walker, node, "grpc"))),
    ("console", Exporter("console", &[])),
    ("prometheus/development", Exporter("prometheus", &[
        ("host", Set("OTEL_EXPORTER_PROMETHEUS_HOST")),
        ("port", Set("OTEL_EXPORTER_PROMETHEUS_PORT")),
    ])),
];

#[rustfmt::skip]
const OTLP: Keys = &[
    ("endpoint", Set("OTEL_EXPORTER_OTLP_*_ENDPOINT")),
    ("timeout", Set("OTEL_EXPORTER_OTLP_*_TIMEOUT")),
    ("compression", Set("OTEL_EXPORTER_OTLP_*_COMPRESSION")),
    ("tls", Rule::Keys(&[
        ("ca_file", Set("OTEL_EXPORTER_OTLP_*_CERTIFICATE")),
        ("key_file", Set("OTEL_EXPORTER_OTLP_*_CLIENT_KEY")),
        ("cert_file", Set("OTEL_EXPORTER_OTLP_*_CLIENT_CERTIFICATE")),
        ("insecure", Set("OTEL_EXPORTER_OTLP_*_INSECURE")),
    ])),
    ("headers", By(|walker, list| walker.add_pairs("OTEL_EXPORTER_OTLP_*_HEADERS", list, false))),
    ("headers_list", Add("OTEL_EXPORTER_OTLP_*_HEADERS")),
    ("encoding", By(encoding)),
    ("temporality_preference", Set("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE")),
    ("default_histogram_aggregation", Set("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION")),
];

/// The keys of a pair, for suggestions.
pub(super) const PAIR: Keys = &[("name", Ignored), ("value", Ignored), ("type", Ignored)];

const ONLY_NAME: Rule = Refused("only `instrument_name` is supported by this version");
/// Refused, since dashboards and alerts depend on names and labels.
const OF_THE_CATALOGUE: Rule = Refused(
    "not supported by this version: the catalogue says what metrics are called and which labels they have",
);

#[rustfmt::skip]
const VIEW: Keys = &[
    ("selector", Rule::Keys(&[
        ("instrument_name", By(|walker, node| walker.view.0 = walker.text(node))),
        ("instrument_type", ONLY_NAME),
        ("unit", ONLY_NAME),
        ("meter_name", ONLY_NAME),
        ("meter_version", ONLY_NAME),
        ("meter_schema_url", ONLY_NAME),
    ])),
    ("stream", Rule::Keys(&[
        ("aggregation", One(&[
            ("drop", By(|walker, _| walker.view.1 = Some(ViewAggregation::Drop))),
            ("explicit_bucket_histogram", By(|walker, node| {
                walker.view.1 = Some(ViewAggregation::Boundaries(Vec::new()));
                walker.keys(node, &[
                    ("boundaries", By(boundaries)),
                    ("record_min_max", NO),
                ]);
            })),
            ("default", NO),
            ("sum", NO),
            ("last_value", NO),
            ("base2_exponential_bucket_histogram", NO),
        ])),
        ("name", OF_THE_CATALOGUE),
        ("description", OF_THE_CATALOGUE),
        ("attribute_keys", OF_THE_CATALOGUE),
        ("aggregation_cardinality_limit", OF_THE_CATALOGUE),
    ])),
];

fn version(walker: &mut Walker<'_>, node: &Node<'_>) {
    let Some(version) = walker.text(node) else {
        return walker.refuse(node, "no version, such as \"1.0\"");
    };
    let release = version.split('-').next().unwrap_or_default();
    if !VERSIONS.contains(&release) {
        let known = VERSIONS.join(", ");
        let why = format!(
            "`{version}` is not a version that can be read; these are: {known}, such as \"1.0\""
        );
        walker.refuse(node, why);
    }
}

fn propagators(walker: &mut Walker<'_>, list: &Node<'_>) {
    for item in walker.list(list) {
        if let Some((name, _)) = walker.one_entry(&item) {
            walker.add("OTEL_PROPAGATORS", name, list);
        }
    }
}

/// Sets the sampler. `prefix` is that of its name inside `parent_based`.
fn sampler(walker: &mut Walker<'_>, node: &Node<'_>, prefix: &str) {
    const NAME: &str = "OTEL_TRACES_SAMPLER";
    let Some((key, inner)) = walker.one_entry(node) else {
        return;
    };
    let (name, keys): (_, Keys) = match key {
        "always_on" | "always_off" => (key, &[]),
        "trace_id_ratio_based" => ("traceidratio", &[("ratio", Set("OTEL_TRACES_SAMPLER_ARG"))]),
        "parent_based" if prefix.is_empty() => {
            walker.set(NAME, "parentbased_always_on", node);
            return walker.keys(&inner, PARENT_BASED);
        }
        _ => return walker.refuse(&inner, NOT_SUPPORTED),
    };
    walker.keys(&inner, keys);
    walker.set(NAME, format!("{prefix}{name}"), node);
}

#[rustfmt::skip]
const PARENT_BASED: Keys = &[
    ("root", By(|walker, node| sampler(walker, node, "parentbased_"))),
    ("remote_parent_sampled", ONLY_ON),
    ("remote_parent_not_sampled", ONLY_OFF),
    ("local_parent_sampled", ONLY_ON),
    ("local_parent_not_sampled", ONLY_OFF),
];

const ONLY_ON: Rule = By(|walker, node| only_sampler(walker, node, "always_on"));
const ONLY_OFF: Rule = By(|walker, node| only_sampler(walker, node, "always_off"));

fn only_sampler(walker: &mut Walker<'_>, node: &Node<'_>, supported: &str) {
    if let Some((name, inner)) = walker.one_entry(node)
        && name != supported
    {
        let why = format!("only `{supported}` is supported by this version");
        walker.refuse(&inner, why);
    }
}

/// Walks a list of processors or readers, of which one may export by OTLP.
fn exporters(walker: &mut Walker<'_>, list: &Node<'_>, kinds: Keys) {
    for item in walker.list(list) {
        walker.one(&item, kinds);
    }
    let name = OFF_UNLESS_SET[walker.signal as usize];
    if let Some((names, place)) = walker.reader.values.get_mut(name) {
        *place = Some(list.place());
        if names.split(',').filter(|name| *name == "otlp").count() > 1 {
            let why = "one OTLP exporter for each signal is supported by this version";
            walker.refuse(list, why);
        }
    }
}

fn simple(walker: &mut Walker<'_>, node: &Node<'_>) {
    match walker.one_entry(node) {
        Some(("otlp_http" | "otlp_grpc", _)) => {
            walker.refuse(node, "OTLP goes through a `batch` processor");
        }
        entry => walker.walk_entries(entry, EXPORTER),
    }
}

fn otlp(walker: &mut Walker<'_>, node: &Node<'_>, protocol: &str) {
    walker.set("OTEL_EXPORTER_OTLP_*_PROTOCOL", protocol, node);
    walker.walk(node, &Exporter("otlp", OTLP));
}

fn encoding(walker: &mut Walker<'_>, node: &Node<'_>) {
    if let Some(other) = walker.text(node).filter(|encoding| encoding != "protobuf") {
        let why = format!("`{other}` is not supported by this version: OTLP is sent as protobuf");
        walker.refuse(node, why);
    }
}

fn views(walker: &mut Walker<'_>, list: &Node<'_>) {
    let mut views = Vec::new();
    for item in walker.list(list) {
        walker.keys(&item, VIEW);
        let (instrument_name, aggregation) = std::mem::take(&mut walker.view);
        let Some(instrument_name) = instrument_name else {
            walker.refuse(&item, "`selector` has no `instrument_name`");
            continue;
        };
        if let Some(aggregation) = aggregation {
            let view = View {
                instrument_name,
                aggregation,
            };
            match view.diagnostic() {
                None => views.push(view),
                Some(why) => walker.refuse(&item, why),
            }
        }
    }
    if !views.is_empty() {
        let source = Source::File {
            line: list.place().line,
        };
        walker.reader.views = Some(Setting {
            value: views,
            source,
        });
    }
}

fn boundaries(walker: &mut Walker<'_>, list: &Node<'_>) {
    for node in walker.list(list) {
        let number = walker.text(&node).and_then(|text| text.parse().ok());
        match (number, &mut walker.view.1) {
            (Some(number), Some(ViewAggregation::Boundaries(numbers))) => numbers.push(number),
            _ => walker.refuse(&node, "not a number"),
        }
    }
}
