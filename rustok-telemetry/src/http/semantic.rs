//! The HTTP metrics of OpenTelemetry's conventions.
//!
//! They are instruments of the SDK, because attributes are absent where they do not apply, unlike labels of the catalogue.
//! Each label set is bound once, and found again without a lock or an allocation.

#[cfg(feature = "reqwest-middleware")]
mod client;

use std::{
    hash::BuildHasher,
    sync::{LazyLock, Mutex, OnceLock, PoisonError},
};

use foldhash::fast::RandomState;
use http::Version;
use opentelemetry::{
    KeyValue,
    metrics::{BoundHistogram, BoundUpDownCounter, Histogram, Meter, MeterProvider, UpDownCounter},
};
use opentelemetry_sdk::metrics::SdkMeterProvider;

#[cfg(feature = "reqwest-middleware")]
pub(super) use self::client::SentRequest;
use super::method::protocol_version;
use crate::metrics::{
    REQUEST_SECONDS, SIZE_BYTES,
    meter_provider::{SERIES_OF_OTHER_METERS, scope},
    store::read_table::ReadTable,
};

static METRICS: OnceLock<Metrics> = OnceLock::new();

static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::default);

/// Records the metrics from now on.
pub(crate) fn start_semantic_metrics(provider: &SdkMeterProvider) {
    METRICS.get_or_init(|| Metrics::new(&provider.meter_with_scope(scope())));
}

struct Metrics {
    active: Table<UpDownCounter<i64>>,
    server: Table<Instruments>,
    #[cfg(feature = "reqwest-middleware")]
    client: Table<Instruments>,
}

impl Metrics {
    fn new(meter: &Meter) -> Self {
        let active = meter
            .i64_up_down_counter("http.server.active_requests")
            .with_unit("{request}")
            .with_description("Number of active HTTP server requests.");
        Self {
            active: Table::new(active.build()),
            server: Table::new(Instruments::new(meter, "server")),
            #[cfg(feature = "reqwest-middleware")]
            client: Table::new(Instruments::new(meter, "client")),
        }
    }
}

/// The attributes of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Attributes<'request> {
    method: &'static str,
    scheme: Option<&'static str>,
    version: Option<&'static str>,
    route: Option<&'request str>,
    status: Option<u16>,
    /// Whether the status code is the error type.
    status_is_error: bool,
    error: Option<&'request str>,
    /// Host and port of the server.
    server: Option<(&'static str, Option<u16>)>,
}

impl Attributes<'_> {
    /// Of all label sets beyond the limit.
    const OVERFLOW: Self = Self {
        method: "",
        scheme: None,
        version: None,
        route: None,
        status: None,
        status_is_error: false,
        error: None,
        server: None,
    };

    /// Returns a copy that lives as long as the process, as each entry of a table does.
    fn leaked(&self) -> Attributes<'static> {
        let leak = |text: &str| -> &'static str { text.to_owned().leak() };
        Attributes {
            route: self.route.map(leak),
            error: self.error.map(leak),
            ..*self
        }
    }
}

