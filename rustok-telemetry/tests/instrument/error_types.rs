//! What an error is called.

use std::{fmt, marker::PhantomData, sync::Arc};

use rustok_telemetry::{ErrorType, LabelValue, instrument};

use crate::{
    Failure,
    metric_names::ERRORS,
    spans::watch_counted,
    support::{assert_samples, text, text_only},
};

#[derive(Debug, ErrorType)]
struct ConnectionLost;

#[derive(Debug, ErrorType)]
#[error_type("busy")]
struct TooManyConnections {
    _limit: usize,
}

#[derive(Debug, ErrorType)]
#[error_type(transparent)]
struct Wrapped<E>(E);

#[derive(Debug, ErrorType)]
enum DatabaseError {
    Timeout {
        _seconds: u64,
    },
    #[error_type("gone")]
    ClosedByPeer,
    #[error_type(transparent)]
    Lost {
        cause: ConnectionLost,
    },
    HTTPStatus {
        _code: u16,
    },
}

#[derive(Debug, ErrorType)]
enum ServiceError<E: fmt::Debug> {
    #[error_type(transparent)]
    Database(DatabaseError),
    #[error_type(transparent)]
    Other(Box<E>),
    #[error_type(transparent)]
    Shared(Arc<Wrapped<TooManyConnections>>),
}

#[derive(Debug, ErrorType)]
enum Never {}

#[test]
fn derived_names() {
    type Error = ServiceError<Wrapped<ConnectionLost>>;
    assert_eq!(ConnectionLost.error_type(), "connection_lost");
    assert_eq!(TooManyConnections { _limit: 1 }.error_type(), "busy");
    assert_eq!(
        DatabaseError::Timeout { _seconds: 1 }.error_type(),
        "timeout"
    );
    assert_eq!(DatabaseError::ClosedByPeer.error_type(), "gone");
    assert_eq!(
        DatabaseError::HTTPStatus { _code: 404 }.error_type(),
        "http_status"
    );
    let nested = Error::Database(DatabaseError::Lost {
        cause: ConnectionLost,
    });
    assert_eq!(nested.error_type(), "connection_lost");
    assert_eq!(
        Error::Other(Box::new(Wrapped(ConnectionLost))).error_type(),
        "connection_lost"
    );
    let busy = TooManyConnections { _limit: 1 };
    assert_eq!(Error::Shared(Arc::new(Wrapped(busy))).error_type(), "busy");
    let never: Result<(), Never> = Ok(());
    assert!(never.map_err(|never| never.error_type()).is_ok());
}

#[derive(Debug)]
struct QuotaExceeded<T>(PhantomData<T>);

impl<T> fmt::Display for QuotaExceeded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("for user 4711")
    }
}

impl<T: fmt::Debug> std::error::Error for QuotaExceeded<T> {}

#[instrument]
fn by_type() -> Result<(), QuotaExceeded<Vec<u8>>> {
    Err(QuotaExceeded(PhantomData))
}

#[instrument]
fn standard() -> std::io::Result<()> {
    Err(std::io::ErrorKind::NotFound.into())
}

#[instrument]
async fn dynamic() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    Err("for user 4711".into())
}

#[instrument]
fn boxed() -> Result<(), Box<DatabaseError>> {
    Err(Box::new(DatabaseError::ClosedByPeer))
}

#[instrument]
fn unbounded<E>(error: E) -> Result<(), E> {
    Err(error)
}

#[instrument]
fn bounded<E: ErrorType>(error: E) -> Result<(), E> {
    Err(error)
}

#[instrument]
fn unknown<T>(value: T) -> T {
    value
}

#[instrument]
fn hidden() -> impl fmt::Debug {
    Err::<(), _>(Failure::NotFound)
}

