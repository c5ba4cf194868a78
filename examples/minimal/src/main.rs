//! A service with traces, metrics and logs, as `docs/guide/getting-started.md` builds it step by step.
use axum::{Router, extract::Path, http::StatusCode, routing::get};
use rustok_telemetry::http::TelemetryLayer;
use rustok_telemetry::{ErrorType, instrument};

/// Temperatures converted.
#[rustok_telemetry::metrics::counter(name = "weather_conversions_total")]
fn record_conversion(#[label(budget = 2)] below_zero: &str);

#[derive(Debug, ErrorType)]
enum ConversionError {
    BelowAbsoluteZero,
}

#[instrument(record(celsius), module = "conversion")]
fn to_fahrenheit(celsius: f64) -> Result<f64, ConversionError> {
    if celsius < -273.15 {
        return Err(ConversionError::BelowAbsoluteZero);
    }
    record_conversion(if celsius < 0.0 { "yes" } else { "no" });
    Ok(celsius * 1.8 + 32.0)
}

async fn fahrenheit(Path(celsius): Path<f64>) -> Result<String, StatusCode> {
    let converted = to_fahrenheit(celsius).map_err(|_| StatusCode::UNPROCESSABLE_ENTITY)?;
    tracing::info!(celsius, "converted");
    Ok(format!("{converted} °F\n"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let telemetry = rustok_telemetry::init_as("thermometer")?; // reads OTEL_*, which win
    let app = Router::new().route("/fahrenheit/{celsius}", get(fahrenheit));
    let app = TelemetryLayer::new().wrap(app);
    let address = std::env::args().nth(1);
    let address = address.as_deref().unwrap_or("127.0.0.1:5151");
    let listener = tokio::net::TcpListener::bind(address).await?;
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    let server = axum::serve(listener, app).with_graceful_shutdown(stop);
    server.await?;
    eprintln!("{}", telemetry.shutdown()); // sends the rest, and says what could not be sent
    Ok(())
}
