//! A layer that keeps what spans and events carry.
#![allow(dead_code, reason = "each test uses a part")]

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard},
};

use rustok_telemetry::Telemetry;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::DefaultGuard,
};
use tracing_subscriber::{
    Registry,
    layer::{Context, Layer, SubscriberExt},
    registry::LookupSpan,
};

pub(crate) type Fields = BTreeMap<String, String>;

#[derive(Debug, Clone, Default)]
pub(crate) struct SeenSpan {
    pub(crate) name: &'static str,
    pub(crate) target: String,
    pub(crate) level: String,
    pub(crate) parent: Option<&'static str>,
    pub(crate) follows: Vec<&'static str>,
    pub(crate) fields: Fields,
    /// How often the tenant was recorded after the span's creation.
    pub(crate) tenants: u32,
    pub(crate) closed: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct SeenEvent {
    pub(crate) span: Option<&'static str>,
    pub(crate) target: String,
    pub(crate) level: String,
    pub(crate) fields: Fields,
}

#[derive(Debug, Default)]
struct Everything {
    spans: Vec<SeenSpan>,
    events: Vec<SeenEvent>,
}

/// What was seen while the guard lived.
pub(crate) struct Seen {
    everything: Arc<Mutex<Everything>>,
    _default: DefaultGuard,
}

/// Watches this thread's spans.
pub(crate) fn watch() -> Seen {
    watch_within(Registry::default())
}

/// Watches this thread's spans while telemetry counts them.
pub(crate) fn watch_counted(telemetry: &Telemetry) -> Seen {
    watch_within(Registry::default().with(telemetry.layer()))
}

fn watch_within<S>(subscriber: S) -> Seen
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
{
    let everything = Arc::default();
    let capture = Capture(Arc::clone(&everything));
    Seen {
        everything,
        _default: tracing::subscriber::set_default(subscriber.with(capture)),
    }
}

impl Seen {
    /// The only span of this name.
    #[track_caller]
    pub(crate) fn span(&self, name: &str) -> SeenSpan {
        let spans = self.spans(name);
        assert_eq!(spans.len(), 1, "spans called {name}: {spans:?}");
        spans[0].clone()
    }

    pub(crate) fn spans(&self, name: &str) -> Vec<SeenSpan> {
        let everything = self.lock();
        let spans = everything.spans.iter().filter(|span| span.name == name);
        spans.cloned().collect()
    }

    pub(crate) fn events(&self) -> Vec<SeenEvent> {
        self.lock().events.clone()
    }

    /// All of it, to look for what should not be there.
    pub(crate) fn dump(&self) -> String {
        format!("{:?}", self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Everything> {
        self.everything.lock().expect("not poisoned")
    }
}

struct Capture(Arc<Mutex<Everything>>);

struct Index(usize);

struct Visitor<'a>(&'a mut Fields);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Capture {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let span = context.span(id).expect("a new span");
        let mut seen = SeenSpan {
            name: span.name(),
            target: attributes.metadata().target().to_owned(),
            level: attributes.metadata().level().to_string(),
            parent: span.parent().map(|parent| parent.name()),
            ..SeenSpan::default()
        };
        attributes.record(&mut Visitor(&mut seen.fields));
        let mut everything = self.0.lock().expect("not poisoned");
        span.extensions_mut().insert(Index(everything.spans.len()));
        everything.spans.push(seen);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        self.change(id, &context, |seen| {
            let mut fields = Fields::new();
            values.record(&mut Visitor(&mut fields));
            seen.tenants += u32::from(fields.contains_key("tenant_id"));
            seen.fields.append(&mut fields);
        });
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, context: Context<'_, S>) {
        let cause = context.span(follows).expect("an open span").name();
        self.change(id, &context, |seen| seen.follows.push(cause));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut seen = SeenEvent {
            span: context.event_span(event).map(|span| span.name()),
            target: event.metadata().target().to_owned(),
            level: event.metadata().level().to_string(),
            fields: Fields::new(),
        };
        event.record(&mut Visitor(&mut seen.fields));
        self.0.lock().expect("not poisoned").events.push(seen);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        self.change(&id, &context, |seen| seen.closed = true);
    }
}

impl Capture {
    fn change<S>(&self, id: &Id, context: &Context<'_, S>, change: impl FnOnce(&mut SeenSpan))
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let span = context.span(id).expect("an open span");
        let index = span.extensions().get::<Index>().expect("seen before").0;
        change(&mut self.0.lock().expect("not poisoned").spans[index]);
    }
}

impl Visit for Visitor<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}