#[tokio::test]
#[test_fork::fork]
async fn names_on_spans() {
    let telemetry = text_only().init().expect("telemetry starts");
    let seen = watch_counted(&telemetry);
    assert!(by_type().is_err());
    assert!(standard().is_err());
    assert!(dynamic().await.is_err());
    assert!(boxed().is_err());
    // Two types in one function: each has its own name.
    assert!(unbounded(Failure::NotFound).is_err());
    assert!(unbounded(ConnectionLost).is_err());
    assert!(bounded(Failure::NotFound).is_err());
    assert!(unknown(Err::<(), _>(Failure::NotFound)).is_err());
    assert_eq!(format!("{:?}", hidden()), "Err(NotFound)");
    let expected = [
        (
            r#"{error_type="connection_lost",operation="unbounded"}"#,
            "1",
        ),
        (r#"{error_type="error",operation="dynamic"}"#, "1"),
        (r#"{error_type="failure",operation="unbounded"}"#, "1"),
        (r#"{error_type="gone",operation="boxed"}"#, "1"),
        (r#"{error_type="io_error",operation="standard"}"#, "1"),
        (r#"{error_type="not_found",operation="bounded"}"#, "1"),
        (r#"{error_type="not_found",operation="hidden"}"#, "1"),
        (r#"{error_type="quota_exceeded",operation="by_type"}"#, "1"),
    ];
    assert_samples(&text(), ERRORS, &expected);
    assert!(!seen.dump().contains("4711"));
    let _ = telemetry.shutdown();
}

/// Returns the name of an error that does not implement [`ErrorType`].
#[cfg(feature = "testing")]
fn name_of<E>(error: E) -> String {
    let telemetry = rustok_telemetry::testing::capture();
    assert!(unbounded(error).is_err());
    let span = telemetry.span("unbounded");
    let name = span.attribute("error.type").expect("an error");
    name.to_string()
}

#[cfg(feature = "testing")]
#[test]
fn names_of_types() {
    struct HTTPError;
    struct Error;
    #[rustfmt::skip]
    struct ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ;
    let number = || "x".parse::<u8>().expect_err("no number");
    for (name, expected) in [
        (name_of(HTTPError), "http_error"),
        (
            name_of(QuotaExceeded::<Vec<String>>(PhantomData)),
            "quota_exceeded",
        ),
        (name_of(number()), "parse_int_error"),
        (name_of(String::new()), "string"),
        (name_of("text"), "str"),
        (name_of(()), "error"),
        (name_of((1, 2)), "error"),
        (name_of([1; 4]), "error"),
        // A type called `Error` has the name of its crate.
        (name_of(Error), "instrument_error"),
        (name_of(std::io::Error::other("")), "io_error"),
        (name_of(fmt::Error), "fmt_error"),
        (
            name_of(http::Error::from(
                http::Method::from_bytes(b"").expect_err("no method"),
            )),
            "http_error",
        ),
        (name_of(sqlx::Error::RowNotFound), "sqlx_error"),
        // Boxes and references have the name of their target.
        (name_of(Box::new(fmt::Error)), "fmt_error"),
        (name_of(&Box::new(Arc::new(number()))), "parse_int_error"),
        (name_of(Box::<dyn std::error::Error>::from("")), "error"),
        (
            name_of(Box::<dyn std::error::Error + Send + Sync>::from("")),
            "error",
        ),
    ] {
        assert_eq!(name, expected);
    }
    let long = name_of(ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ);
    assert!(long.len() <= 64 && long.starts_with('ä'), "{long}");
}

#[derive(LabelValue)]
enum Outcome {
    Hit,
    NotFound,
    #[label("gone away")]
    Expired,
}

#[test_fork::test]
fn derived_label_values() {
    #[rustok_telemetry::metrics(namespace = "test")]
    mod own {
        use rustok_telemetry::LabelValue;

        /// Looks into the cache.
        #[counter(name = "looks_total")]
        pub fn record_look(outcome: impl LabelValue);
    }
    let telemetry = text_only().init().expect("telemetry starts");
    own::record_look(Outcome::Hit);
    own::record_look(&Outcome::NotFound);
    own::record_look(Outcome::Expired);
    let expected = [
        (r#"{outcome="gone away"}"#, "1"),
        (r#"{outcome="hit"}"#, "1"),
        (r#"{outcome="not_found"}"#, "1"),
    ];
    assert_samples(&text(), "test_looks_total", &expected);
    let _ = telemetry.shutdown();
}
