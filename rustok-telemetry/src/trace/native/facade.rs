//! `OpenTelemetrySpanExt` and `get_otel_context` for native spans.
//!
//! They downcast the subscriber to a private type of tracing-opentelemetry, whose functions then downcast it to the
//! subscriber type that its layer was made for, look the span up there, and use the layer's extension of the span. The
//! native layer answers with the [`Facade`] for that subscriber type, and with a layer that was made for it. The lookup
//! tells the facade which span is meant. It makes a **shadow** of the span: a span in a registry of its own, with a
//! layer of tracing-opentelemetry, whose tracer starts the native span. What the interfaces change before the start is
//! in the shadow, and handed over at the start. After the start they use the context, whose span is a [`NativeSpan`].
//!
//! This relies on internals of tracing-opentelemetry 0.34.0, so that version is pinned. `tests/wire/span_paths.rs` uses
//! each of the interfaces.

use std::{
    any::TypeId,
    borrow::Cow,
    cell::Cell,
    ptr,
    sync::{Arc, Mutex},
};

use opentelemetry::{
    Context, KeyValue, Value,
    trace::{SpanBuilder, SpanContext, TraceContextExt, Tracer},
};
use tracing::{
    Event, Metadata, Subscriber,
    span::{Attributes, Id, Record as Values},
};
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::{
    Layer, Registry,
    layer::Layered,
    registry::{Data, LookupSpan},
};

use super::{
    NativeSpans,
    attributes::{self, Owner},
    record::{Record, State},
    span::NativeSpan,
};
use crate::{lock::lock, trace::tenant_field};

thread_local! {
    /// The span whose shadow this thread is making.
    static OF: Cell<u64> = const { Cell::new(0) };
}

/// Attribute of a builder: the id of the native span.
const ID: &str = "\0rustok.native_span";

type Front = OpenTelemetryLayer<Facade, NativeTracer>;
type Shadows = Layered<OpenTelemetryLayer<ShadowRegistry, NativeTracer>, ShadowRegistry>;

/// The subscriber of the layer that tracing-opentelemetry finds.
pub(super) struct Facade {
    spans: &'static NativeSpans,
    front: Front,
    shadows: Shadows,
    /// The registry in `shadows`.
    registry: ShadowRegistry,
    making: Mutex<()>,
}

impl Facade {
    pub(super) fn new(spans: &'static NativeSpans) -> Self {
        let mut registry = Registry::default();
        // Makes a span while the thread keeps what the filters of the subscriber around have decided. The registry
        // expects that only if it has a filter.
        let _ = registry.register_filter();
        let nothing = new_shadow(&registry, tenant_field::metadata());
        let registry = ShadowRegistry {
            registry: Arc::new(registry),
            free: Arc::default(),
            nothing,
        };
        let tracer = NativeTracer(spans);
        let layer = tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false);
        Self {
            spans,
            front: tracing_opentelemetry::layer().with_tracer(tracer),
            shadows: layer.with_subscriber(registry.clone()),
            registry,
            making: Mutex::default(),
        }
    }

    /// Returns a pointer to the facade, to its layer, or to a part of the layer, whichever has this type.
    #[allow(unsafe_code, reason = "the method of the layer is unsafe")]
    pub(super) fn downcast(&'static self, id: TypeId) -> Option<*const ()> {
        if id == TypeId::of::<Self>() {
            return Some(ptr::from_ref(self).cast());
        }
        // SAFETY: `Layer::downcast_raw` is unsafe because its caller turns the pointer into a reference of the type
        // `id`. The layer returns a pointer to itself or to its field, of the type `id`. Both are in `self`, which is
        // never moved or freed, so the pointer is valid for every life that a caller can choose. The layer is only
        // ever used by reference.
        unsafe { Layer::<Self>::downcast_raw(&self.front, id) }
    }

    /// Starts the native span of a shadow, unless it has started.
    pub(super) fn start(&self, shadow: &Id) {
        // The layer starts a span when it is entered.
        self.shadows.enter(shadow);
        self.shadows.exit(shadow);
    }

    /// Ends the use of a shadow.
    pub(super) fn close(&self, shadow: Id) {
        // Removes the data of tracing-opentelemetry. The native span has ended, so nothing else happens.
        self.shadows.try_close(shadow.clone());
        lock(&self.registry.free).push(shadow);
    }

    /// Returns the shadow of an open span, which is made if there is none.
    fn shadow(&self, of: &Id) -> Option<Id> {
        let _one_at_a_time = lock(&self.making);
        let what = |record: &mut Record| {
            let shadow = record.shadow.clone();
            (
                shadow,
                record.metadata,
                record.state,
                record.context.clone(),
            )
        };
        let (shadow, metadata, state, context) = self.spans.with(of, what)?;
        if shadow.is_some() {
            return shadow;
        }
        // The parent of the shadow's builder is the current context: that of the parent or, after the start, that of
        // the span itself, of which only the values are used.
        let current = context.attach();
        let outer = OF.replace(of.into_u64());
        let no_fields = metadata.fields().value_set(&[]);
        let shadow = self
            .shadows
            .new_span(&Attributes::new(metadata, &no_fields));
        OF.set(outer);
        drop(current);
        if state != State::Pending {
            self.start(&shadow);
        }
        let set = |record: &mut Record| record.shadow = Some(shadow.clone());
        match self.spans.with(of, set) {
            Some(()) => Some(shadow),
            // It has been closed meanwhile.
            None => {
                self.close(shadow);
                None
            }
        }
    }
}

