//! A worker without HTTP: books the invoices whose paths arrive on standard input, one a line. An invoice is a file
//! with an amount in cents on each line.
//!
//! `ls examples/worker/invoices/* | OTEL_METRICS_EXPORTER=console cargo run -p rustok-worker`. A long-running worker
//! serves its metrics: `OTEL_METRICS_EXPORTER=prometheus OTEL_EXPORTER_PROMETHEUS_PORT=9464`.

mod booking;

use std::{error::Error, io, path::PathBuf, pin::pin, time::Duration};

use rustok_telemetry::{
    ErrorType,
    event_bus::{EventMetadata, Handler, Publisher, observe_queue},
};
use tokio::{
    sync::mpsc::{self, Sender},
    time::sleep,
};

const CAPACITY: usize = 100;
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(100);

const INBOX: Publisher = Publisher::new().module("inbox");
const BOOK: Handler<'_> = Handler::new("book_invoice").module("invoices");

#[rustok_telemetry::metrics(namespace = "invoices")]
mod invoices {
    /// Cents booked.
    #[counter(name = "booked_cents_total")]
    pub fn record_booked(cents: u64);

    /// Messages given up, by the error of the last attempt.
    #[counter(name = "dead_letters_total")]
    pub fn record_dead_letter(error_type: &str);
}

/// A message of the queue. The metadata has the trace of the sender, and the time of sending.
struct Message {
    metadata: EventMetadata,
    invoice: PathBuf,
}

/// Sends a message for each line. Waits while the queue is full.
fn receive(queue: &Sender<Message>) {
    for line in io::stdin().lines().map_while(Result::ok) {
        let sent = INBOX.publish("InvoiceReceived", |metadata| {
            let invoice = PathBuf::from(line);
            queue.blocking_send(Message { metadata, invoice })
        });
        if sent.is_err() {
            return; // the worker has stopped
        }
    }
}

/// Books an invoice. Each attempt is a span in the trace of the sender, and is counted.
async fn handle(Message { metadata, invoice }: Message) {
    metadata.received();
    let mut attempt = 1;
    loop {
        match BOOK
            .handle_catching(&metadata, booking::book(&invoice))
            .await
        {
            Ok(cents) => return invoices::record_booked(cents),
            Err(error) if error.is_transient() && attempt < ATTEMPTS => {
                tracing::warn!(invoice = %invoice.display(), attempt, "{error}; trying again");
                sleep(PAUSE * attempt).await;
                attempt += 1;
            }
            Err(error) => {
                tracing::error!(invoice = %invoice.display(), attempt, "given up: {error}");
                return invoices::record_dead_letter(error.error_type());
            }
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let telemetry = rustok_telemetry::builder()
        .default_service_name(env!("CARGO_PKG_NAME"))
        .init()?;
    let (queue, mut messages) = mpsc::channel(CAPACITY);
    let read = queue.downgrade();
    observe_queue("in_memory", move || {
        read.upgrade()
            .map_or(0, |queue| queue.max_capacity() - queue.capacity())
    })
    .detach();
    std::thread::spawn(move || receive(&queue));
    let mut stop = pin!(tokio::signal::ctrl_c());
    loop {
        let message = tokio::select! {
            biased;
            _ = &mut stop => break,
            message = messages.recv() => message,
        };
        match message {
            Some(message) => handle(message).await,
            None => break, // standard input has ended, and the queue is empty
        }
    }
    eprintln!("{}", telemetry.shutdown());
    Ok(())
}
