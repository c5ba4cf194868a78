//! The recorder of the `metrics` crate. Its counters, gauges and histograms are instruments of the meter provider.
//!
//! A handle is created once for each label set of a metric, and found again without a lock or an allocation. Counters
//! and histograms are bound instruments. A gauge is an atomic that an observable gauge reads: OpenTelemetry's gauges can
//! be set only, and two concurrent increments that set it could leave the smaller value.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use ::metrics::{
    Counter, CounterFn, Gauge, Histogram, HistogramFn, Key, KeyName, Label, Metadata, Recorder,
    SharedString, Unit, atomics::AtomicU64,
};
use opentelemetry::{
    KeyValue,
    metrics::{BoundCounter, BoundHistogram, Meter, MeterProvider},
};
use opentelemetry_sdk::metrics::SdkMeterProvider;

use super::{
    MAX_LABEL_VALUE_BYTES, OTHER, REQUEST_SECONDS, SIZE_BYTES,
    meter_provider::SERIES_OF_OTHER_METERS, store::read_table::ReadTable,
};
use crate::{InitError, lifecycle::DROPPED, lock::lock};

/// Name of the instrumentation scope.
pub(crate) const SCOPE: &str = "metrics";

static HANDLES: OnceLock<Handles> = OnceLock::new();

static DESCRIPTIONS: Mutex<BTreeMap<String, Description>> = Mutex::new(BTreeMap::new());

/// Sets the recorder of the process. Until [`start`], its handles record nothing.
pub(crate) fn install() -> Result<(), InitError> {
    // An earlier start may have failed later on.
    static IS_INSTALLED: AtomicBool = AtomicBool::new(false);
    if IS_INSTALLED.load(Ordering::Relaxed) {
        return Ok(());
    }
    ::metrics::set_global_recorder(FacadeRecorder).map_err(|_| InitError::RecorderAlreadySet)?;
    IS_INSTALLED.store(true, Ordering::Relaxed);
    Ok(())
}

/// Records in instruments of this provider from now on.
pub(crate) fn start(provider: &SdkMeterProvider) {
    HANDLES.get_or_init(|| {
        let meter = provider.meter(SCOPE);
        Handles {
            counters: Table::new(&meter, new_counter),
            gauges: Table::new(&meter, new_gauge),
            histograms: Table::new(&meter, new_histogram),
        }
    });
}

/// Returns the help text of a metric that was described, even if after its first record, when the SDK ignores it.
pub(crate) fn help(instrument: &str) -> Option<&'static str> {
    lock(&DESCRIPTIONS).get(instrument).map(|known| known.help)
}

struct Handles {
    counters: Table<Counter>,
    gauges: Table<Gauge>,
    histograms: Table<Histogram>,
}

struct FacadeRecorder;

impl Recorder for FacadeRecorder {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        describe(&name, unit, help);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        describe(&name, unit, help);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        describe(&name, unit, help);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        HANDLES
            .get()
            .map_or(Counter::noop(), |all| all.counters.get(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        HANDLES
            .get()
            .map_or(Gauge::noop(), |all| all.gauges.get(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        HANDLES
            .get()
            .map_or(Histogram::noop(), |all| all.histograms.get(key))
    }
}

/// Unit and help text of a metric.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Description {
    /// In UCUM notation; empty if there is none.
    unit: &'static str,
    help: &'static str,
}

fn describe(name: &KeyName, unit: Option<Unit>, help: SharedString) {
    let name = instrument_name(name.as_str());
    let unit = unit.map_or("", ucum);
    let mut all = lock(&DESCRIPTIONS);
    let known = all.get(&*name);
    if known.is_some_and(|known| known.unit == unit && known.help == &*help) {
        return;
    }
    // A text that is not static lives as long as the process, like its metric.
    let help = match Cow::from(help) {
        Cow::Borrowed(help) => help,
        Cow::Owned(help) => help.leak(),
    };
    all.insert(name.into_owned(), Description { unit, help });
}

/// The handles of all metrics of a kind.
struct Table<H: 'static> {
    meter: Meter,
    create: fn(&Meter, String, Description) -> Bind<H>,
    /// Handles by key. Keys that differ in the order of their labels share one.
    by_key: ReadTable<(Key, H)>,
    metrics: Mutex<HashMap<String, Arc<Metric<H>>>>,
}

/// Creates the handle of a label set.
type Bind<H> = Box<dyn Fn(&[KeyValue]) -> H + Send + Sync>;

struct Metric<H> {
    bind: Bind<H>,
    series: Mutex<Series<H>>,
}

struct Series<H> {
    by_labels: HashMap<Vec<KeyValue>, H>,
    /// Number of keys of this metric in the table.
    keys: usize,
}

impl<H: Clone + Send + Sync> Table<H> {
    fn new(meter: &Meter, create: fn(&Meter, String, Description) -> Bind<H>) -> Self {
        Self {
            meter: meter.clone(),
            create,
            by_key: ReadTable::new(usize::MAX),
            metrics: Mutex::default(),
        }
    }

