//! Spans, durations and outcomes of queries.

#[cfg(feature = "sqlx")]
mod stream;

use std::{
    fmt::{self, Write},
    time::Instant,
};

use tracing::{
    Span,
    field::{self, Empty},
};

use crate::{
    ErrorType,
    error_type::ErrorName,
    metrics::{self, OTHER},
    operation::{Call, Outcome, OutcomeFuture, OutcomeRecorder},
    trace::native,
};

/// Runs a query in a span, and records its duration and outcome. See the example of the [module](super).
///
/// `kind` is the operation (`select`, `insert`, …), and `table` its table. Both are labels, and therefore constants.
/// [`Query`] has further attributes, and other ways to name an error.
pub fn query<T, E: ErrorType>(
    kind: &'static str,
    table: &'static str,
    work: impl Future<Output = Result<T, E>>,
) -> impl Future<Output = Result<T, E>> {
    Query::new(kind, table).run(work)
}

/// Methods of futures that run a query.
///
/// ```
/// use rustok_telemetry::{ErrorType, database::QueryExt};
///
/// # #[derive(Debug, ErrorType)]
/// # enum Error { Unreachable }
/// # struct Statement;
/// # impl Statement { async fn execute(self, _pool: &()) -> Result<u64, Error> { Ok(1) } }
/// # async fn example(insert: Statement, pool: &()) -> Result<(), Error> {
/// insert.execute(pool).measured_as("insert", "orders").await?;
/// # Ok(())
/// # }
/// ```
pub trait QueryExt<T, E>: Future<Output = Result<T, E>> + Sized {
    /// Records this future as a query, like [`query`].
    fn measured_as(
        self,
        kind: &'static str,
        table: &'static str,
    ) -> impl Future<Output = Result<T, E>>
    where
        E: ErrorType, // here, so that the compiler names it where it is missing
    {
        query(kind, table, self)
    }
}

impl<T, E, F: Future<Output = Result<T, E>>> QueryExt<T, E> for F {}

/// The operation and table of a query: the labels of its metrics, and the name of its span.
///
/// It can be a constant, and run any number of times:
///
/// ```
/// use rustok_telemetry::{ErrorType, database::Query};
///
/// const SELECT: Query = Query::new("select", "products").system("postgresql");
///
/// # #[derive(Debug, ErrorType)]
/// # enum Error { Unreachable }
/// # async fn example() -> Result<(), Error> {
/// let count = SELECT.run(async { Ok::<_, Error>(3) }).await?;
/// # Ok(())
/// # }
/// ```
///
/// # The span
///
/// A client span, named `db.query` in the span metrics and `SELECT products` in exported traces. It has the attributes
/// `db.operation.name` and `db.collection.name` of OpenTelemetry's semantic conventions, `db.system.name` and
/// `db.query.summary` if they are set, and `error.type` after an error. An operation or table `other` is only a label.
///
/// # The outcome
///
/// - An error is counted with its error type, and a panic with `panic`.
/// - A query whose future is dropped is cancelled, which is not an error. Its duration up to then is recorded, because
///   otherwise queries that ran into a timeout would be missing from the slow ones.
/// - Nothing is recorded for a future that is never polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query {
    kind: &'static str,
    table: &'static str,
    system: Option<&'static str>,
    summary: Option<&'static str>,
}

impl Query {
    /// Creates a query of this kind (`select`, `insert`, …) on this table. Without a table pass `""`, which becomes the
    /// label value `none`.
    pub const fn new(kind: &'static str, table: &'static str) -> Self {
        Self {
            kind,
            table,
            system: None,
            summary: None,
        }
    }

    /// Sets the database system, in OpenTelemetry's names: `postgresql`, `sqlite`, `mysql`, …
    pub const fn system(self, system: &'static str) -> Self {
        Self {
            system: Some(system),
            ..self
        }
    }

    /// Sets a short description, which replaces `SELECT products` as the name of the exported span.
    pub const fn summary(self, summary: &'static str) -> Self {
        Self {
            summary: Some(summary),
            ..self
        }
    }

