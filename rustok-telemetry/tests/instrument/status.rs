//! What arrives in a trace: status and its description.

use std::panic::catch_unwind;

use futures::FutureExt;
use opentelemetry::trace::Status;
use rustok_telemetry::{ErrorType, database, event_bus, instrument, task};

use crate::{
    Failure, Result,
    export::{attribute, export},
};

#[instrument(record(sku))]
fn load(sku: u64) -> Result<u64> {
    match sku {
        0 => Err(Failure::NotFound),
        1 => panic!("on purpose"),
        _ => Ok(sku),
    }
}

#[instrument]
async fn wait() {
    std::future::pending().await
}

#[test]
fn the_status_is_that_of_the_outcome() {
    let spans = export(|| {
        assert!(load(2).is_ok());
        assert!(load(0).is_err());
        assert!(catch_unwind(|| load(1)).is_err());
        assert!(wait().now_or_never().is_none());
    });
    let seen: Vec<_> = spans
        .iter()
        .map(|span| {
            let error_type = attribute(span, "error.type");
            let outcome = attribute(span, "rustok.outcome");
            (&*span.name, span.status.clone(), error_type, outcome)
        })
        .collect();
    let expected = [
        ("load", Status::Unset, String::new(), String::new()),
        (
            "load",
            Status::error("not_found"),
            "not_found".into(),
            String::new(),
        ),
        (
            "load",
            Status::error("panic"),
            "panic".into(),
            String::new(),
        ),
        ("wait", Status::Unset, String::new(), "cancelled".into()),
    ];
    assert_eq!(seen, expected);
}

/// Displayed as a text that sorts before its type or after it.
#[derive(Debug, ErrorType)]
enum Sorted {
    Middle(&'static str),
}

impl std::fmt::Display for Sorted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self::Middle(text) = self;
        f.write_str(text)
    }
}

#[test]
fn err_describes_the_status_by_the_error() {
    #[instrument(err)]
    fn displayed(text: &'static str) -> Result<(), Sorted> {
        Err(Sorted::Middle(text))
    }
    #[instrument(err(Debug, level = "warn"))]
    async fn debugged(text: &'static str) -> Result<(), Sorted> {
        Err(Sorted::Middle(text))
    }
    #[instrument(err(level = "trace"))]
    fn filtered(text: &'static str) -> Result<(), Sorted> {
        Err(Sorted::Middle(text))
    }
    #[instrument]
    fn logs_first() -> Result<(), Sorted> {
        tracing::error!("something");
        Err(Sorted::Middle("zzz"))
    }
    #[instrument(fields(otel.status_description = "own"))]
    fn described() -> Result<(), Sorted> {
        Err(Sorted::Middle("zzz"))
    }
    let spans = export(|| {
        for text in ["aaa", "zzz"] {
            assert!(displayed(text).is_err());
            assert!(debugged(text).now_or_never().is_some_and(|r| r.is_err()));
            assert!(filtered(text).is_err());
        }
        assert!(logs_first().is_err());
        assert!(described().is_err());
    });
    let seen: Vec<_> = spans.iter().map(|span| span.status.clone()).collect();
    let expected = [
        "aaa",
        "Middle(\"aaa\")",
        "aaa",
        "zzz",
        "Middle(\"zzz\")",
        "zzz",
        "middle",
        "own",
    ];
    assert_eq!(seen, expected.map(Status::error));
}

#[tokio::test]
async fn other_calls_describe_their_status_by_the_type() {
    let spans = {
        let run = || {
            let failed = database::query("select", "products", async {
                Err::<(), _>(Failure::NotFound)
            });
            assert!(failed.now_or_never().is_some_and(|r| r.is_err()));
            assert!(event_bus::publish("Placed", |_| Err::<(), _>(Failure::NotFound)).is_err());
            let event = event_bus::EventMetadata::now("Placed");
            let handled =
                event_bus::handle(&event, "index", async { Err::<(), _>(Failure::NotFound) });
            assert!(handled.now_or_never().is_some_and(|r| r.is_err()));
            let panics = task::detached(async { panic!("on purpose") });
            assert!(
                std::panic::AssertUnwindSafe(panics)
                    .catch_unwind()
                    .now_or_never()
                    .is_some()
            );
        };
        export(run)
    };
    let seen: Vec<_> = spans.iter().map(|span| span.status.clone()).collect();
    let expected = ["not_found", "not_found", "not_found", "panic"];
    assert_eq!(seen, expected.map(Status::error));
}
