//! The queue of encoded spans or log records, and the thread that exports them in batches.
//!
//! A batch whose export fails for a reason that passes stays with the thread, which sends it again before any other. The
//! queue fills behind it, and only a full queue drops items.

use std::{
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, Sender as Answer},
    },
    thread::{self, Thread},
    time::{Duration, Instant},
};

use opentelemetry::{Context, InstrumentationScope};
use opentelemetry_proto::{
    tonic::trace::v1::{ResourceSpans, ScopeSpans},
    transform::common::tonic::ResourceAttributesWithSchema,
};
use opentelemetry_sdk::{
    Resource,
    error::{OTelSdkError, OTelSdkResult},
};
use tokio::runtime::Handle;

use super::{
    ConnectionRuntime,
    encode::Encoded,
    requests::{ITEM, RESOURCE, Requests, SCOPE},
    retry::jitter,
    sender::{Exported, Sender, Unsent},
};
use crate::{
    InitError,
    config::{BatchConfig, OtlpConfig},
    delivery::{Admission, Importance, QueueStats},
};

/// Time after which a flush looks again for an item that is counted and not yet in the queue.
const ALMOST_QUEUED: Duration = Duration::from_millis(1);

/// How often it looks for such an item.
const MOST_LOOKS: u32 = 100;

/// Limits of the time after which a failed batch is sent again. Within them it is the delay between two exports.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The queue. Adding to it takes no lock; an item that finds it full is counted and dropped.
#[derive(Debug)]
pub(super) struct Batches {
    queue: &'static QueueStats,
    items: Answer<Encoded>,
    orders: Arc<Mutex<Orders>>,
    batch_size: u64,
    /// Whether the thread waits for a full batch.
    wants_batch: Arc<AtomicBool>,
    thread: Thread,
}

/// What is queued.
#[derive(Clone, Copy)]
pub(super) struct Items {
    pub(super) queue: &'static QueueStats,
    pub(super) thread: &'static str,
    /// Describes an item that is too large.
    pub(super) describe: fn(&Encoded) -> String,
}

/// The outcome of exports, or the first error.
type Outcome = Result<(), String>;

/// What the thread was told to do.
#[derive(Debug, Default)]
struct Orders {
    answers: Vec<Answer<Outcome>>,
    shut_down: bool,
}

/// The thread, which owns the other end of the queue.
struct Worker {
    queue: &'static QueueStats,
    items: Receiver<Encoded>,
    orders: Arc<Mutex<Orders>>,
    batch_size: u64,
    wants_batch: Arc<AtomicBool>,
    delay: Duration,
    sender: Sender,
    /// The requests that failed, and when they are sent again.
    unsent: Unsent,
    again_at: Instant,
    runtime: Handle,
    /// The message around the scopes.
    resource: ResourceSpans,
    describe: fn(&Encoded) -> String,
}

impl Batches {
    /// Starts the thread.
    pub(super) fn start(
        Items {
            queue,
            thread,
            describe,
        }: Items,
        otlp: &OtlpConfig,
        batch: &BatchConfig,
        resource: &Resource,
        runtime: &mut ConnectionRuntime,
    ) -> Result<Self, InitError> {
        let sender = Sender::new(otlp, batch.export_timeout.value, runtime)?;
        let [capacity, bytes] =
            [&batch.max_queue_size, &batch.max_queue_bytes].map(|limit| limit.value as usize);
        queue.set_capacity(capacity, bytes);
        // Bounded by the places in the queue: a bounded channel would allocate them all at the start.
        let (items, received) = mpsc::channel();
        let orders = Arc::<Mutex<Orders>>::default();
        let batch_size = batch.max_export_batch_size.value.into();
        let wants_batch = Arc::<AtomicBool>::default();
        let worker = Worker {
            queue,
            items: received,
            orders: Arc::clone(&orders),
            batch_size,
            wants_batch: Arc::clone(&wants_batch),
            delay: batch.schedule_delay.value,
            sender,
            unsent: Unsent::default(),
            again_at: Instant::now(),
            runtime: runtime.handle()?,
            resource: head(resource),
            describe,
        };
        let builder = thread::Builder::new().name(thread.to_owned());
        let started = builder.spawn(|| worker.run());
        let started = started
            .map_err(|error| InitError::pipeline("the thread that exports batches", error))?;
        Ok(Self {
            queue,
            items,
            orders,
            batch_size,
            wants_batch,
            thread: started.thread().clone(),
        })
    }

    /// Takes a place in the queue for an item that is [sent](Self::send) then.
    pub(super) fn admit(&self, importance: Importance) -> bool {
        self.queue.enter_queue(importance) == Admission::Queued
    }

    /// Adds an item that was [admitted](Self::admit), unless its bytes do not fit.
    pub(super) fn send(&self, item: Encoded, importance: Importance) {
        if self.queue.add_bytes(item.message.len(), importance) == Admission::Dropped {
            return;
        }
        // After a shutdown the send fails, and the item counts as unsent.
        let _ = self.items.send(item);
        if self.queue.queued() >= self.batch_size && self.wants_batch.swap(false, Ordering::Relaxed)
        {
            self.thread.unpark();
        }
    }

    /// Exports everything that has entered the queue.
    pub(super) fn flush(&self) -> OTelSdkResult {
        let answer = self.order(false).recv();
        answer.map_or(Err(OTelSdkError::AlreadyShutdown), as_sdk_result)
    }

