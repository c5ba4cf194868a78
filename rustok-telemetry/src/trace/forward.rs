//! Forwarding of layer methods, for layers around another one.

/// Implements the methods of `Layer<S>` that a wrapper passes on to the layer in its field `$layer`. Ignores
/// `follows_from` of a span that follows itself.
macro_rules! forward_to {
    ($layer:tt) => {
        fn on_layer(&mut self, subscriber: &mut S) {
            self.$layer.on_layer(subscriber);
        }

        fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
            self.$layer.register_callsite(metadata)
        }

        fn enabled(&self, metadata: &Metadata<'_>, context: Context<'_, S>) -> bool {
            self.$layer.enabled(metadata, context)
        }

        fn max_level_hint(&self) -> Option<LevelFilter> {
            self.$layer.max_level_hint()
        }

        fn on_follows_from(&self, id: &Id, follows: &Id, context: Context<'_, S>) {
            // tracing-opentelemetry locks the data of both, and would deadlock on a span that follows itself.
            if id != follows {
                self.$layer.on_follows_from(id, follows, context);
            }
        }

        fn event_enabled(&self, event: &Event<'_>, context: Context<'_, S>) -> bool {
            self.$layer.event_enabled(event, context)
        }

        fn on_id_change(&self, old: &Id, new: &Id, context: Context<'_, S>) {
            self.$layer.on_id_change(old, new, context);
        }

        #[allow(unsafe_code, reason = "the method is unsafe")]
        unsafe fn downcast_raw(&self, id: TypeId) -> Option<*const ()> {
            // SAFETY: the returned pointer must point to a value of the type `id` that lives and stays in place as long
            // as `self`. The inner layer returns one to itself or to a part of it, valid for its own life; it is a
            // field of `self` and never replaced. The caller's obligations are passed on unchanged.
            unsafe { self.$layer.downcast_raw(id) }
        }
    };
}

pub(super) use forward_to;
