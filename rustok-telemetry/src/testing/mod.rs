//! In-memory capture of metrics, spans and log lines, with assertions, for the tests of services (feature `testing`).
//!
//! Each test has its own [`Capture`]. Tests that run in parallel in one process are isolated from each other, and
//! nothing has to be started or shut down. Captured telemetry passes through the same code as in production: label
//! budgets, native storage, span metrics and the names in Prometheus.
//!
//! ```
//! use rustok_telemetry::{instrument, metrics, testing, ErrorType};
//!
//! #[derive(Debug, ErrorType)]
//! enum OrderError { OutOfStock }
//!
//! #[instrument(name = "orders.place", tenant_id = tenant, module = "orders")]
//! fn place(tenant: &str, quantity: u32, card_number: &str) -> Result<(), OrderError> {
//!     if quantity > 10 {
//!         return Err(OrderError::OutOfStock);
//!     }
//!     metrics::record_event_published("OrderPlaced", tenant);
//!     Ok(())
//! }
//!
//! let telemetry = testing::capture();
//! assert!(place("acme", 1, "4000-1234").is_ok());
//! assert!(place("acme", 99, "4000-1234").is_err());
//!
//! telemetry.metric("rustok_event_bus_published_total").with("tenant_id", "acme").assert_value(1.0);
//! telemetry.metric("rustok_module_errors_total").with("error_type", "out_of_stock").assert_value(1.0);
//! let [placed, rejected] = telemetry.spans_named("orders.place").try_into().unwrap();
//! placed.assert_ok().assert_attribute("tenant_id", "acme");
//! rejected.assert_error("out_of_stock");
//! telemetry.assert_nowhere("4000-1234");
//! ```
//!
//! # Threads and tasks
//!
//! A capture sees everything under its `tracing` subscriber, which is the default of the thread that created the
//! capture. With `#[tokio::test]`, whose runtime has one thread, that is the test with all of its tasks. Other threads
//! take part through
//!
//! - [`Capture::block_on`], which runs a future on a runtime with several threads;
//! - [`Capture::handle`], for threads of the test's own;
//! - [`task`](crate::task) and `with_current_subscriber`, which propagate the subscriber to other threads.
//!
//! Observable metrics, the two derived rates among them, belong to the process and are not captured. Callbacks that are
//! registered with [`before_collection`](crate::metrics::before_collection) within a capture run for it.
//!
//! # Spans that are open
//!
//! A span ends when its last handle is dropped, which may happen on another thread after the code under test has
//! returned: sqlx's SQLite thread holds a clone of the span of a query, for example. [`span`](Capture::span),
//! [`spans_named`](Capture::spans_named), [`spans`](Capture::spans), [`assert_nowhere`](Capture::assert_nowhere), and
//! [`metric`](Capture::metric) for a span metric, therefore wait for open spans: at most one second for each span per
//! test, and not for spans that the thread has entered. They block the thread, so that other tasks of a runtime with
//! one thread make no progress: await those before the assertion.

mod logs;
mod metrics;
mod open;
mod sink;
mod spans;
mod subscriber;
mod values;

