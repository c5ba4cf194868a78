//! A service with traces, metrics, logs and a console.

mod app;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;

use rustok_telemetry::console::Console;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let telemetry = rustok_telemetry::builder()
        .default_service_name(env!("CARGO_PKG_NAME"))
        .service_version(env!("CARGO_PKG_VERSION"))
        .console(Console::new())
        .init()?;
    let address = std::env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("http://{}/api/_health/console", listener.local_addr()?);
    // The console answers only clients whose address it knows.
    let app = app::routes().into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, app).with_graceful_shutdown(stop());
    server.await?;
    eprintln!("{}", telemetry.shutdown());
    Ok(())
}

/// Waits for Ctrl-C, or on Unix for SIGTERM.
async fn stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminated.recv() => return,
                _ = tokio::signal::ctrl_c() => return,
            }
        }
    }
    // Without a handler, the signal ends the process.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
