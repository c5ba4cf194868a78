//! Reports each panic once, in the innermost span that it unwinds through.
//!
//! The panic hook captures message and location, which a guard dropped by the unwinding cannot access. Without the hook
//! (before [`init`](crate::init()), or with [`Builder::without_panic_hook`](crate::Builder::without_panic_hook)) the
//! event has neither.

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

/// Maximum length of a message, in bytes. Longer messages are truncated.
const MAX_MESSAGE: usize = 4096;

/// Message and location of a panic.
#[derive(Debug)]
struct PanicDetails {
    /// `None` for a payload that is not a string.
    message: Option<String>,
    file: String,
    line: u32,
    column: u32,
}

/// State of a thread's last panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// No panic since the last operation began.
    None,
    /// The hook has captured it, and no span has reported it.
    Captured,
    /// A span has reported it.
    Reported,
}

thread_local! {
    static STATE: Cell<State> = const { Cell::new(State::None) };
    static DETAILS: Cell<Option<Box<PanicDetails>>> = const { Cell::new(None) };
}

/// Installs the hook, which calls the previous one.
pub(crate) fn install_hook() {
    // `set_hook` panics on a panicking thread.
    if thread::panicking() {
        return;
    }
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        capture(info);
        before(info);
    }));
}

/// Discards a caught panic, so that an operation that begins now does not report it.
pub(crate) fn forget() {
    if STATE.get() != State::None && !thread::panicking() {
        STATE.set(State::None);
        take();
    }
}

/// Reports the panic that unwinds through the current span, unless an inner span has reported it.
pub(crate) fn report(with_message: bool) {
    let mut details = match STATE.replace(State::Reported) {
        State::Reported => return,
        State::Captured => take(),
        State::None => None,
    };
    if let Some(details) = details.as_mut().filter(|_| !with_message) {
        details.message = None;
    }
    let message = details
        .as_ref()
        .and_then(|details| details.message.as_deref());
    tracing::error!(
        target: TARGET,
        { exception.type = PANIC, exception.message = message },
        "panicked{}",
        Location(details.as_deref()),
    );
    let mut attributes = vec![KeyValue::new("exception.type", PANIC)];
    if let Some(details) = details {
        let message = details.message;
        attributes.extend(message.map(|message| KeyValue::new("exception.message", message)));
        attributes.push(KeyValue::new("code.file.path", details.file));
        attributes.push(KeyValue::new("code.line.number", i64::from(details.line)));
    }
    Context::map_current(|context| context.span().add_event("exception", attributes));
}

fn take() -> Option<Box<PanicDetails>> {
    DETAILS.try_with(Cell::take).ok().flatten()
}

fn capture(info: &PanicHookInfo<'_>) {
    let Some(location) = info.location() else {
        return;
    };
    let message = info.payload_as_str();
    let message = message.map(|text| text[..text.floor_char_boundary(MAX_MESSAGE)].to_owned());
    let details = Box::new(PanicDetails {
        message,
        file: location.file().to_owned(),
        line: location.line(),
        column: location.column(),
    });
    // Thread locals are gone while a thread exits.
    if DETAILS.try_with(|last| last.set(Some(details))).is_ok() {
        STATE.set(State::Captured);
    }
}

/// ` at src/orders.rs:12:5: out of stock`.
struct Location<'details>(Option<&'details PanicDetails>);

impl Display for Location<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(details) = self.0 else { return Ok(()) };
        write!(
            f,
            " at {}:{}:{}",
            details.file, details.line, details.column
        )?;
        match &details.message {
            Some(message) => write!(f, ": {message}"),
            None => Ok(()),
        }
    }
}
