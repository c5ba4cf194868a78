//! Reports each panic once, in the innermost span that it unwinds through.
//!
//! The panic hook keeps what a panic says, since a guard that is dropped by the unwinding can't ask. Without the hook
//! (telemetry has not been started, or [`Builder::without_panic_hook`](crate::Builder::without_panic_hook)) the event
//! has neither message nor place.

use std::{
    cell::Cell,
    fmt::{self, Display},
    panic::{self, PanicHookInfo},
    thread,
};

use opentelemetry::{Context, KeyValue, trace::TraceContextExt};

/// `error.type` and `exception.type` of a panic.
pub(crate) const PANIC: &str = "panic";

/// Target of the log event. Spans get an `exception` event instead.
pub(crate) const TARGET: &str = "rustok_telemetry::panic";

/// Longest message in bytes that is kept.
const LONGEST: usize = 4096;

/// What a panic said, and where.
#[derive(Debug)]
struct Kept {
    /// Absent for a payload that is no text.
    message: Option<String>,
    file: String,
    line: u32,
    column: u32,
}

/// What is known of the last panic of a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing: there was none since a call began.
    None,
    /// The hook kept it, and no span has told of it.
    Kept,
    /// A span has told of it.
    Reported,
}

thread_local! {
    static STATE: Cell<State> = const { Cell::new(State::None) };
    static KEPT: Cell<Option<Box<Kept>>> = const { Cell::new(None) };
}

/// Installs the hook, which calls the one before it.
pub(crate) fn install_hook() {
    // Hooks cannot be changed by a thread that panics.
    if thread::panicking() {
        return;
    }
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        keep(info);
        before(info);
    }));
}

/// Forgets a panic that was caught: what begins now does not unwind by it.
pub(crate) fn forget() {
    if STATE.get() != State::None && !thread::panicking() {
        STATE.set(State::None);
        take();
    }
}

/// Reports the panic that unwinds through the current span, unless a span within has.
pub(crate) fn report(with_message: bool) {
    let mut kept = match STATE.replace(State::Reported) {
        State::Reported => return,
        State::Kept => take(),
        State::None => None,
    };
    if let Some(kept) = kept.as_mut().filter(|_| !with_message) {
        kept.message = None;
    }
    let message = kept.as_ref().and_then(|kept| kept.message.as_deref());
    tracing::error!(
        target: TARGET,
        { exception.type = PANIC, exception.message = message },
        "panicked{}",
        Place(kept.as_deref()),
    );
    let mut attributes = vec![KeyValue::new("exception.type", PANIC)];
    if let Some(kept) = kept {
        let message = kept.message;
        attributes.extend(message.map(|message| KeyValue::new("exception.message", message)));
        attributes.push(KeyValue::new("code.file.path", kept.file));
        attributes.push(KeyValue::new("code.line.number", i64::from(kept.line)));
    }
    Context::map_current(|context| context.span().add_event("exception", attributes));
}

fn take() -> Option<Box<Kept>> {
    KEPT.try_with(Cell::take).ok().flatten()
}

fn keep(info: &PanicHookInfo<'_>) {
    let Some(location) = info.location() else {
        return;
    };
    let message = info.payload_as_str();
    let message = message.map(|text| text[..text.floor_char_boundary(LONGEST)].to_owned());
    let kept = Box::new(Kept {
        message,
        file: location.file().to_owned(),
        line: location.line(),
        column: location.column(),
    });
    // A thread that ends has none any more.
    if KEPT.try_with(|last| last.set(Some(kept))).is_ok() {
        STATE.set(State::Kept);
    }
}

/// ` at src/orders.rs:12:5: out of stock`.
struct Place<'kept>(Option<&'kept Kept>);

impl Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(kept) = self.0 else { return Ok(()) };
        write!(f, " at {}:{}:{}", kept.file, kept.line, kept.column)?;
        match &kept.message {
            Some(message) => write!(f, ": {message}"),
            None => Ok(()),
        }
    }
}
