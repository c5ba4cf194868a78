//! Kinds of metrics and types of values.

use proc_macro2::{Ident, Span};

/// What kind of instrument a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    UpDownCounter,
    Histogram,
    ObservableGauge,
    ObservableCounter,
}

/// The type of the numbers that an instrument takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueType {
    U64,
    I64,
    F64,
}

impl Kind {
    pub(crate) const ALL: [Self; 6] = [
        Self::Counter,
        Self::Gauge,
        Self::UpDownCounter,
        Self::Histogram,
        Self::ObservableGauge,
        Self::ObservableCounter,
    ];

    /// The attribute's name.
    pub(crate) const fn attribute(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::UpDownCounter => "up_down_counter",
            Self::Histogram => "histogram",
            Self::ObservableGauge => "observable_gauge",
            Self::ObservableCounter => "observable_counter",
        }
    }

    /// The kind with this attribute name.
    pub(crate) fn from_attribute(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.attribute() == name)
    }

    /// The name of the runtime's `Kind` variant and of its instrument marker.
    pub(crate) fn marker(self) -> Ident {
        let name = match self {
            Self::Counter => "Counter",
            Self::Gauge => "Gauge",
            Self::UpDownCounter => "UpDownCounter",
            Self::Histogram => "Histogram",
            Self::ObservableGauge => "ObservableGauge",
            Self::ObservableCounter => "ObservableCounter",
        };
        Ident::new(name, Span::call_site())
    }

    /// The kind in a sentence.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::UpDownCounter => "up-down counter",
            Self::Histogram => "histogram",
            Self::ObservableGauge => "observable gauge",
            Self::ObservableCounter => "observable counter",
        }
    }

    /// The kind in a sentence, as one of many.
    pub(crate) fn one(self) -> String {
        let words = self.words();
        match words.starts_with(['a', 'e', 'i', 'o', 'u']) {
            true => format!("an {words}"),
            false => format!("a {words}"),
        }
    }

    /// The kind at the beginning of a sentence.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Counter => "Counter",
            Self::Gauge => "Gauge",
            Self::UpDownCounter => "Up-down counter",
            Self::Histogram => "Histogram",
            Self::ObservableGauge => "Observable gauge",
            Self::ObservableCounter => "Observable counter",
        }
    }

    /// Whether the name must end in `_total`, unless the declaration says otherwise.
    pub(crate) const fn counts(self) -> bool {
        matches!(self, Self::Counter | Self::ObservableCounter)
    }

    /// Whether the values are read when metrics are collected.
    pub(crate) const fn is_observable(self) -> bool {
        matches!(self, Self::ObservableGauge | Self::ObservableCounter)
    }

    /// The value types that the instrument takes, the usual one first.
    pub(crate) const fn values(self) -> &'static [ValueType] {
        use ValueType::{F64, I64, U64};
        match self {
            Self::Counter | Self::ObservableCounter => &[U64, F64],
            Self::Gauge | Self::ObservableGauge => &[I64, U64, F64],
            Self::UpDownCounter => &[I64, F64],
            Self::Histogram => &[F64, U64],
        }
    }

    /// The options that the attribute takes.
    pub(crate) const fn options(self) -> &'static [&'static str] {
        match self {
            Self::Counter => &["name", "unit", "series", "without_total", "also"],
            Self::Gauge | Self::UpDownCounter => &["name", "unit", "series", "also"],
            Self::Histogram => &["name", "unit", "series", "boundaries", "also"],
            Self::ObservableGauge => &["name", "unit", "series", "observe"],
            Self::ObservableCounter => &["name", "unit", "series", "without_total", "observe"],
        }
    }

    /// A declaration of this kind as it should be.
    pub(crate) const fn usage(self) -> &'static str {
        match self {
            Self::Counter => {
                "#[counter(name = \"events_total\")] fn record_events(event_type: &str, events: u64);"
            }
            Self::Gauge => {
                "#[gauge(name = \"queue_depth\")] fn update_queue_depth(queue: &str, depth: i64);"
            }
            Self::UpDownCounter => {
                "#[up_down_counter(name = \"open_connections\")] fn add_open_connections(pool: &str, change: i64);"
            }
            Self::Histogram => {
                "#[histogram(name = \"wait_seconds\", boundaries = FAST_SECONDS)] fn record_wait(queue: &str, seconds: f64);"
            }
            Self::ObservableGauge => {
                "#[observable_gauge(name = \"hit_rate\", observe = path::to::function)] fn hit_rate(cache: &str) -> f64;"
            }
            Self::ObservableCounter => {
                "#[observable_counter(name = \"lost_total\", observe = path::to::function)] fn lost(queue: &str) -> u64;"
            }
        }
    }

    /// The value types in a sentence: `` `u64` or `f64` ``.
    pub(crate) fn values_in_words(self) -> String {
        let names: Vec<String> = self
            .values()
            .iter()
            .map(|value| format!("`{}`", value.rust_type()))
            .collect();
        match names.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => String::new(),
        }
    }
}

impl ValueType {
    /// The Rust type's name.
    pub(crate) const fn rust_type(self) -> &'static str {
        match self {
            Self::U64 => "u64",
            Self::I64 => "i64",
            Self::F64 => "f64",
        }
    }

    /// The value type of this Rust type.
    pub(crate) fn from_rust_type(name: &str) -> Option<Self> {
        [Self::U64, Self::I64, Self::F64]
            .into_iter()
            .find(|value| value.rust_type() == name)
    }

    /// The name of the runtime's `ValueType` variant.
    pub(crate) fn variant(self) -> Ident {
        let name = match self {
            Self::U64 => "U64",
            Self::I64 => "I64",
            Self::F64 => "F64",
        };
        Ident::new(name, Span::call_site())
    }
}
