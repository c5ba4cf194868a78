//! The global meter provider: the SDK's, except that callbacks of observable instruments run [before the
//! collection](super::observable::read_ahead).
//!
//! The SDK calls callbacks while it locks its metrics: one that panics or hangs would end every later collection.

use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry::{
    InstrumentationScope, KeyValue,
    metrics::{
        AsyncInstrument, AsyncInstrumentBuilder, Callback, Counter, Gauge, Histogram,
        HistogramBuilder, InstrumentBuilder, InstrumentProvider, Meter, MeterProvider,
        ObservableCounter, ObservableGauge, ObservableUpDownCounter, UpDownCounter,
    },
};
use opentelemetry_sdk::metrics::SdkMeterProvider;

use super::observable::read_ahead;

/// The provider for `opentelemetry::global`.
pub(crate) struct GlobalMeterProvider(pub(crate) SdkMeterProvider);

impl MeterProvider for GlobalMeterProvider {
    fn meter_with_scope(&self, scope: InstrumentationScope) -> Meter {
        Meter::new(Arc::new(Instruments(self.0.meter_with_scope(scope))))
    }
}

/// Creates instruments of the SDK's meter.
struct Instruments(Meter);

/// Implements a method for each kind of instrument, with the fields of its builder.
macro_rules! instruments {
    ($($method:ident: $builder:ident<$instrument:ty $(, $observed:ty)?> { $($field:ident),* })*) => {$(
        fn $method(&self, builder: $builder<'_, $instrument $(, $observed)?>) -> $instrument {
            let mut inner = self.0.$method(builder.name.clone());
            $(inner.callbacks = read_before::<$observed>(&builder.name, builder.callbacks);)?
            $(inner.$field = builder.$field;)*
            inner.build()
        }
    )*};
}

impl InstrumentProvider for Instruments {
    instruments! {
        u64_counter: InstrumentBuilder<Counter<u64>> { description, unit }
        f64_counter: InstrumentBuilder<Counter<f64>> { description, unit }
        i64_up_down_counter: InstrumentBuilder<UpDownCounter<i64>> { description, unit }
        f64_up_down_counter: InstrumentBuilder<UpDownCounter<f64>> { description, unit }
        u64_gauge: InstrumentBuilder<Gauge<u64>> { description, unit }
        f64_gauge: InstrumentBuilder<Gauge<f64>> { description, unit }
        i64_gauge: InstrumentBuilder<Gauge<i64>> { description, unit }
        f64_histogram: HistogramBuilder<Histogram<f64>> { description, unit, boundaries }
        u64_histogram: HistogramBuilder<Histogram<u64>> { description, unit, boundaries }
        u64_observable_counter: AsyncInstrumentBuilder<ObservableCounter<u64>, u64> { description, unit }
        f64_observable_counter: AsyncInstrumentBuilder<ObservableCounter<f64>, f64> { description, unit }
        i64_observable_up_down_counter:
            AsyncInstrumentBuilder<ObservableUpDownCounter<i64>, i64> { description, unit }
        f64_observable_up_down_counter:
            AsyncInstrumentBuilder<ObservableUpDownCounter<f64>, f64> { description, unit }
        u64_observable_gauge: AsyncInstrumentBuilder<ObservableGauge<u64>, u64> { description, unit }
        i64_observable_gauge: AsyncInstrumentBuilder<ObservableGauge<i64>, i64> { description, unit }
        f64_observable_gauge: AsyncInstrumentBuilder<ObservableGauge<f64>, f64> { description, unit }
    }
}

fn read_before<T: Copy + Send + Sync + 'static>(
    instrument: &str,
    callbacks: Vec<Callback<T>>,
) -> Vec<Callback<T>> {
    let callbacks = callbacks.into_iter().map(|callback| {
        let read = read_ahead(instrument.to_owned(), move || {
            let observed = Observed(Mutex::default());
            callback(&observed);
            observed
                .0
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner)
        });
        Box::new(move |instrument: &dyn AsyncInstrument<T>| {
            read(&mut |value, attributes| instrument.observe(value, attributes));
        }) as Callback<T>
    });
    callbacks.collect()
}

/// What a callback observes.
struct Observed<T>(Mutex<Vec<(T, Vec<KeyValue>)>>);

impl<T: Send + Sync> AsyncInstrument<T> for Observed<T> {
    fn observe(&self, value: T, attributes: &[KeyValue]) {
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        values.push((value, attributes.to_vec()));
    }
}
