//! For the tests of services: capture what the code under test records, in memory, and assert on it (feature `testing`).
//!
//! Each test has a [`Capture`] of its own. Tests that run in parallel in one process don't see each other's metrics and
//! spans, and nothing needs to be started or shut down. What is captured went through the real thing: label budgets,
//! numbers of our own, the span metrics layer and the names as Prometheus would see them.
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
//! let [placed, refused] = telemetry.spans_named("orders.place").try_into().unwrap();
//! placed.assert_ok().assert_attribute("tenant_id", "acme");
//! refused.assert_error("out_of_stock");
//! telemetry.assert_nowhere("4000-1234");
//! ```
//!
//! # What belongs to a capture
//!
//! What happens under its `tracing` subscriber, which is that of the thread that made the capture until it is dropped:
//! with `#[tokio::test]`, whose runtime has one thread, that is the whole test with all of its tasks. A
//! [task](crate::task) or a future with `with_current_subscriber` takes the subscriber along to other threads; these can
//! also join by [`Capture::handle`], and a runtime with several threads that all belong to the capture is run by
//! [`Capture::block_on`].
//!
//! Metrics that are observed at collection, the two derived rates among them, are about the process and not about one
//! test, and are not captured; functions of [`before_collection`](crate::metrics::before_collection) that are
//! registered within a capture run for it.
//!
//! # Spans that are open
//!
//! A span ends when its last handle is dropped, which may be in another thread, a moment after the code under test has
//! returned: sqlx's thread for SQLite keeps a clone of the span of a query. So [`span`](Capture::span),
//! [`spans_named`](Capture::spans_named), [`spans`](Capture::spans), [`assert_nowhere`](Capture::assert_nowhere), and
//! [`metric`](Capture::metric) for a metric of spans, wait while a span that matters is open: at most one second for each
//! span in the whole test, and not for the spans that the thread is in. They block the thread. A task of a runtime with
//! one thread does not go on meanwhile: await it before the assertion.

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

pub(crate) use self::sink::Sink;
pub use self::{
    logs::LogLine,
    metrics::{CapturedMetric, CapturedSeries},
    spans::CapturedSpan,
    values::AttributeValue,
};

/// Begins to capture what this thread does.
pub fn capture() -> Capture {
    Capture::begin(tracing::Level::INFO)
}

/// What the code under test recorded. Ends when it is dropped.
#[must_use = "nothing is captured any more as soon as this is dropped"]
pub struct Capture {
    handle: Handle,
    _entered: Entered,
    _active: Active,
}

impl Capture {
    /// Like [`capture`], with spans up to this level; it is `INFO` otherwise, as in [`Builder::span_level`].
    ///
    /// [`Builder::span_level`]: crate::Builder::span_level
    pub fn begin(span_level: tracing::Level) -> Self {
        let sink = Arc::new(Sink::new());
        let dispatch = subscriber::dispatch(&sink, span_level);
        crate::metrics::capture::set_lookup(|| current().map(|sink| Arc::clone(&sink.metrics)));
        crate::propagation::install_for_tests();
        let handle = Handle { sink, dispatch };
        let _entered = handle.enter();
        Self {
            handle,
            _entered,
            _active: Active::begin(),
        }
    }

    /// What takes part in the capture on another thread.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Runs a future on a new tokio runtime with two threads, both of which belong to the capture.
    ///
    /// # Panics
    ///
    /// When the runtime cannot be made, or within another runtime.
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

    /// A metric of the catalogue, with everything that was recorded of it until now.
    ///
    /// # Panics
    ///
    /// When no metric of this name is declared.
    #[track_caller]
    pub fn metric(&self, name: &str) -> CapturedMetric {
        if name.starts_with("rustok_span") {
            self.wait(None, || false);
        }
        let _entered = self.handle.enter();
        CapturedMetric::read(name, &self.handle.sink)
    }

    /// The captured metrics as Prometheus would scrape them.
    pub fn text(&self) -> String {
        let _entered = self.handle.enter();
        self.handle.sink.text()
    }

    /// The spans that have ended, in the order in which they ended. Waits for
    /// [those that are open](self#spans-that-are-open).
    pub fn spans(&self) -> Vec<CapturedSpan> {
        self.wait(None, || false);
        self.handle.sink.spans()
    }

    /// The spans of this name that have ended, in the order in which they ended. The name is the exported one, such as
    /// `GET /api/products/{id}`: `otel.name`, else the name of the `tracing` span. Waits for
    /// [those that are open](self#spans-that-are-open).
    pub fn spans_named(&self, name: &str) -> Vec<CapturedSpan> {
        self.wait(Some(name), || false);
        self.ended(name)
    }

    fn ended(&self, name: &str) -> Vec<CapturedSpan> {
        let mut spans = self.handle.sink.spans();
        spans.retain(|span| span.name() == name);
        spans
    }

    /// The one span of this name that has ended. Waits, if there is none yet, for
    /// [those that are open](self#spans-that-are-open).
    ///
    /// # Panics
    ///
    /// When there is none, or more than one.
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

    /// The events of `tracing` of every level, in their order.
    pub fn logs(&self) -> Vec<LogLine> {
        self.handle.sink.logs()
    }

    /// Asserts that a text, such as a password, is in no span, no log line and no label: in no name, attribute, event or
    /// status of a span, no message, target or field of a log line, and no name or value of a label. Ids, times and the
    /// values of metrics are not searched, nor are spans that are still open after the wait for
    /// [those](self#spans-that-are-open).
    ///
    /// # Panics
    ///
    /// When it is somewhere; the message says where.
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

/// Lets another thread take part in a [`Capture`].
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
    /// Captures what this thread does, until the returned value is dropped.
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

/// As long as this lives, its thread takes part in a [`Capture`].
#[must_use = "the thread takes part no more as soon as this is dropped"]
pub struct Entered {
    _subscriber: dispatcher::DefaultGuard,
}

impl Entered {
    /// Until the thread ends.
    fn for_the_thread(self) {
        FOR_THE_THREAD.with_borrow_mut(|entered| entered.push(self));
    }
}

impl fmt::Debug for Entered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entered").finish_non_exhaustive()
    }
}

thread_local! {
    static FOR_THE_THREAD: RefCell<Vec<Entered>> = const { RefCell::new(Vec::new()) };
}

/// Captures that are going on. Where there are none, recording costs one look at this.
static ACTIVE: AtomicUsize = AtomicUsize::new(0);

struct Active(());

impl Active {
    fn begin() -> Self {
        ACTIVE.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        ACTIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The capture that the present work belongs to.
pub(crate) fn current() -> Option<Arc<Sink>> {
    if ACTIVE.load(Ordering::Relaxed) == 0 {
        return None;
    }
    subscriber::within().or_else(|| dispatcher::get_default(subscriber::of))
}
