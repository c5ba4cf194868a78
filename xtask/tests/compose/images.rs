//! Images are those of the versions that the tests run.

use xtask::stack::programs::Program;

use crate::model::model;

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn images_are_pinned_to_what_is_tested() {
    let model = model();
    for (container, repository, version) in [
        (
            "otel-collector",
            "otel/opentelemetry-collector-contrib",
            Program::Otelcol.version().to_owned(),
        ),
        (
            "prometheus",
            "prom/prometheus",
            format!("v{}", Program::Prometheus.version()),
        ),
        // The image of v1.76.0: the same code has both numbers.
        ("jaeger", "jaegertracing/jaeger", "2.13.0".to_owned()),
        // Neither has a package that could be run here.
        ("alertmanager", "prom/alertmanager", "v0.34.2".to_owned()),
        ("grafana", "grafana/grafana", "13.2.3".to_owned()),
        ("prepare", "busybox", "1.37.0-musl".to_owned()),
    ] {
        let image = &model.services[container].image;
        assert_eq!(*image, format!("{repository}:{version}"));
    }
    assert_eq!(Program::Jaeger.version(), "1.76.0");
    assert_eq!(model.services.len(), 6);
}
