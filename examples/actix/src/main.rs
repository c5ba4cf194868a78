//! An actix-web service with traces, metrics and logs: `curl -X POST 127.0.0.1:5152/rooms/blue/nights/3`,
//! `…/api/_health/metrics`. The middleware is in `telemetry.rs`.

mod telemetry;

use std::time::Duration;

use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Path};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, ResponseError, get, middleware, post};
use rustok_telemetry::{ErrorType, instrument, prometheus_text_for};
use tokio::sync::watch;

/// Rooms with their price of a night; `None` for a room under repair.
const ROOMS: [(&str, Option<u32>); 3] = [("attic", None), ("blue", Some(120)), ("green", Some(95))];

/// How long a request waits for the next booking.
const LONG_POLL: Duration = Duration::from_secs(30);

#[rustok_telemetry::metrics(namespace = "hotel")]
mod hotel {
    /// Nights booked.
    #[counter(name = "booked_nights_total")]
    pub fn record_booked(room: &str, nights: u64);
}

#[derive(Debug, ErrorType)]
enum BookingError {
    UnknownRoom,
    UnderRepair,
}

impl std::fmt::Display for BookingError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.error_type())
    }
}

impl ResponseError for BookingError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::UnknownRoom => StatusCode::NOT_FOUND,
            Self::UnderRepair => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// Books nights and returns their price.
#[instrument(name = "rooms.book", record(room, nights), module = "rooms")]
fn book(room: &str, nights: u32) -> Result<u32, BookingError> {
    let found = ROOMS.iter().find(|(name, _)| *name == room);
    let (_, price) = found.ok_or(BookingError::UnknownRoom)?;
    let price = price.ok_or(BookingError::UnderRepair)?;
    hotel::record_booked(room, u64::from(nights));
    Ok(price.saturating_mul(nights))
}

#[post("/rooms/{room}/nights/{nights}")]
async fn post_booking(
    path: Path<(String, u32)>,
    bookings: Data<watch::Sender<String>>,
) -> Result<String, BookingError> {
    let (room, nights) = path.into_inner();
    let price = book(&room, nights)?;
    bookings.send_replace(room);
    Ok(format!("{price} EUR\n"))
}

/// Waits for the next booking and returns its room. A client that disconnects cancels the wait.
#[get("/bookings/next")]
async fn next_booking(bookings: Data<watch::Sender<String>>) -> HttpResponse {
    let mut booked = bookings.subscribe();
    match tokio::time::timeout(LONG_POLL, booked.changed()).await {
        Ok(Ok(())) => HttpResponse::Ok().body(booked.borrow().clone()),
        Ok(Err(_)) | Err(_) => HttpResponse::NoContent().finish(),
    }
}

#[get("/api/_health/metrics")]
async fn metrics(request: HttpRequest) -> HttpResponse {
    let accept = request.headers().get(header::ACCEPT);
    let accept = accept.and_then(|value| value.to_str().ok());
    match prometheus_text_for(accept.unwrap_or_default()) {
        Ok(text) => HttpResponse::Ok()
            .content_type(text.content_type)
            .insert_header((header::VARY, "Accept"))
            .body(text.body),
        Err(error) => HttpResponse::ServiceUnavailable().body(error.to_string()),
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let telemetry = rustok_telemetry::builder()
        .default_service_name(env!("CARGO_PKG_NAME"))
        .init()?;
    let address = std::env::args().nth(1);
    let address = address.as_deref().unwrap_or("127.0.0.1:5152");
    let bookings = Data::new(watch::Sender::new(String::new()));
    let app = move || {
        App::new()
            .app_data(Data::clone(&bookings))
            .service(post_booking)
            .service(next_booking)
            .service(metrics)
            .wrap(middleware::from_fn(telemetry::telemetry))
    };
    let server = HttpServer::new(app)
        // Otherwise a handler runs to its end after its client has disconnected.
        .h1_allow_half_closed(false)
        .shutdown_timeout(5)
        .bind(address)?;
    for address in server.addrs() {
        eprintln!("listening on http://{address}");
    }
    server.run().await?; // until SIGINT or SIGTERM
    eprintln!("{}", telemetry.shutdown());
    Ok(())
}
