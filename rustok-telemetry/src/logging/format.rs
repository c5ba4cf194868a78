//! The format of log lines: that of tracing-subscriber, with the ids of the trace and the tenant.

use std::{borrow::Cow, cell::RefCell, fmt};

use tracing::{Event, Subscriber};
use tracing_log::NormalizeEvent;
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{Format, Full, Json, Writer},
    },
    registry::LookupSpan,
};

use super::{
    escape::{has_controls, write_on_one_line},
    origin::{Origin, Spans},
};
use crate::trace::TENANT_ID;

/// The format of log lines, with the origin of each event.
#[derive(Debug)]
pub(super) struct Line {
    style: Style,
    spans: Spans,
}

impl Line {
    pub(super) fn new(style: Style, spans: &Spans) -> Self {
        let spans = spans.clone();
        Self { style, spans }
    }
}

#[derive(Debug)]
pub(super) enum Style {
    /// A single line of text: `… message field=1 trace_id=… span_id=… tenant_id=acme`.
    Human {
        format: Format<Full>,
        /// For a target with control characters, which the formatter does not escape.
        plain: Format<Full>,
        colours: bool,
    },
    /// An object on one line: `{…,"trace_id":"…","span_id":"…","tenant_id":"acme"}`.
    Json(Format<Json>),
}

impl Style {
    pub(super) fn human(format: Format<Full>, colours: bool) -> Self {
        // The line is written to a buffer first, which does not know whether its reader is a terminal.
        Self::Human {
            plain: format.clone().with_ansi(false),
            format: format.with_ansi(colours),
            colours,
        }
    }
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let origin = self.spans.origin(event, context.event_scope());
        buffered(|line| match &self.style {
            Style::Human {
                format,
                plain,
                colours,
            } => {
                let colours = *colours && !has_controls(&target(event));
                let format = if colours { format } else { plain };
                format.format_event(context, Writer::new(line), event)?;
                let line = line.strip_suffix('\n').unwrap_or(line);
                write_on_one_line(&mut writer, line, colours)?;
                append(&mut writer, &origin)?;
                writer.write_char('\n')
            }
            Style::Json(format) => {
                format.format_event(context, Writer::new(line), event)?;
                let object = line.trim_end_matches('\n');
                writer.write_str(object.strip_suffix('}').ok_or(fmt::Error)?)?;
                if let Some(span) = &origin.span {
                    let (trace, span) = (span.trace_id(), span.span_id());
                    write!(writer, r#","trace_id":"{trace}","span_id":"{span}""#)?;
                }
                if let Some(tenant) = origin.tenant.as_deref() {
                    let tenant = serde_json::to_string(tenant).map_err(|_| fmt::Error)?;
                    write!(writer, r#","{TENANT_ID}":{tenant}"#)?;
                }
                writer.write_str("}\n")
            }
        })
    }
}

/// Returns the target of an event. An event of the `log` crate has the target of its record.
fn target<'event>(event: &'event Event<'_>) -> Cow<'event, str> {
    match event.normalized_metadata() {
        Some(metadata) => metadata.target().to_owned().into(),
        None => event.metadata().target().into(),
    }
}

/// Calls `write` with the thread's buffer, or with a new one for a line within a line.
fn buffered(write: impl FnOnce(&mut String) -> fmt::Result) -> fmt::Result {
    thread_local! {
        static BUFFER: RefCell<String> = const { RefCell::new(String::new()) };
    }
    BUFFER.with(|buffer| match buffer.try_borrow_mut() {
        Ok(mut buffer) => {
            buffer.clear();
            write(&mut buffer)
        }
        Err(_) => write(&mut String::new()),
    })
}

/// Appends the ids to a line of text, dimmed on a terminal.
fn append(writer: &mut Writer<'_>, origin: &Origin) -> fmt::Result {
    if origin.span.is_none() && origin.tenant.is_none() {
        return Ok(());
    }
    let dims = writer.has_ansi_escapes();
    if dims {
        writer.write_str("\x1b[2m")?;
    }
    if let Some(span) = &origin.span {
        write!(
            writer,
            " trace_id={} span_id={}",
            span.trace_id(),
            span.span_id()
        )?;
    }
    match origin.tenant.as_deref() {
        // Quoted where it would be ambiguous, or would break the line.
        Some(tenant) if tenant.is_empty() || tenant.contains(is_ambiguous) => {
            write!(writer, " {TENANT_ID}={tenant:?}")?;
        }
        Some(tenant) => write!(writer, " {TENANT_ID}={tenant}")?,
        None => {}
    }
    if dims {
        writer.write_str("\x1b[0m")?;
    }
    Ok(())
}

fn is_ambiguous(character: char) -> bool {
    character.is_whitespace() || character.is_control() || matches!(character, '"' | '=' | '\\')
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use opentelemetry::trace::TracerProvider;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing_subscriber::{Layer, layer::SubscriberExt};

    use super::{super::human_fields::HumanFields, *};

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Returns the lines of events on a terminal.
    fn coloured(events: impl FnOnce()) -> String {
        let written = Written::default();
        let writer = written.clone();
        let spans = Spans::default();
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(move || writer.clone())
            .with_ansi(true)
            .fmt_fields(HumanFields)
            .map_event_format(|line| Line::new(Style::human(line, true), &spans));
        let tracer = SdkTracerProvider::default().tracer("test");
        let subscriber = tracing_subscriber::registry()
            .with(lines.and_then(spans.layer()))
            .with(tracing_opentelemetry::layer().with_tracer(tracer));
        tracing::subscriber::with_default(subscriber, events);
        let bytes = written.0.lock().expect("no panic").clone();
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn hostile_text_cannot_steer_a_terminal() {
        let hostile = "a\u{1b}[2J\u{1b}]0;title\u{7}\r\n2026 WARN forged\u{9b}31m";
        for line in [
            coloured(|| tracing::warn!("{hostile}")),
            coloured(|| tracing::warn!(field = %hostile, "seen")),
            coloured(|| tracing::warn!(field = ?[hostile], "seen")),
            coloured(|| {
                tracing::info_span!("s", field = %hostile).in_scope(|| tracing::warn!("x"))
            }),
            coloured(|| tracing::warn!(target: "a\u{1b}[2J\n2026 WARN forged", "seen")),
        ] {
            let line = line.strip_suffix('\n').expect("one line");
            let sequences = line.split('\u{1b}').skip(1);
            let colours = |sequence: &str| {
                let (number, _) = sequence.strip_prefix('[')?.split_once('m')?;
                number.parse::<u8>().ok()
            };
            assert!(
                sequences.clone().all(|one| colours(one).is_some()),
                "{line:?}"
            );
            let others = line.chars().filter(|it| it.is_control() && *it != '\u{1b}');
            assert_eq!(others.count(), 0, "{line:?}");
            assert!(
                !line.contains("\u{1b}[31mforged") && line.contains("forged"),
                "{line:?}"
            );
        }
    }

    #[test]
    fn on_a_terminal_the_line_has_its_colours_and_dimmed_ids() {
        let text = coloured(|| {
            tracing::info_span!("work").in_scope(|| tracing::warn!("seen"));
            tracing::warn!("outside");
        });
        let (within, outside) = text.split_once('\n').expect("two lines");
        assert!(within.contains("\u{1b}[33m WARN\u{1b}[0m"), "{within:?}");
        assert!(within.contains("seen\u{1b}[2m trace_id="), "{within:?}");
        assert!(within.ends_with("\u{1b}[0m"), "{within:?}");
        assert!(outside.ends_with(" outside\n"), "{outside:?}");
    }
}
