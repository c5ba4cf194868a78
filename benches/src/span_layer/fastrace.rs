//! fastrace, which hands its spans in bulk to a thread of its own: roots, and children within one local parent.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use fastrace::{
    collector::{Config, Reporter, SpanContext, SpanRecord},
    prelude::{LocalSpan, Span},
};

use super::customer;
use crate::isolated::Work;

pub(crate) fn roots() -> Work {
    spans("order.place", |count| {
        for number in 0..count {
            let root = Span::root("order.place", SpanContext::random())
                .with_property(|| ("customer", customer(number)));
            let _entered = root.set_local_parent();
        }
    })
}

pub(crate) fn children() -> Work {
    spans("order.place", |count| {
        let root = Span::root("orders", SpanContext::random());
        let _entered = root.set_local_parent();
        for number in 0..count {
            let _child = LocalSpan::enter_with_local_parent("order.place")
                .with_property(|| ("customer", customer(number)));
        }
    })
}

fn spans(name: &'static str, act: fn(usize)) -> Work {
    let reported = Arc::<AtomicU64>::default();
    let counting = Counting {
        name,
        reported: Arc::clone(&reported),
    };
    // It drops what its queue cannot hold, so it is told to take spans out after each burst, and not by itself before.
    let config = Config::default().report_interval(Duration::from_secs(3600));
    fastrace::set_reporter(counting, config);
    let held = Arc::clone(&reported);
    Work {
        act: Box::new(act),
        arrived: Some(Box::new(move || {
            fastrace::flush();
            reported.load(Ordering::Relaxed)
        })),
        check: Box::new(move |spans| {
            assert_eq!(held.load(Ordering::Relaxed), spans, "reported");
        }),
    }
}

struct Counting {
    name: &'static str,
    reported: Arc<AtomicU64>,
}

impl Reporter for Counting {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        let counted = spans.iter().filter(|span| span.name == self.name).count();
        self.reported.fetch_add(counted as u64, Ordering::Relaxed);
    }
}