use std::{
    cell::RefCell,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tracing::{Dispatch, dispatcher};

use crate::metrics::{naming, registered};

pub(crate) use self::sink::Sink;
pub use self::{
    logs::LogLine,
    metrics::{CapturedMetric, CapturedSeries},
    spans::CapturedSpan,
    values::AttributeValue,
};

/// Starts a capture on this thread, with spans up to level `INFO`.
pub fn capture() -> Capture {
    Capture::begin(tracing::Level::INFO)
}

/// A running capture with what the code under test has recorded. Dropping it ends the capture.
#[must_use = "dropping this ends the capture"]
pub struct Capture {
    handle: Handle,
    _entered: Entered,
    _active: Active,
}

impl Capture {
    /// Starts a capture on this thread, with spans up to `span_level`, like [`Builder::span_level`].
    ///
    /// [`Builder::span_level`]: crate::Builder::span_level
    pub fn begin(span_level: tracing::Level) -> Self {
        let sink = Arc::new(Sink::new());
        let dispatch = subscriber::dispatch(&sink, span_level);
        crate::metrics::capture::set_lookup(|| current().map(|sink| Arc::clone(&sink.metrics)));
        crate::propagation::install_for_tests();
        let handle = Handle { sink, dispatch };
        ACTIVE.fetch_add(1, Ordering::Relaxed);
        Self {
            _entered: handle.enter(),
            handle,
            _active: Active,
        }
    }

    /// Returns a handle with which another thread takes part in the capture.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Runs a future on a new tokio runtime with two worker threads, which take part in the capture.
    ///
    /// # Panics
    ///
    /// If the runtime cannot be created, or if called within another runtime.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let handle = self.handle();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .on_thread_start(move || handle.enter().for_the_thread())
            .build()
            .unwrap_or_else(|error| panic!("the runtime for the test: {error}"));
        runtime.block_on(future)
    }

    /// Returns a metric with its captured series. Waits for [open spans](self#spans-that-are-open) if it is a span
    /// metric.
    ///
    /// # Panics
    ///
    /// If no metric with this name is declared.
    #[track_caller]
    pub fn metric(&self, name: &str) -> CapturedMetric {
        if is_of_spans(name) {
            self.wait(None, || false);
        }
        let _entered = self.handle.enter();
        CapturedMetric::read(name, &self.handle.sink)
    }

    /// Returns the captured metrics in the Prometheus text format.
    pub fn text(&self) -> String {
        let _entered = self.handle.enter();
        self.handle.sink.text()
    }

    /// Returns the ended spans, in the order in which they ended. Waits for [open spans](self#spans-that-are-open).
    pub fn spans(&self) -> Vec<CapturedSpan> {
        self.wait(None, || false);
        self.handle.sink.spans()
    }

    /// Returns the ended spans with this name, in the order in which they ended. The name is the exported one, such as
    /// `GET /api/products/{id}`: `otel.name`, or else the name of the `tracing` span. Waits for
    /// [open spans](self#spans-that-are-open).
    pub fn spans_named(&self, name: &str) -> Vec<CapturedSpan> {
        self.wait(Some(name), || false);
        self.ended(name)
    }

    fn ended(&self, name: &str) -> Vec<CapturedSpan> {
        let mut spans = self.handle.sink.spans();
        spans.retain(|span| span.name() == name);
        spans
    }

    /// Returns the single ended span with this name. If there is none yet, waits for
    /// [open spans](self#spans-that-are-open).
    ///
    /// # Panics
    ///
    /// If there is no such span, or more than one.
    #[track_caller]
    pub fn span(&self, name: &str) -> CapturedSpan {
        let sink = &self.handle.sink;
        self.wait(Some(name), || sink.has_span(name));
        let mut found = self.ended(name);
        match (found.pop(), found.len()) {
            (Some(span), 0) => span,
            (last, others) => {
                let count = others + usize::from(last.is_some());
                let ended: Vec<_> = sink.spans().iter().map(|s| s.name().to_owned()).collect();
                let open = sink.open.names();
                panic!(
                    "{count} spans are called `{name}`, not 1; these have ended: {ended:?}; these are open: {open:?}"
                )
            }
        }
    }

    fn wait(&self, name: Option<&str>, done: impl Fn() -> bool) {
        let entered = subscriber::entered(&self.handle.dispatch);
        self.handle.sink.open.wait(name, &entered, done);
    }

    /// Returns the events of `tracing`, of every level and in their order.
    pub fn logs(&self) -> Vec<LogLine> {
        self.handle.sink.logs()
    }

    /// Asserts that a text, such as a password, does not occur in any span (name, attributes, events, links, status),
    /// log line (message, target, fields) or label (name, value).
    ///
    /// Ids, times and values of metrics are not searched. Waits for [open spans](self#spans-that-are-open); those that
    /// are still open are not searched.
    ///
    /// # Panics
    ///
    /// If the text occurs; the message says where.
    #[track_caller]
    pub fn assert_nowhere(&self, secret: &str) {
        self.wait(None, || false);
        let sink = &self.handle.sink;
        for span in sink.spans() {
            for text in span.texts() {
                let name = span.name();
                assert!(
                    !text.contains(secret),
                    "`{secret}` is in the span `{name}`: {text}"
                );
            }
        }
        for line in sink.logs() {
            let line = line.to_string();
            assert!(
                !line.contains(secret),
                "`{secret}` is in a log line: {line}"
            );
        }
        for label in sink.labels() {
            assert!(!label.contains(secret), "`{secret}` is in a label: {label}");
        }
    }
}

impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Capture").finish_non_exhaustive()
    }
}

/// A handle with which another thread takes part in a [`Capture`].
///
/// ```
/// let telemetry = rustok_telemetry::testing::capture();
/// let handle = telemetry.handle();
/// std::thread::spawn(move || {
///     let _captured = handle.enter();
///     rustok_telemetry::metrics::record_event_published("ProductCreated", "acme");
/// })
/// .join()
/// .unwrap();
/// telemetry.metric("rustok_event_bus_published_total").assert_value(1.0);
/// ```
#[derive(Clone)]
pub struct Handle {
    sink: Arc<Sink>,
    dispatch: Dispatch,
}

impl Handle {
    /// Makes this thread take part in the capture until the returned guard is dropped.
    pub fn enter(&self) -> Entered {
        Entered {
            _subscriber: dispatcher::set_default(&self.dispatch),
        }
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}

/// Guard of a thread that takes part in a [`Capture`].
#[derive(Debug)]
#[must_use = "dropping this ends the thread's part in the capture"]
pub struct Entered {
    _subscriber: dispatcher::DefaultGuard,
}

impl Entered {
    /// Keeps the guard until the thread ends.
    fn for_the_thread(self) {
        FOR_THE_THREAD.with_borrow_mut(|entered| entered.push(self));
    }
}

thread_local! {
    static FOR_THE_THREAD: RefCell<Vec<Entered>> = const { RefCell::new(Vec::new()) };
}

/// Number of running captures. Without one, this load is all that a record costs.
static ACTIVE: AtomicUsize = AtomicUsize::new(0);

struct Active;

impl Drop for Active {
    fn drop(&mut self) {
        ACTIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Returns the capture that this thread records into.
pub(crate) fn current() -> Option<Arc<Sink>> {
    if ACTIVE.load(Ordering::Relaxed) == 0 {
        return None;
    }
    subscriber::within().or_else(|| dispatcher::get_default(subscriber::of))
}

/// Whether a metric is one of spans, which is complete once they have ended.
fn is_of_spans(name: &str) -> bool {
    registered::by_name(name).is_some_and(|metric| {
        let declaration = metric.declaration();
        naming::is_built_in(declaration) && declaration.function.starts_with("record_span")
    })
}
