//! What a span costs: created, entered, left and closed, with one field of text, on one thread or two.

pub(crate) mod bare;
pub(crate) mod fastrace;
pub(crate) mod opentelemetry;
pub(crate) mod rustok;
mod sender;
pub(crate) mod tracing_opentelemetry;

use std::{sync::mpsc, thread};

use crate::isolated::Work;

/// Values of the field.
const CUSTOMERS: [&str; 4] = [
    "customer-0017",
    "customer-0023",
    "customer-0108",
    "customer-1501",
];

/// The value of a span's field.
#[inline]
fn customer(number: usize) -> &'static str {
    CUSTOMERS[number % CUSTOMERS.len()]
}

/// Splits the spans of each burst between two threads.
pub(crate) fn on_two_threads(work: Work) -> Work {
    let (orders, ordered) = mpsc::channel();
    let (done, all_done) = mpsc::channel();
    thread::spawn(move || {
        for count in ordered {
            tracing_spans(count);
            done.send(()).expect("the benchmark waits");
        }
    });
    let act = move |count| {
        orders.send(count / 2).expect("the thread waits");
        tracing_spans(count / 2);
        all_done.recv().expect("the thread ends its part");
    };
    Work {
        act: Box::new(act),
        ..work
    }
}

/// Spans of `tracing`, the same for each of its layers.
fn tracing_spans(count: usize) {
    for number in 0..count {
        let span = tracing::info_span!("order.place", customer = customer(number));
        let _entered = span.enter();
    }
}
