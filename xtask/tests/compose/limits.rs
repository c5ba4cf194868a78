//! No container takes the machine down, and each says whether it is well.

use xtask::stack::Port;

use crate::model::{Container, model};

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn memory_and_logs_are_bounded() {
    for (name, container) in &model().services {
        assert!(limit(container) > 0, "{name}");
        if name == "prepare" {
            continue;
        }
        let logging = container.logging.as_ref().expect("its log is bounded");
        assert!(logging["options"]["max-size"].is_string(), "{name}");
        assert!(logging["options"]["max-file"].is_string(), "{name}");
        assert_eq!(container.restart, "unless-stopped", "{name}");
    }
}

/// Go's runtime is told four fifths of what there is; the Collector, of its own limit, which is less.
#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn go_knows_the_limit() {
    let model = model();
    let told = |container: &Container| {
        let text = container.environment["GOMEMLIMIT"].strip_suffix("MiB");
        text.and_then(|number| number.parse::<u64>().ok())
            .expect("a number of MiB")
    };
    for name in ["jaeger", "prometheus"] {
        let container = &model.services[name];
        assert_eq!(told(container), limit(container) * 8 / 10, "{name}");
    }
    let collector = &model.services["otel-collector"];
    let refuses: u64 = collector.environment["COLLECTOR_MEMORY_LIMIT_MIB"]
        .parse()
        .expect("a number");
    assert_eq!(told(collector), refuses * 8 / 10);
    assert!(refuses < limit(collector));
}

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn each_container_is_asked_for_its_health_where_it_answers() {
    let model = model();
    for (name, port) in [
        ("otel-collector", Port::CollectorHealth.default_number()),
        ("jaeger", Port::JaegerHealth.default_number()),
        ("prometheus", Port::Prometheus.default_number()),
        ("alertmanager", 9093),
        ("grafana", 3000),
    ] {
        let container = &model.services[name];
        let check = &container.healthcheck.as_ref().expect(name).test;
        // Without a shell: two of the images have none.
        assert_eq!(check[0], "CMD", "{name}");
        let url = check.last().expect("an address");
        assert!(url.contains(&format!("127.0.0.1:{port}")), "{name}: {url}");
    }
}

/// Whoever waits for another's health waits for something that can be asked.
#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn dependencies_can_be_fulfilled() {
    let model = model();
    let mut seen = 0;
    for (name, container) in &model.services {
        for (other, how) in &container.depends_on {
            let other = &model.services[other];
            match how["condition"].as_str().expect("a condition") {
                "service_healthy" => assert!(other.healthcheck.is_some(), "{name}"),
                // It would be started again and again, and never be completed.
                "service_completed_successfully" => assert_eq!(other.restart, "no", "{name}"),
                condition => assert_eq!(condition, "service_started", "{name}"),
            }
            seen += 1;
        }
    }
    assert_eq!(seen, 5);
}

/// In MiB.
fn limit(container: &Container) -> u64 {
    let bytes: u64 = container.mem_limit.parse().expect("a number of bytes");
    bytes / (1024 * 1024)
}
