//! Batches of spans and of log records.

use std::time::Duration;

use super::{LARGEST, Rules, Setting, Source, Visitor, integer, settings, table_name, timeout};

/// Most items of a queue.
const LARGEST_QUEUE: u32 = 1 << 20;

/// Room for a minute at 500 spans a second, which a restart of the Collector may take. The specification says 2048.
const DEFAULT_QUEUE: u32 = 32_768;

/// 32 MiB.
const DEFAULT_QUEUE_BYTES: u32 = 32 << 20;

const SMALLEST_QUEUE_BYTES: u32 = 64 << 10;

settings! {
    /// How spans or log records, called items here, are batched.
    #[derive(Eq)]
    pub struct BatchConfig(processor: &'static str, default_delay: Duration) {
        /// Time between two exports.
        schedule_delay: Setting<Duration> =
            setting("schedule_delay", [variable(processor, "SCHEDULE_DELAY")], default_delay),
        /// Maximum duration of one export. `None`: no limit.
        export_timeout: Setting<Option<Duration>> = setting(
            "export_timeout", [variable(processor, "EXPORT_TIMEOUT")], Some(Duration::from_secs(30)), timeout()
        ),
        /// Maximum number of queued items.
        max_queue_size: Setting<u32> = setting(
            "max_queue_size", [variable(processor, "MAX_QUEUE_SIZE")], DEFAULT_QUEUE,
            Rules::new()
                .parse(|text| integer(text, 1..=LARGEST_QUEUE))
                .check(|size| integer(&size.to_string(), 1..=LARGEST_QUEUE).err())
        ),
        /// Maximum number of bytes of the queued items, as they are encoded.
        max_queue_bytes: Setting<u32> = setting(
            "max_queue_bytes", [own_variable(processor, "MAX_QUEUE_BYTES")], DEFAULT_QUEUE_BYTES,
            Rules::new()
                .parse(|text| integer(text, SMALLEST_QUEUE_BYTES..=u32::MAX))
                .check(|bytes| integer(&bytes.to_string(), SMALLEST_QUEUE_BYTES..=u32::MAX).err())
        ),
        /// Whether a full queue drops the items that wait longest, instead of new ones.
        drop_oldest: Setting<bool> =
            setting("drop_oldest", [own_variable(processor, "DROP_OLDEST")], false),
        /// Maximum number of items in one export; at most the queue's size.
        max_export_batch_size: Setting<u32> = by("", visit_batch_size, &max_queue_size, processor),
    }
}

impl BatchConfig {
    /// Sets the queue size from code. A batch size at its default is adjusted to it.
    pub fn set_max_queue_size(&mut self, size: u32) {
        self.max_queue_size.set(size);
        if self.max_export_batch_size.source == Source::Default {
            self.max_export_batch_size.value = default_batch(size);
        }
    }
}

/// Returns the name of a variable of the processor `BSP` or `BLRP`.
fn variable(processor: &str, setting: &str) -> &'static str {
    table_name(&["OTEL_", processor, "_", setting])
}

fn own_variable(processor: &str, setting: &str) -> &'static str {
    table_name(&["RUSTOK_TELEMETRY_", processor, "_", setting])
}

/// Visits the batch size, which must fit the queue. If the queue size is refused, that is the only diagnostic.
fn visit_batch_size(
    old: Option<&Setting<u32>>,
    visitor: &mut Visitor<'_>,
    queue: &Setting<u32>,
    processor: &str,
) -> Setting<u32> {
    let queue_name = variable(processor, "MAX_QUEUE_SIZE");
    let name = variable(processor, "MAX_EXPORT_BATCH_SIZE");
    let default = default_batch(queue.value);
    let rules = Rules::new().parse(|text| integer(text, 1..=LARGEST));
    let mut size = visitor.setting(old, "max_export_batch_size", &[name], default, &rules);
    let why = match size.value {
        0 => "not at least 1".to_owned(),
        value if value > queue.value => format!(
            "larger than the queue of {} ({queue_name}, from: {})",
            queue.value, queue.source
        ),
        _ => return size,
    };
    if visitor
        .reader()
        .is_some_and(|reader| reader.has_failed(queue_name))
    {
        return Setting::default_value(default);
    }
    let shown = size.value.to_string();
    visitor.refuse(&mut size, name, &shown, default, why);
    size
}

fn default_batch(queue: u32) -> u32 {
    512.min(queue)
}