    /// Exports everything that has entered the queue, and ends the thread.
    pub(super) fn shut_down(&self, timeout: Duration) -> OTelSdkResult {
        let answer = self.order(true);
        match answer.recv_timeout(timeout) {
            Ok(exported) => as_sdk_result(exported),
            Err(mpsc::RecvTimeoutError::Timeout) => Err(OTelSdkError::Timeout(timeout)),
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(OTelSdkError::AlreadyShutdown),
        }
    }

    fn order(&self, shut_down: bool) -> Receiver<Outcome> {
        let (answer, answered) = mpsc::channel();
        let mut orders = lock(&self.orders);
        // The thread has ended after a shutdown: the answer is dropped, and its receiver disconnected.
        if !orders.shut_down {
            orders.answers.push(answer);
            orders.shut_down = shut_down;
        }
        drop(orders);
        self.thread.unpark();
        answered
    }
}

impl Worker {
    fn run(mut self) {
        let _suppressed = Context::enter_telemetry_suppressed_scope();
        loop {
            let (answers, shut_down) = self.wait();
            let result = match answers.is_empty() {
                true => self.export_batch().unwrap_or(Ok(())),
                false => self.export_all(),
            };
            if shut_down {
                self.sender.give_up(mem::take(&mut self.unsent));
                self.sender.shut_down();
            }
            for answer in answers {
                // The send fails if the caller has stopped waiting.
                let _ = answer.send(result.clone());
            }
            if shut_down {
                return;
            }
        }
    }

    /// Waits for an order, a full batch, or the delay; after a failure, for an order or the time to send again.
    fn wait(&self) -> (Vec<Answer<Outcome>>, bool) {
        let has_unsent = !self.unsent.is_empty();
        let deadline = match has_unsent {
            true => self.again_at,
            false => Instant::now() + self.delay,
        };
        loop {
            let mut orders = lock(&self.orders);
            let answers = mem::take(&mut orders.answers);
            let shut_down = orders.shut_down;
            drop(orders);
            let left = deadline.saturating_duration_since(Instant::now());
            self.wants_batch.store(!has_unsent, Ordering::Relaxed);
            let is_full = !has_unsent && self.queue.queued() >= self.batch_size;
            if !answers.is_empty() || is_full || left.is_zero() {
                self.wants_batch.store(false, Ordering::Relaxed);
                return (answers, shut_down);
            }
            thread::park_timeout(left);
        }
    }

    /// Exports what had entered the queue when this was called, up to a failure that passes. An item counts as entered before it is in the queue; one
    /// that does not come, because its thread panicked, is not waited for.
    fn export_all(&mut self) -> Outcome {
        let entered = self.queue.entered();
        let (mut result, mut looks) = (Ok(()), 0);
        while !self.queue.has_finished(entered) && looks < MOST_LOOKS {
            match self.export_batch() {
                Some(exported) => {
                    (result, looks) = (result.and(exported), 0);
                    if !self.unsent.is_empty() {
                        break;
                    }
                }
                None => {
                    thread::sleep(ALMOST_QUEUED);
                    looks += 1;
                }
            }
        }
        result
    }

    /// Exports one batch, or what is unsent of the last one; `None` if nothing is queued.
    fn export_batch(&mut self) -> Option<Outcome> {
        let Exported { result, unsent } = match self.unsent.is_empty() {
            true => {
                let items = self.items.try_iter().take(self.batch_size as usize);
                let batch: Vec<_> = items.collect();
                if batch.is_empty() {
                    return None;
                }
                let bytes = batch.iter().map(|item| item.message.len()).sum();
                self.queue.leave_queue(batch.len(), bytes);
                let requests = self.requests(&batch);
                drop(batch);
                self.runtime.block_on(self.sender.export(requests))
            }
            false => {
                let unsent = mem::take(&mut self.unsent);
                self.runtime.block_on(self.sender.export_again(unsent))
            }
        };
        let pause = self.delay.clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
        self.again_at = Instant::now() + pause.max(unsent.pause) + jitter();
        self.unsent = unsent;
        Some(result.map_err(|error| error.to_string()))
    }

    /// The messages around spans and around log records have the same fields.
    fn requests(&self, batch: &[Encoded]) -> Requests {
        let mut scopes: Vec<(&InstrumentationScope, Vec<&Encoded>)> = Vec::new();
        for item in batch {
            match scopes.iter_mut().find(|(scope, _)| **scope == item.scope) {
                Some((_, items)) => items.push(item),
                None => scopes.push((&item.scope, vec![item])),
            }
        }
        let mut requests = Requests::new();
        requests.open(RESOURCE, &self.resource);
        for (scope, items) in scopes {
            let head = ScopeSpans {
                scope: Some((scope, None).into()),
                schema_url: scope.schema_url().unwrap_or_default().to_owned(),
                ..ScopeSpans::default()
            };
            requests.open(SCOPE, &head);
            for item in items {
                requests.add_encoded(ITEM, &item.message, || (self.describe)(item));
            }
            requests.close();
        }
        requests.close();
        requests
    }
}

fn as_sdk_result(exported: Outcome) -> OTelSdkResult {
    exported.map_err(OTelSdkError::InternalFailure)
}

fn head(resource: &Resource) -> ResourceSpans {
    let ResourceAttributesWithSchema {
        attributes,
        schema_url,
    } = resource.into();
    let resource = opentelemetry_proto::tonic::resource::v1::Resource {
        attributes: attributes.0,
        ..Default::default()
    };
    ResourceSpans {
        resource: Some(resource),
        schema_url: schema_url.unwrap_or_default(),
        ..ResourceSpans::default()
    }
}

fn lock(orders: &Mutex<Orders>) -> MutexGuard<'_, Orders> {
    orders.lock().unwrap_or_else(PoisonError::into_inner)
}
