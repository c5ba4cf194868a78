//! Batches of spans and of log records.

use std::time::Duration;

use super::{LARGEST, Rules, Setting, Source, Visitor, integer, settings, table_name, timeout};

/// The SDK allocates the whole queue at once, so a much larger one would take all memory.
const LARGEST_QUEUE: u32 = 1 << 20;

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
        /// Maximum number of queued items. Memory for all of them is allocated at once.
        max_queue_size: Setting<u32> = setting(
            "max_queue_size", [variable(processor, "MAX_QUEUE_SIZE")], 2048,
            Rules::new()
                .parse(|text| integer(text, 1..=LARGEST_QUEUE))
                .check(|size| integer(&size.to_string(), 1..=LARGEST_QUEUE).err())
        ),
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