    fn get(&self, key: &Key) -> H {
        let known = self.by_key.find(key.get_hash(), |(known, _)| known == key);
        match known {
            Some((_, handle)) => handle.clone(),
            None => self.add(key),
        }
    }

    #[cold]
    fn add(&self, key: &Key) -> H {
        let metric = self.metric(&instrument_name(key.name()));
        let mut series = lock(&metric.series);
        let handle = series.get(labels(key), &metric.bind);
        // Twice the series, for other orders of labels. Further keys are looked up by their labels each time, as are
        // those with a folded value: each of them would be another key.
        if series.keys < 2 * SERIES_OF_OTHER_METERS && !key.labels().any(is_oversized) {
            series.keys += 1;
            self.by_key
                .insert(key.get_hash(), (key.to_retained(), handle.clone()));
        }
        handle
    }

    /// Returns a metric, which is created without a lock: creating an instrument waits for a collection, whose callbacks
    /// may get handles.
    fn metric(&self, name: &str) -> Arc<Metric<H>> {
        if let Some(known) = lock(&self.metrics).get(name) {
            return Arc::clone(known);
        }
        let described = lock(&DESCRIPTIONS).get(name).copied().unwrap_or_default();
        let bind = (self.create)(&self.meter, name.to_owned(), described);
        let series = Mutex::new(Series {
            by_labels: HashMap::new(),
            keys: 0,
        });
        let metric = Arc::new(Metric { bind, series });
        let mut metrics = lock(&self.metrics);
        Arc::clone(metrics.entry(name.to_owned()).or_insert(metric))
    }
}

impl<H: Clone> Series<H> {
    /// Returns the handle of a label set. At the limit, that of the overflow series. The SDK itself never overflows:
    /// its bound handles stay in the overflow series for good, and it logs each.
    fn get(&mut self, labels: Vec<KeyValue>, bind: &Bind<H>) -> H {
        if let Some(known) = self.by_labels.get(&labels) {
            return known.clone();
        }
        let has_room = self.by_labels.len() < SERIES_OF_OTHER_METERS - 1;
        let labels = match has_room {
            true => labels,
            false => vec![KeyValue::new("otel.metric.overflow", true)],
        };
        let handle = self.by_labels.entry(labels);
        handle.or_insert_with_key(|labels| bind(labels)).clone()
    }
}

fn is_oversized(label: &Label) -> bool {
    label.value().len() > MAX_LABEL_VALUE_BYTES
}

/// Returns the labels of a key as attributes, ordered by name. Of labels with the same name, the last counts. Oversized
/// values are folded.
fn labels(key: &Key) -> Vec<KeyValue> {
    let value = |label| {
        if is_oversized(label) {
            OTHER
        } else {
            label.value()
        }
    };
    let labels: BTreeMap<_, _> = key
        .labels()
        .map(|label| (label.key(), value(label)))
        .collect();
    labels
        .into_iter()
        .map(|(name, value)| KeyValue::new(name.to_owned(), value.to_owned()))
        .collect()
}

fn new_counter(meter: &Meter, name: String, described: Description) -> Bind<Counter> {
    let counter = meter
        .u64_counter(name)
        .with_description(described.help)
        .with_unit(described.unit)
        .build();
    Box::new(move |labels| {
        Counter::from_arc(Arc::new(FacadeCounter {
            bound: counter.bind(labels),
            total: AtomicU64::new(0),
        }))
    })
}

struct FacadeCounter {
    bound: BoundCounter<u64>,
    total: AtomicU64,
}

impl CounterFn for FacadeCounter {
    fn increment(&self, value: u64) {
        self.total.fetch_add(value, Ordering::Relaxed);
        self.bound.add(value);
    }

