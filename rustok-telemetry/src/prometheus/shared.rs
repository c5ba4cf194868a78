//! Concurrent scrapes share one rendering of the text.
//!
//! A request joins a rendering that has not begun, so no text is older than its request. One rendering runs at a time,
//! and at most one for each format and encoding waits behind it.

use std::{sync::Mutex, thread};

use bytes::Bytes;
use tokio::{runtime::Handle, sync::watch};

use super::{
    encoder::Format,
    text::{self, PrometheusText},
};
use crate::lock::lock;

/// A text that several responses share, or the reason why there is none.
pub(crate) type Rendered = Result<SharedText, String>;

#[derive(Debug, Clone)]
pub(crate) struct SharedText {
    pub(crate) content_type: &'static str,
    pub(crate) content_encoding: Option<&'static str>,
    pub(crate) body: Bytes,
}

type Waiting = Mutex<Option<watch::Receiver<Option<Rendered>>>>;

/// The rendering of each format and encoding that has not begun.
static WAITING: [[Waiting; 2]; 2] = [const { [const { Mutex::new(None) }; 2] }; 2];

static RENDERING: Mutex<()> = Mutex::new(());

/// Returns the text, which was collected after this call.
///
/// # Panics
///
/// Outside of a tokio runtime.
pub(crate) async fn text(format: Format, gzip: bool) -> Rendered {
    let mut rendering = join(format, gzip)?;
    let rendered = rendering.wait_for(Option::is_some).await;
    let rendered = rendered.ok().and_then(|rendered| rendered.clone());
    rendered.unwrap_or_else(|| Err("a callback panicked during the collection".to_owned()))
}

/// Joins the rendering that has not begun, or starts one.
///
/// It has a thread of its own, because callbacks of the service run there, and neither they nor a service that occupies
/// its runtime may delay the requests of another runtime.
fn join(format: Format, gzip: bool) -> Result<watch::Receiver<Option<Rendered>>, String> {
    let slot = &WAITING[usize::from(format == Format::OpenMetrics)][usize::from(gzip)];
    let mut waiting = lock(slot);
    if let Some(rendering) = &*waiting {
        return Ok(rendering.clone());
    }
    let (sender, rendering) = watch::channel(None);
    let runtime = Handle::current();
    let render = move || {
        let _entered = runtime.enter();
        let _one_at_a_time = lock(&RENDERING);
        // Later requests wait for the next rendering.
        *lock(slot) = None;
        if sender.receiver_count() > 0 {
            sender.send_replace(Some(render(format, gzip)));
        }
    };
    let thread = thread::Builder::new().name("telemetry-scrape".to_owned());
    let started = thread.spawn(render);
    started.map_err(|error| format!("no thread can be started for the collection: {error}"))?;
    *waiting = Some(rendering.clone());
    Ok(rendering)
}

fn render(format: Format, gzip: bool) -> Rendered {
    let text = text::text(format).map_err(|error| error.to_string())?;
    let PrometheusText {
        content_type,
        content_encoding,
        body,
    } = if gzip { text.gzip() } else { text };
    Ok(SharedText {
        content_type,
        content_encoding,
        body: body.into(),
    })
}