    /// Runs a query whose error implements [`ErrorType`].
    pub fn run<T, E: ErrorType>(
        self,
        work: impl Future<Output = Result<T, E>>,
    ) -> impl Future<Output = Result<T, E>> {
        self.run_named(work, |error| error.error_type())
    }

    /// Runs a query whose error does not implement [`ErrorType`], such as that of a driver. `name` returns the error
    /// type, which is a label value: use few.
    ///
    /// ```
    /// use std::io;
    /// use rustok_telemetry::database::Query;
    ///
    /// # async fn example() -> io::Result<()> {
    /// let reply = Query::new("get", "sessions")
    ///     .system("redis")
    ///     .run_named(async { Ok("…") }, |error: &io::Error| match error.kind() {
    ///         io::ErrorKind::TimedOut => "timeout",
    ///         _ => "io",
    ///     })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn run_named<T, E>(
        self,
        work: impl Future<Output = Result<T, E>>,
        name: impl FnOnce(&E) -> &'static str,
    ) -> Result<T, E> {
        OutcomeFuture::new(self.begin(), work, |result, _| failure(result, name)).await
    }

    /// Runs a query with a driver that blocks the thread.
    pub fn run_blocking<T, E: ErrorType>(
        self,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let name = |error: &E| error.error_type();
        self.begin().run(work, |result, _| failure(result, name))
    }

    fn begin(self) -> Call<Began> {
        let span = self.span();
        let (query, at) = (self, Instant::now());
        Call::begin(span, Began { query, at })
    }

    fn span(self) -> Span {
        native::create(|| {
            tracing::info_span!(
                "db.query",
                otel.name = %Name(self),
                otel.kind = "client",
                db.operation.name = self.operation().map(field::display),
                db.collection.name = self.collection(),
                db.system.name = self.system,
                db.query.summary = self.summary,
                error.type = Empty,
                otel.status_code = Empty,
                otel.status_description = Empty,
                rustok.outcome = Empty,
            )
        })
    }

    /// Returns `db.operation.name`. The label `other` is not one.
    fn operation(self) -> Option<Upper> {
        (self.kind != OTHER).then_some(Upper(self.kind))
    }

    /// Returns `db.collection.name`.
    fn collection(self) -> Option<&'static str> {
        Some(self.table).filter(|table| !["", OTHER].contains(table))
    }
}

/// A started query.
#[derive(Debug)]
struct Began {
    query: Query,
    at: Instant,
}

impl OutcomeRecorder for Began {
    // A driver's error may contain parameters of the query, and `expect` puts the error into the panic message.
    const RECORDS_PANIC_MESSAGES: bool = false;

    fn count(&mut self, outcome: &Outcome) {
        let Query { kind, table, .. } = self.query;
        metrics::record_db_query_duration(kind, table, self.at.elapsed().as_secs_f64());
        if let Some(error_type) = outcome.error_type() {
            metrics::record_db_query_error(kind, error_type);
        }
    }
}

fn failure<T, E>(
    result: &Result<T, E>,
    name: impl FnOnce(&E) -> &'static str,
) -> Option<ErrorName> {
    let error = result.as_ref().err()?;
    Some(ErrorName::given(name(error)))
}

/// `SELECT products`, formatted only if the span is exported or logged.
struct Name(Query);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(summary) = self.0.summary {
            return f.write_str(summary);
        }
        match (self.0.operation(), self.0.collection()) {
            (Some(operation), Some(table)) => write!(f, "{operation} {table}"),
            (Some(operation), None) => operation.fmt(f),
            (None, table) => f.write_str(table.or(self.0.system).unwrap_or("query")),
        }
    }
}

/// An operation in upper case.
struct Upper(&'static str);

impl fmt::Display for Upper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut letters = self.0.chars();
        letters.try_for_each(|letter| f.write_char(letter.to_ascii_uppercase()))
    }
}
