//! A service with traces, metrics and logs: `curl 127.0.0.1:5151/fahrenheit/20`, `…/api/_health/metrics`.
use axum::{Router, extract::Path, http::StatusCode, routing::get};
use rustok_telemetry::http::{TelemetryLayer, health_routes};
use rustok_telemetry::{ErrorType, instrument};

#[derive(Debug, ErrorType)]
enum ConversionError {
    BelowAbsoluteZero,
}

#[instrument(record(celsius), module = "conversion")]
fn to_fahrenheit(celsius: f64) -> Result<f64, ConversionError> {
    if celsius < -273.15 {
        return Err(ConversionError::BelowAbsoluteZero);
    }
    Ok(celsius * 1.8 + 32.0)
}

async fn fahrenheit(Path(celsius): Path<f64>) -> Result<String, StatusCode> {
    let converted = to_fahrenheit(celsius).map_err(|_| StatusCode::UNPROCESSABLE_ENTITY)?;
    Ok(format!("{converted} °F\n"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let telemetry = rustok_telemetry::init()?; // reads OTEL_*
    let app = Router::new()
        .route("/fahrenheit/{celsius}", get(fahrenheit))
        .merge(health_routes())
        .layer(TelemetryLayer::new());
    let address = std::env::args().nth(1);
    let address = address.as_deref().unwrap_or("127.0.0.1:5151");
    let listener = tokio::net::TcpListener::bind(address).await?;
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    let server = axum::serve(listener, app).with_graceful_shutdown(stop);
    server.await?;
    eprintln!("{}", telemetry.shutdown()); // sends the rest, and says what could not be sent
    Ok(())
}