impl Attributes<'static> {
    fn key_values(&self) -> Vec<KeyValue> {
        if *self == Self::OVERFLOW {
            return vec![KeyValue::new("otel.metric.overflow", true)];
        }
        let text = |name, value: Option<&'static str>| Some(KeyValue::new(name, value?));
        let number = |name, value: Option<u16>| Some(KeyValue::new(name, i64::from(value?)));
        let (host, port) = self.server.unzip();
        let error = match (self.error, self.status) {
            (None, Some(status)) if self.status_is_error => {
                Some(KeyValue::new("error.type", status.to_string()))
            }
            (error, _) => text("error.type", error),
        };
        [
            text("http.request.method", Some(self.method)),
            text("url.scheme", self.scheme),
            text("network.protocol.version", self.version),
            text("http.route", self.route),
            number("http.response.status_code", self.status),
            error,
            text("server.address", host),
            number("server.port", port.flatten()),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// A metric, or several with the same attributes.
trait Bind {
    type Bound: Send + Sync + 'static;

    fn bind_to(&self, attributes: &[KeyValue]) -> Self::Bound;
}

impl Bind for UpDownCounter<i64> {
    type Bound = BoundUpDownCounter<i64>;

    fn bind_to(&self, attributes: &[KeyValue]) -> Self::Bound {
        self.bind(attributes)
    }
}

struct Instruments {
    duration: Histogram<f64>,
    request_size: Histogram<u64>,
    response_size: Histogram<u64>,
}

struct Bound {
    duration: BoundHistogram<f64>,
    request_size: BoundHistogram<u64>,
    response_size: BoundHistogram<u64>,
}

impl Instruments {
    /// `side` is `server` or `client`.
    fn new(meter: &Meter, side: &str) -> Self {
        let size = |of: &str| {
            meter
                .u64_histogram(format!("http.{side}.{of}.body.size"))
                .with_unit("By")
                .with_description(format!("Size of HTTP {side} {of} bodies."))
                .with_boundaries(SIZE_BYTES.to_vec())
                .build()
        };
        // The conventions begin with 5 milliseconds.
        let boundaries = REQUEST_SECONDS.iter().filter(|bound| **bound >= 0.005);
        let duration = meter
            .f64_histogram(format!("http.{side}.request.duration"))
            .with_unit("s")
            .with_description(format!("Duration of HTTP {side} requests."))
            .with_boundaries(boundaries.copied().collect());
        Self {
            duration: duration.build(),
            request_size: size("request"),
            response_size: size("response"),
        }
    }
}

impl Bind for Instruments {
    type Bound = Bound;

    fn bind_to(&self, attributes: &[KeyValue]) -> Bound {
        Bound {
            duration: self.duration.bind(attributes),
            request_size: self.request_size.bind(attributes),
            response_size: self.response_size.bind(attributes),
        }
    }
}

impl Bound {
    fn record(&self, seconds: f64, request_size: Option<u64>, response_size: Option<u64>) {
        self.duration.record(seconds);
        if let Some(bytes) = request_size {
            self.request_size.record(bytes);
        }
        if let Some(bytes) = response_size {
            self.response_size.record(bytes);
        }
    }
}

/// The bound instruments of each label set.
struct Table<I: Bind + 'static> {
    instruments: I,
    known: ReadTable<(Attributes<'static>, I::Bound)>,
    adding: Mutex<()>,
}

impl<I: Bind> Table<I> {
    fn new(instruments: I) -> Self {
        Self {
            instruments,
            known: ReadTable::new(SERIES_OF_OTHER_METERS),
            adding: Mutex::new(()),
        }
    }

    /// Returns the bound instruments of a label set; those of the overflow at the limit.
    fn get(&self, attributes: &Attributes<'_>) -> Option<&I::Bound> {
        self.find(attributes).or_else(|| self.add(attributes))
    }

    fn find(&self, attributes: &Attributes<'_>) -> Option<&I::Bound> {
        let found = self
            .known
            .find(hash(attributes), |(known, _)| known == attributes);
        found.map(|(_, bound)| bound)
    }

    #[cold]
    fn add(&self, attributes: &Attributes<'_>) -> Option<&I::Bound> {
        let _one_at_a_time = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = self.known.len() < SERIES_OF_OTHER_METERS - 1;
        let attributes = if has_room {
            attributes
        } else {
            &Attributes::OVERFLOW
        };
        self.find(attributes).or_else(|| {
            let attributes = attributes.leaked();
            let bound = self.instruments.bind_to(&attributes.key_values());
            self.known.insert(hash(&attributes), (attributes, bound));
            self.find(&attributes)
        })
    }
}

fn hash(attributes: &Attributes<'_>) -> u64 {
    HASHER.hash_one(attributes)
}

/// A request that a server is answering.
#[derive(Debug)]
pub(super) struct ServedRequest {
    method: &'static str,
    scheme: &'static str,
    version: Option<&'static str>,
    pub(super) status: Option<u16>,
}

impl ServedRequest {
    /// Begins a request, if the metrics are recorded. `scheme` is called only then.
    pub(super) fn begin<'request>(
        method: &'static str,
        version: Version,
        scheme: impl FnOnce() -> &'request str,
    ) -> Option<Self> {
        METRICS.get()?;
        let request = Self {
            method,
            // An absolute URI may have any scheme.
            scheme: if scheme() == "https" { "https" } else { "http" },
            version: protocol_version(version),
            status: None,
        };
        request.add_active(1);
        Some(request)
    }

    /// Records the request. `error` is the error type, unless that is the status.
    pub(super) fn end(
        &self,
        route: Option<&str>,
        error: Option<&str>,
        seconds: f64,
        request_size: Option<u64>,
        response_size: u64,
    ) {
        self.add_active(-1);
        let attributes = Attributes {
            method: self.method,
            scheme: Some(self.scheme),
            version: self.version,
            route,
            status: self.status,
            status_is_error: self.status >= Some(500),
            error,
            server: None,
        };
        if let Some(bound) = METRICS.get().and_then(|all| all.server.get(&attributes)) {
            bound.record(seconds, request_size, Some(response_size));
        }
    }

    fn add_active(&self, change: i64) {
        let attributes = Attributes {
            method: self.method,
            scheme: Some(self.scheme),
            ..Attributes::default()
        };
        if let Some(bound) = METRICS.get().and_then(|all| all.active.get(&attributes)) {
            bound.add(change);
        }
    }
}
