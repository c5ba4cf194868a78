//! How spans, and how log records, are gathered into batches.

use std::time::Duration;

use super::env::Reader;
use super::error::Diagnostic;
use super::parse;
use super::setting::{Setting, Source};

/// The SDK reserves room for the whole queue at once, so a slip of a few zeros would take all memory.
const LARGEST_QUEUE: u32 = 1 << 20;
const DEFAULT_QUEUE: u32 = 2048;

/// How spans or log records, items in short, are gathered into batches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchConfig {
    /// Time between two exports.
    pub schedule_delay: Setting<Duration>,
    /// Longest time that one export may take. `None`: no limit.
    pub export_timeout: Setting<Option<Duration>>,
    /// Items that may wait. Room for all of them is reserved at once.
    pub max_queue_size: Setting<u32>,
    /// Most items in one export; at most the queue's size.
    pub max_export_batch_size: Setting<u32>,
}

impl BatchConfig {
    /// Overrides the queue's size from code. A batch size that nobody set follows.
    pub fn set_max_queue_size(&mut self, size: u32) {
        self.max_queue_size.set(size);
        if self.max_export_batch_size.source == Source::Default {
            self.max_export_batch_size.value = default_batch(size);
        }
    }

    pub(super) fn read(reader: &mut Reader, names: &BatchVariables) -> Self {
        let queue = reader.setting(names.queue, DEFAULT_QUEUE, |text| {
            parse::integer(text, 1..=LARGEST_QUEUE)
        });
        let batch = reader.setting(names.batch, default_batch(queue.value), |text| {
            parse::integer(text, 1..=parse::LARGEST)
        });
        let timeout = Some(Duration::from_secs(30));
        let config = Self {
            schedule_delay: reader.setting(names.delay, names.default_delay, parse::interval),
            export_timeout: reader.setting(names.timeout, timeout, parse::timeout),
            max_queue_size: queue,
            max_export_batch_size: batch,
        };
        if let Some(why) = config.batch_problem(names)
            && !reader.has_failed(names.queue)
        {
            reader.refuse(names.batch, why);
        }
        config
    }

    /// What is wrong in values set in code.
    pub(super) fn diagnostics(&self, names: &BatchVariables) -> Vec<Diagnostic> {
        let (queue, batch) = (self.max_queue_size.value, self.max_export_batch_size.value);
        let queue_problem = (!(1..=LARGEST_QUEUE).contains(&queue))
            .then(|| format!("not between 1 and {LARGEST_QUEUE}"));
        let delay = self.schedule_delay.value;
        let delay_problem = delay.is_zero().then(|| "not more than 0".to_owned());
        let milliseconds = delay.as_millis().to_string();
        [
            (
                names.delay,
                milliseconds,
                delay_problem,
                self.schedule_delay.source,
            ),
            (
                names.queue,
                queue.to_string(),
                queue_problem,
                self.max_queue_size.source,
            ),
            (
                names.batch,
                batch.to_string(),
                self.batch_problem(names),
                self.max_export_batch_size.source,
            ),
        ]
        .into_iter()
        .filter_map(|(name, value, why, source)| {
            Some(Diagnostic::of_value(name, &value, why?).from(source))
        })
        .collect()
    }

    /// Puts the specification's default in the place of each value that cannot be used.
    pub(super) fn apply_defaults(&mut self, names: &BatchVariables) {
        if self.schedule_delay.value.is_zero() {
            self.schedule_delay = Setting::default_value(names.default_delay);
        }
        if !(1..=LARGEST_QUEUE).contains(&self.max_queue_size.value) {
            self.max_queue_size = Setting::default_value(DEFAULT_QUEUE);
        }
        if self.batch_problem(names).is_some() {
            let size = default_batch(self.max_queue_size.value);
            self.max_export_batch_size = Setting::default_value(size);
        }
    }

    fn batch_problem(&self, names: &BatchVariables) -> Option<String> {
        let (queue, batch) = (&self.max_queue_size, &self.max_export_batch_size);
        match batch.value {
            0 => Some("not at least 1".to_owned()),
            size if size > queue.value => Some(format!(
                "larger than the queue of {} ({}, from: {})",
                queue.value, names.queue, queue.source
            )),
            _ => None,
        }
    }
}

/// The names of the variables for one kind of item, and what differs by default.
pub(super) struct BatchVariables {
    delay: &'static str,
    default_delay: Duration,
    timeout: &'static str,
    queue: &'static str,
    batch: &'static str,
}

macro_rules! names {
    ($processor:literal, $default_delay:expr) => {
        BatchVariables {
            delay: concat!("OTEL_", $processor, "_SCHEDULE_DELAY"),
            default_delay: $default_delay,
            timeout: concat!("OTEL_", $processor, "_EXPORT_TIMEOUT"),
            queue: concat!("OTEL_", $processor, "_MAX_QUEUE_SIZE"),
            batch: concat!("OTEL_", $processor, "_MAX_EXPORT_BATCH_SIZE"),
        }
    };
}

pub(super) static SPANS: BatchVariables = names!("BSP", Duration::from_secs(5));
pub(super) static LOG_RECORDS: BatchVariables = names!("BLRP", Duration::from_secs(1));

fn default_batch(queue: u32) -> u32 {
    512.min(queue)
}
