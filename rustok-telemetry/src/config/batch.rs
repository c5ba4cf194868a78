//! How spans are gathered into batches.

use std::time::Duration;

use super::env::Reader;
use super::error::Problem;
use super::parse;
use super::setting::{Setting, Source};

const DELAY: &str = "OTEL_BSP_SCHEDULE_DELAY";
const QUEUE: &str = "OTEL_BSP_MAX_QUEUE_SIZE";
const BATCH: &str = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE";

/// The SDK reserves room for the whole queue at once, so a slip of a few zeros would take all memory.
const LARGEST_QUEUE: u32 = 1 << 20;

/// How spans are gathered into batches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchConfig {
    /// Time between two exports.
    pub schedule_delay: Setting<Duration>,
    /// Longest time that one export may take. `None`: no limit.
    pub export_timeout: Setting<Option<Duration>>,
    /// Spans that may wait. Room for all of them is reserved at once.
    pub max_queue_size: Setting<u32>,
    /// Most spans in one export; at most the queue's size.
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

    pub(super) fn read(reader: &mut Reader) -> Self {
        let seconds = Duration::from_secs;
        let queue = reader.setting(QUEUE, 2048, |text| parse::integer(text, 1..=LARGEST_QUEUE));
        let batch = reader.setting(BATCH, default_batch(*queue), |text| {
            parse::integer(text, 1..=parse::LARGEST)
        });
        let config = Self {
            schedule_delay: reader.setting(DELAY, seconds(5), parse::interval),
            export_timeout: reader.setting(
                "OTEL_BSP_EXPORT_TIMEOUT",
                Some(seconds(30)),
                parse::timeout,
            ),
            max_queue_size: queue,
            max_export_batch_size: batch,
        };
        if let Some(why) = config.batch_problem()
            && !reader.has_failed(QUEUE)
        {
            reader.refuse(BATCH, why);
        }
        config
    }

    /// What is wrong in values set in code.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let (queue, batch) = (self.max_queue_size.value, self.max_export_batch_size.value);
        let queue_problem = (!(1..=LARGEST_QUEUE).contains(&queue))
            .then(|| format!("not between 1 and {LARGEST_QUEUE}"));
        let delay = self.schedule_delay.value;
        let delay_problem = delay.is_zero().then(|| "not more than 0".to_owned());
        let milliseconds = delay.as_millis().to_string();
        [
            (
                DELAY,
                milliseconds,
                delay_problem,
                self.schedule_delay.source,
            ),
            (
                QUEUE,
                queue.to_string(),
                queue_problem,
                self.max_queue_size.source,
            ),
            (
                BATCH,
                batch.to_string(),
                self.batch_problem(),
                self.max_export_batch_size.source,
            ),
        ]
        .into_iter()
        .filter_map(|(name, value, why, source)| {
            Some(Problem::of_value(name, &value, why?).from(source))
        })
        .collect()
    }

    fn batch_problem(&self) -> Option<String> {
        let (queue, batch) = (&self.max_queue_size, &self.max_export_batch_size);
        match batch.value {
            0 => Some("not at least 1".to_owned()),
            size if size > queue.value => Some(format!(
                "larger than the queue of {} ({QUEUE}, from: {})",
                queue.value, queue.source
            )),
            _ => None,
        }
    }
}

fn default_batch(queue: u32) -> u32 {
    512.min(queue)
}
