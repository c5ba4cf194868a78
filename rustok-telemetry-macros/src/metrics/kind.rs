//! Kinds of metrics and types of values.

use proc_macro2::{Ident, Span};

/// The kind of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    UpDownCounter,
    Histogram,
    ObservableGauge,
    ObservableCounter,
}

/// The type of the values that an instrument accepts.
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

    /// Returns the name of the attribute.
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

    /// Returns the kind whose attribute has this name.
    pub(crate) fn from_attribute(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.attribute() == name)
    }

    /// Returns the name of the variant of `rustok_telemetry`'s `Kind`, which is also that of the instrument's marker.
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

    /// Returns the kind in words: `up-down counter`.
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

    /// Returns the kind in words with its article: `an up-down counter`.
    pub(crate) fn one(self) -> String {
        let words = self.words();
        match words.starts_with(['a', 'e', 'i', 'o', 'u']) {
            true => format!("an {words}"),
            false => format!("a {words}"),
        }
    }

    /// Returns the kind in words, capitalized.
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

    /// Returns whether the name must end in `_total`, unless the declaration has `without_total`.
    pub(crate) const fn counts(self) -> bool {
        matches!(self, Self::Counter | Self::ObservableCounter)
    }

    /// Returns whether the values are read when metrics are collected.
    pub(crate) const fn is_observable(self) -> bool {
        matches!(self, Self::ObservableGauge | Self::ObservableCounter)
    }

    /// Returns the value types that the instrument accepts, the default first.
    pub(crate) const fn values(self) -> &'static [ValueType] {
        use ValueType::{F64, I64, U64};
        match self {
            Self::Counter | Self::ObservableCounter => &[U64, F64],
            Self::Gauge | Self::ObservableGauge => &[I64, U64, F64],
            Self::UpDownCounter => &[I64, F64],
            Self::Histogram => &[F64, U64],
        }
    }

    /// Returns the options of the attribute.
    pub(crate) const fn options(self) -> &'static [&'static str] {
        match self {
            Self::Counter => &["name", "unit", "series", "without_total", "also"],
            Self::Gauge | Self::UpDownCounter => &["name", "unit", "series", "also"],
            Self::Histogram => &["name", "unit", "series", "boundaries", "also"],
            Self::ObservableGauge => &["name", "unit", "series", "observe"],
            Self::ObservableCounter => &["name", "unit", "series", "without_total", "observe"],
        }
    }

    /// Returns an example of a declaration, for error messages.
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

    /// Returns the value types in words: `` `u64` or `f64` ``.
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
    /// Returns the name of the Rust type.
    pub(crate) const fn rust_type(self) -> &'static str {
        match self {
            Self::U64 => "u64",
            Self::I64 => "i64",
            Self::F64 => "f64",
        }
    }

    /// Returns the value type of this Rust type.
    pub(crate) fn from_rust_type(name: &str) -> Option<Self> {
        [Self::U64, Self::I64, Self::F64]
            .into_iter()
            .find(|value| value.rust_type() == name)
    }

    /// Returns the name of the variant of `rustok_telemetry`'s `ValueType`.
    pub(crate) fn variant(self) -> Ident {
        let name = match self {
            Self::U64 => "U64",
            Self::I64 => "I64",
            Self::F64 => "F64",
        };
        Ident::new(name, Span::call_site())
    }
}