impl<'a> LookupSpan<'a> for Facade {
    type Data = Data<'a>;

    fn span_data(&'a self, id: &Id) -> Option<Data<'a>> {
        let shadow = self.shadow(id);
        let shadows = &self.registry;
        // tracing-opentelemetry panics if there is no span, and ignores one without its data.
        let id = shadow.as_ref().unwrap_or(&shadows.nothing);
        shadows.registry.span_data(id)
    }
}

/// Only looked up, never used as a subscriber.
impl Subscriber for Facade {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        false
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        self.registry.nothing.clone()
    }

    fn record(&self, _: &Id, _: &Values<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The registry of the shadows, which are used again and never closed: a registry that closes a span within another's
/// close frees nothing, because they share a count of the thread.
#[derive(Clone)]
struct ShadowRegistry {
    registry: Arc<Registry>,
    free: Arc<Mutex<Vec<Id>>>,
    /// A span without data of tracing-opentelemetry.
    nothing: Id,
}

fn new_shadow(registry: &Registry, metadata: &'static Metadata<'static>) -> Id {
    let no_fields = metadata.fields().value_set(&[]);
    registry.new_span(&Attributes::new_root(metadata, &no_fields))
}

impl Subscriber for ShadowRegistry {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let free = lock(&self.free).pop();
        free.unwrap_or_else(|| new_shadow(&self.registry, span.metadata()))
    }

    fn record(&self, _: &Id, _: &Values<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}

    fn try_close(&self, _: Id) -> bool {
        true
    }
}

impl<'a> LookupSpan<'a> for ShadowRegistry {
    type Data = Data<'a>;

    fn span_data(&'a self, id: &Id) -> Option<Data<'a>> {
        self.registry.span_data(id)
    }
}

/// The tracer of the shadows.
#[derive(Clone, Copy)]
pub(super) struct NativeTracer(&'static NativeSpans);

impl Tracer for NativeTracer {
    type Span = NativeSpan;

    fn span_builder<T>(&self, name: T) -> SpanBuilder
    where
        T: Into<Cow<'static, str>>,
    {
        let id = KeyValue::new(ID, OF.get().cast_signed());
        SpanBuilder::from_name(name).with_attributes([id])
    }

    /// Starts the native span of a shadow with what was changed before; returns the started one if it has started.
    fn build_with_context(&self, builder: SpanBuilder, parent: &Context) -> NativeSpan {
        let attributes = builder.attributes.unwrap_or_default();
        let (id, attributes) = match attributes.split_first() {
            Some((
                KeyValue {
                    key,
                    value: Value::I64(id),
                    ..
                },
                others,
            )) if key.as_str() == ID => (Id::from_u64(id.cast_unsigned()), others),
            _ => return self.nothing(),
        };
        let spans = self.0;
        let limits = &spans.limits;
        let owner = Owner::span(limits);
        let mut parent = Some(parent.clone());
        let started = spans.with(&id, |record| {
            if record.state == State::Pending {
                parent = parent
                    .take()
                    .map(|parent| std::mem::replace(&mut record.context, parent));
                spans.start(&id, record);
                attributes
                    .iter()
                    .for_each(|attribute| record.attributes.set(owner, attribute));
                record.join_attributes(owner);
                for event in builder.events.iter().flatten() {
                    let attributes =
                        attributes::Attributes::of(Owner::event(limits), &event.attributes);
                    record.add_event(limits, event.timestamp, &event.name, &attributes);
                }
                for link in builder.links.iter().flatten() {
                    let attributes =
                        attributes::Attributes::of(Owner::link(limits), &link.attributes);
                    record.add_link(limits, &link.span_context, &attributes);
                }
            }
            record.context.span().span_context().clone()
        });
        match started {
            Some(context) => NativeSpan { spans, id, context },
            None => self.nothing(),
        }
    }
}

impl NativeTracer {
    /// A span that is not recorded.
    fn nothing(&self) -> NativeSpan {
        NativeSpan {
            spans: self.0,
            id: Id::from_u64(u64::MAX),
            context: SpanContext::NONE,
        }
    }
}
