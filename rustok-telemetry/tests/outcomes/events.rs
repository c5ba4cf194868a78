//! Handlers of events, in the worker and with the metadata of the event.

use std::future::pending;

use rustok_telemetry::event_bus::{EventMetadata, Handler};

use super::{
    functions::Failure,
    table::{
        Case, DISPATCHED, EVENT_ERRORS, End, HANDLING, MODULE_ERRORS, SpanEnd, Style, Traces, drive,
    },
};

pub(crate) async fn run(case: &Case) {
    let event = EventMetadata::now("ProductCreated").with_tenant("acme");
    let name = case.name();
    let handler = Handler::new(&name).module("orders");
    match case.style {
        Style::Sync if case.end != End::NeverPolled => {
            let work = || {
                let handled = handler.handle_sync(&event, || finish(case.end));
                assert_eq!(handled.is_ok(), case.end == End::Ok);
            };
            let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            assert_eq!(unwound.is_err(), case.end == End::Panic);
        }
        _ => {
            let work = async {
                tokio::task::yield_now().await;
                if case.end == End::Dropped {
                    pending::<()>().await;
                }
                finish(case.end)
            };
            drive(case.end, handler.handle(&event, work)).await;
        }
    }
}

fn finish(end: End) -> Result<(), Failure> {
    match end {
        End::Err => Err(Failure::OutOfStock),
        End::Panic => panic!("on purpose"),
        End::Ok | End::Dropped | End::NeverPolled => Ok(()),
    }
}

pub(crate) fn expected(case: &Case) -> Traces {
    let mut traces = Traces::default();
    let name = case.name();
    let event_type = ("event_type", "ProductCreated");
    let handler = ("handler", name.as_str());
    let end = match case.end {
        End::Ok => {
            traces.count(DISPATCHED, &[event_type, handler], 1.0);
            SpanEnd::Ok
        }
        End::Err => SpanEnd::Error("out_of_stock".to_owned()),
        End::Panic => SpanEnd::Error("panic".to_owned()),
        End::Dropped => SpanEnd::Cancelled,
        // Nothing has begun.
        End::NeverPolled => return traces,
    };
    if let SpanEnd::Error(error_type) = &end {
        let error = ("error_type", error_type.as_str());
        let severity = match case.end {
            End::Panic => "critical",
            _ => "error",
        };
        let module = [("module", "orders"), error, ("severity", severity)];
        traces.count(EVENT_ERRORS, &[event_type, error], 1.0);
        traces.count(MODULE_ERRORS, &module, 1.0);
    }
    traces.count(HANDLING, &[event_type, handler], 1.0);
    traces.span("event.handle", &name, "acme", end);
    traces
}
