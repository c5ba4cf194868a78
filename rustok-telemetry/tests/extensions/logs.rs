//! Log processors of a service.

use std::sync::{Arc, Mutex};

use opentelemetry::{InstrumentationScope, logs::AnyValue, logs::LogRecord as _};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    logs::{LogProcessor, SdkLogRecord},
};

use crate::support::{in_a_process, with_variables};

#[derive(Debug, Clone, Default)]
struct Recorder(Arc<Mutex<Vec<SdkLogRecord>>>);

impl LogProcessor for Recorder {
    fn emit(&self, record: &mut SdkLogRecord, _: &InstrumentationScope) {
        self.0.lock().expect("no panic").push(record.clone());
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }
}

impl Recorder {
    fn bodies(&self) -> Vec<String> {
        let records = self.0.lock().expect("no panic");
        let body = |record: &SdkLogRecord| match record.body() {
            Some(AnyValue::String(text)) => text.to_string(),
            other => panic!("no text: {other:?}"),
        };
        records.iter().map(body).collect()
    }
}

#[derive(Debug)]
struct Redacting;

impl LogProcessor for Redacting {
    fn emit(&self, record: &mut SdkLogRecord, _: &InstrumentationScope) {
        record.set_body("redacted".into());
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }
}

#[test_fork::test]
fn processors_see_each_record_in_turn() {
    let (before, after) = (Recorder::default(), Recorder::default());
    let telemetry = with_variables(&[("RUST_LOG", "warn"), ("OTEL_LOGS_EXPORTER", "none")])
        .with_log_processor(before.clone())
        .with_log_processor(Redacting)
        .with_log_processor(after.clone())
        .init()
        .expect("telemetry starts");
    tracing::info_span!("work", tenant_id = "acme").in_scope(|| {
        tracing::warn!(left = 2, "low stock");
        tracing::info!("not enabled");
        log::error!("sold out");
    });
    assert_eq!(before.bodies(), ["low stock", "sold out"]);
    assert_eq!(after.bodies(), ["redacted", "redacted"]);
    {
        let records = before.0.lock().expect("no panic");
        assert!(records[0].trace_context().is_some());
        let mut attributes = records[0].attributes_iter();
        assert!(attributes.any(|(key, _)| key.as_str() == "tenant_id"));
    }
    assert!(telemetry.logger_provider().is_some());
    drop(telemetry);
}

#[test]
fn exporters_get_what_processors_leave() {
    let test = "logs::exporters_get_what_processors_leave";
    let (printed, _) = in_a_process(test, &[], || {
        let variables = [("RUST_LOG", "warn"), ("OTEL_LOGS_EXPORTER", "console")];
        let telemetry = with_variables(&variables)
            .with_log_processor(Redacting)
            .init()
            .expect("telemetry starts");
        tracing::warn!("a secret");
        let _ = telemetry.shutdown();
    });
    assert!(printed.contains(r#""log":"redacted""#), "{printed}");
    assert!(!printed.contains("a secret"), "{printed}");
}