    fn absolute(&self, value: u64) {
        let before = self.total.fetch_max(value, Ordering::Relaxed);
        if value > before {
            self.bound.add(value - before);
        }
    }
}

/// The labels of a gauge, and the bits of its value.
type GaugeSeries = (Vec<KeyValue>, Arc<AtomicU64>);

fn new_gauge(meter: &Meter, name: String, described: Description) -> Bind<Gauge> {
    let series: Arc<Mutex<Vec<GaugeSeries>>> = Arc::default();
    let observed = Arc::clone(&series);
    // The meter keeps the callback; the handle does nothing.
    let _ = meter
        .f64_observable_gauge(name)
        .with_description(described.help)
        .with_unit(described.unit)
        .with_callback(move |observer| {
            for (labels, value) in lock(&observed).iter() {
                observer.observe(f64::from_bits(value.load(Ordering::Relaxed)), labels);
            }
        })
        .build();
    Box::new(move |labels| {
        let value = Arc::new(AtomicU64::new(0));
        lock(&series).push((labels.to_vec(), Arc::clone(&value)));
        Gauge::from_arc(value)
    })
}

fn new_histogram(meter: &Meter, name: String, described: Description) -> Bind<Histogram> {
    let boundaries = boundaries(&name, described.unit);
    let mut builder = meter
        .f64_histogram(name)
        .with_description(described.help)
        .with_unit(described.unit);
    if let Some(boundaries) = boundaries {
        builder = builder.with_boundaries(boundaries.to_vec());
    }
    let histogram = builder.build();
    Box::new(move |labels| Histogram::from_arc(Arc::new(FacadeHistogram(histogram.bind(labels)))))
}

struct FacadeHistogram(BoundHistogram<f64>);

impl HistogramFn for FacadeHistogram {
    fn record(&self, value: f64) {
        match value.is_finite() {
            true => self.0.record(value),
            // The SDK would drop it without counting it.
            false => {
                DROPPED.not_finite.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Returns the boundaries of a histogram by its unit, or by its name if it has no unit; `None` for those of the SDK,
/// which suit milliseconds.
fn boundaries(name: &str, unit: &str) -> Option<&'static [f64]> {
    let last_word = name.rsplit(['_', '.', '-', '/']).next();
    match (unit, last_word) {
        ("s", _) | ("", Some("seconds" | "duration")) => Some(REQUEST_SECONDS),
        ("By", _) | ("", Some("bytes")) => Some(SIZE_BYTES),
        _ => None,
    }
}

/// Returns a name that the SDK accepts: ASCII letters, digits and `_.-/`, beginning with a letter.
fn instrument_name(name: &str) -> Cow<'_, str> {
    const MAX: usize = 255;
    let is_valid = |letter: char| letter.is_ascii_alphanumeric() || "_.-/".contains(letter);
    let prefix = match name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        true => "",
        false => "metric_",
    };
    if prefix.is_empty() && name.len() <= MAX && name.chars().all(is_valid) {
        return Cow::Borrowed(name);
    }
    let letters = name
        .chars()
        .map(|letter| if is_valid(letter) { letter } else { '_' });
    Cow::Owned(prefix.chars().chain(letters).take(MAX).collect())
}

/// Returns a unit in UCUM notation.
fn ucum(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "",
        Unit::Percent => "%",
        Unit::Seconds => "s",
        Unit::Milliseconds => "ms",
        Unit::Microseconds => "us",
        Unit::Nanoseconds => "ns",
        Unit::Tebibytes => "TiBy",
        Unit::Gibibytes => "GiBy",
        Unit::Mebibytes => "MiBy",
        Unit::Kibibytes => "KiBy",
        Unit::Bytes => "By",
        Unit::TerabitsPerSecond => "Tbit/s",
        Unit::GigabitsPerSecond => "Gbit/s",
        Unit::MegabitsPerSecond => "Mbit/s",
        Unit::KilobitsPerSecond => "kbit/s",
        Unit::BitsPerSecond => "bit/s",
        Unit::CountPerSecond => "1/s",
    }
}
