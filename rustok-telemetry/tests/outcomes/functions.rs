//! Functions with `#[instrument]`.

use std::{
    future::pending,
    panic::{AssertUnwindSafe, catch_unwind},
};

use rustok_telemetry::{ErrorType, instrument};

use super::table::{Case, End, MODULE_ERRORS, SpanEnd, Style, Traces, drive};

#[derive(Debug, ErrorType)]
pub(crate) enum Failure {
    OutOfStock,
}

/// Two functions for each end, whose spans have their names.
macro_rules! functions {
    ($($end:ident: $blocking:ident $waiting:ident;)*) => {
        $(
            #[instrument(module = "orders", severity = "warning", tenant_id = "acme")]
            fn $blocking(password: &str) -> Result<usize, Failure> {
                finish(End::$end, password)
            }

            #[instrument(module = "orders", severity = "warning", tenant_id = "acme")]
            async fn $waiting(password: &str) -> Result<usize, Failure> {
                tokio::task::yield_now().await;
                if End::$end == End::Dropped {
                    pending::<()>().await;
                }
                finish(End::$end, password)
            }
        )*

        pub(crate) async fn run(case: &Case) {
            match (case.style, case.end) {
                $(
                    (Style::Sync, End::$end) => {
                        let _ = catch_unwind(AssertUnwindSafe(|| $blocking("hunter2")));
                    }
                    (Style::Async, End::$end) => drive(case.end, $waiting("hunter2")).await,
                )*
            }
        }
    };
}

functions! {
    Ok: function_sync_ok function_async_ok;
    Err: function_sync_err function_async_err;
    Panic: function_sync_panic function_async_panic;
    Dropped: function_sync_dropped function_async_dropped;
    NeverPolled: function_sync_neverpolled function_async_neverpolled;
}

fn finish(end: End, password: &str) -> Result<usize, Failure> {
    match end {
        End::Err => Err(Failure::OutOfStock),
        End::Panic => panic!("on purpose"),
        End::Ok | End::Dropped | End::NeverPolled => Ok(password.len()),
    }
}

pub(crate) fn expected(case: &Case) -> Traces {
    let mut traces = Traces::default();
    let module_error = |error_type, severity| {
        [
            ("module", "orders"),
            ("error_type", error_type),
            ("severity", severity),
        ]
    };
    let end = match case.end {
        End::Ok => SpanEnd::Ok,
        End::Err => {
            let labels = module_error("out_of_stock", "warning");
            traces.count(MODULE_ERRORS, &labels, 1.0);
            SpanEnd::Error("out_of_stock".to_owned())
        }
        End::Panic => {
            let labels = module_error("panic", "critical");
            traces.count(MODULE_ERRORS, &labels, 1.0);
            SpanEnd::Error("panic".to_owned())
        }
        End::Dropped => SpanEnd::Cancelled,
        // Nothing has begun.
        End::NeverPolled => return traces,
    };
    traces.span(&case.name(), &case.name(), "acme", end);
    traces
}
