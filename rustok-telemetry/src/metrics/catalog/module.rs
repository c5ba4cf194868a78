//! Errors by module. The error rate is derived from the errors.

use std::{sync::LazyLock, time::Instant};

use crate::metrics::sliding::SlidingTotals;

/// Declarations; the functions are re-exported by [`metrics`](super).
#[crate::metrics(namespace = "rustok", subsystem = "module")]
pub(crate) mod declared {
    /// Errors by module.
    #[counter(name = "errors_total", series = 300, also = super::count_error)]
    pub fn record_module_error(
        #[label(budget = 30)] module: &str,
        #[label(budget = 30)] error_type: &str,
        #[label(budget = 5)] severity: &str,
    );

    /// Errors per second, averaged over the last five minutes.
    ///
    /// One error in that time is 1/300, also of a process that is younger.
    #[observable_gauge(name = "error_rate", observe = super::error_rates)]
    fn module_error_rate(#[label(budget = 31)] module: &str) -> f64;
}

static ERRORS: LazyLock<SlidingTotals<1>> = LazyLock::new(|| SlidingTotals::new(30));

fn count_error(module: &str, _error_type: &str, _severity: &str) {
    ERRORS.add(module, 0);
}

fn error_rates(report: &mut dyn FnMut([&str; 1], f64)) {
    ERRORS.visit(Instant::now(), &mut |module, [errors], seconds| {
        report([module], errors as f64 / seconds);
    });
}
