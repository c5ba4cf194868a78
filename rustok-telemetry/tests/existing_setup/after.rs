//! A service that sets up OpenTelemetry by itself, as OpenTelemetry's documentation shows it.

use std::error::Error;

use axum::{Router, routing::post};
use opentelemetry::{KeyValue, global, trace::TracerProvider};
use opentelemetry_sdk::{Resource, metrics::SdkMeterProvider, trace::SdkTracerProvider};
use tracing_subscriber::{layer::SubscriberExt, util::SubscriberInitExt};

use crate::serve;

mod shop;

fn resource() -> Resource {
    Resource::builder().with_service_name("shop").build()
}

fn init_tracer_provider() -> SdkTracerProvider {
    let provider = SdkTracerProvider::builder()
        .with_resource(resource())
        .with_batch_exporter(opentelemetry_stdout::SpanExporter::default())
        .build();
    global::set_tracer_provider(provider.clone());
    provider
}

fn init_meter_provider() -> SdkMeterProvider {
    let provider = SdkMeterProvider::builder()
        .with_resource(resource())
        .with_periodic_exporter(opentelemetry_stdout::MetricExporter::default())
        .with_reader(rustok_telemetry::text_reader())
        .build();
    global::set_meter_provider(provider.clone());
    provider
}

#[tracing::instrument]
async fn order() -> &'static str {
    let orders = global::meter("shop").u64_counter("orders").build();
    orders.add(1, &[KeyValue::new("payment", "card")]);
    shop::record_order("card");
    "ordered\n"
}

pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let tracer_provider = init_tracer_provider();
    let meter_provider = init_meter_provider();
    let _telemetry = rustok_telemetry::builder()
        .with_providers(&tracer_provider, &meter_provider)
        .init()?;
    let traces = tracing_opentelemetry::layer().with_tracer(tracer_provider.tracer("shop"));
    tracing_subscriber::registry().with(traces).init();
    let app: Router = Router::new()
        .route("/orders", post(order))
        .route("/returns", post(|| async { "returned\n" }))
        .merge(rustok_telemetry::http::health_routes())
        .layer(rustok_telemetry::http::TelemetryLayer::new());
    serve(app).await;
    tracer_provider.shutdown()?;
    meter_provider.shutdown()?;
    Ok(())
}
