//! Variables of dashboards.

use super::query::{Counter, Expr, Scope};

/// A variable of a dashboard.
#[derive(Debug, Clone)]
pub(crate) struct Variable {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) source: Source,
}

/// The source of a variable's values.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// Data sources of a type, with the uid of the default one.
    Plugin {
        plugin: &'static str,
        uid: &'static str,
    },
    /// The values of a label. Several can be selected; by default all are.
    Label { series: Expr, label: &'static str },
}

/// The data source of metrics.
pub(crate) const METRICS: Variable = Variable {
    name: "datasource",
    title: "Metrics",
    source: Source::Plugin {
        plugin: "prometheus",
        uid: "prometheus",
    },
};

/// The data source of traces.
pub(crate) const TRACES: Variable = Variable {
    name: "jaeger",
    title: "Traces",
    source: Source::Plugin {
        plugin: "jaeger",
        uid: "jaeger",
    },
};

/// The services that have this counter.
pub(crate) fn job(counter: &str) -> Variable {
    Variable {
        name: "job",
        title: "Service",
        source: values("job", &Scope::all().counter(counter)),
    }
}

/// The services that have this gauge.
pub(crate) fn job_of_gauge(gauge: &str) -> Variable {
    let series = Scope::all().gauge(gauge).value();
    Variable {
        name: "job",
        title: "Service",
        source: Source::Label {
            series,
            label: "job",
        },
    }
}

/// The instances of the selected services.
pub(crate) fn instance(counter: &str) -> Variable {
    const SCOPE: Scope = Scope::of(&[("job", "job")]);
    Variable {
        name: "instance",
        title: "Instance",
        source: values("instance", &SCOPE.counter(counter)),
    }
}

/// The tenants of the selected instances.
pub(crate) fn tenant(counter: &str) -> Variable {
    const SCOPE: Scope = Scope::of(&[("job", "job"), ("instance", "instance")]);
    Variable {
        name: "tenant",
        title: "Tenant",
        source: values("tenant_id", &SCOPE.counter(counter)),
    }
}

/// The values of a counter's label, filtered by the preceding variables.
pub(crate) fn values_of(
    name: &'static str,
    title: &'static str,
    counter: &str,
    label: &'static str,
    scope: Scope,
) -> Variable {
    Variable {
        name,
        title,
        source: values(label, &scope.counter(counter)),
    }
}

impl Variable {
    /// Returns an error for each reference in its query to something that does not exist.
    pub(crate) fn problems(&self) -> Vec<String> {
        let Source::Label { series, label } = &self.source else {
            return Vec::new();
        };
        let mut problems = series.problems().to_vec();
        if problems.is_empty() && !series.labels().contains(label) {
            problems.push(format!("no label `{label}` of {}", series.text()));
        }
        problems
    }
}

fn values(label: &'static str, of: &Counter) -> Source {
    let series = of.series();
    Source::Label { series, label }
}
