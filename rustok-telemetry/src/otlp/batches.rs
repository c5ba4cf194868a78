//! The queue of encoded spans or log records, and the thread that exports them in batches.

use std::{
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{self, Receiver, Sender as Answer, SyncSender},
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
    sender::Sender,
};
use crate::{
    InitError,
    config::{BatchConfig, OtlpConfig},
    delivery::{Admission, QueueStats},
};

/// Time after which a flush looks again for an item that is counted and not yet in the queue.
const ALMOST_QUEUED: Duration = Duration::from_millis(1);

/// How often it looks for such an item.
const MOST_LOOKS: u32 = 100;

/// The queue. Adding to it takes no lock; an item that finds it full is counted and dropped.
#[derive(Debug)]
pub(super) struct Batches {
    queue: &'static QueueStats,
    items: SyncSender<Encoded>,
    orders: Arc<Mutex<Orders>>,
    batch_size: u64,
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
type Exported = Result<(), String>;

/// What the thread was told to do.
#[derive(Debug, Default)]
struct Orders {
    answers: Vec<Answer<Exported>>,
    shut_down: bool,
}

/// The thread, which owns the other end of the queue.
struct Worker {
    queue: &'static QueueStats,
    items: Receiver<Encoded>,
    orders: Arc<Mutex<Orders>>,
    batch_size: u64,
    delay: Duration,
    sender: Sender,
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
        let capacity = batch.max_queue_size.value as usize;
        queue.set_capacity(capacity);
        let (items, received) = mpsc::sync_channel(capacity);
        let orders = Arc::<Mutex<Orders>>::default();
        let batch_size = batch.max_export_batch_size.value.into();
        let worker = Worker {
            queue,
            items: received,
            orders: Arc::clone(&orders),
            batch_size,
            delay: batch.schedule_delay.value,
            sender,
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
            thread: started.thread().clone(),
        })
    }

    /// Takes a place in the queue for an item that is [sent](Self::send) then.
    pub(super) fn admit(&self) -> bool {
        self.queue.enter_queue() == Admission::Queued
    }

    /// Adds an item that was [admitted](Self::admit).
    pub(super) fn send(&self, item: Encoded) {
        // The channel has room for every admitted item. After a shutdown the send fails, and the item counts as unsent.
        let _ = self.items.try_send(item);
        if self.queue.queued() >= self.batch_size {
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

    fn order(&self, shut_down: bool) -> Receiver<Exported> {
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
    fn run(self) {
        let _suppressed = Context::enter_telemetry_suppressed_scope();
        loop {
            let (answers, shut_down) = self.wait();
            let result = match answers.is_empty() {
                true => self.export_batch().unwrap_or(Ok(())),
                false => self.export_all(),
            };
            if shut_down {
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

    /// Waits for an order, a full batch, or the delay.
    fn wait(&self) -> (Vec<Answer<Exported>>, bool) {
        let deadline = Instant::now() + self.delay;
        loop {
            let mut orders = lock(&self.orders);
            let answers = mem::take(&mut orders.answers);
            let shut_down = orders.shut_down;
            drop(orders);
            let left = deadline.saturating_duration_since(Instant::now());
            if !answers.is_empty() || self.queue.queued() >= self.batch_size || left.is_zero() {
                return (answers, shut_down);
            }
            thread::park_timeout(left);
        }
    }

    /// Exports what had entered the queue when this was called. An item counts as entered before it is in the queue; one
    /// that does not come, because its thread panicked, is not waited for.
    fn export_all(&self) -> Exported {
        let entered = self.queue.entered();
        let (mut result, mut looks) = (Ok(()), 0);
        while !self.queue.has_finished(entered) && looks < MOST_LOOKS {
            match self.export_batch() {
                Some(exported) => (result, looks) = (result.and(exported), 0),
                None => {
                    thread::sleep(ALMOST_QUEUED);
                    looks += 1;
                }
            }
        }
        result
    }

    /// Exports one batch; `None` if nothing is queued.
    fn export_batch(&self) -> Option<Exported> {
        let items = self.items.try_iter().take(self.batch_size as usize);
        let batch: Vec<_> = items.collect();
        if batch.is_empty() {
            return None;
        }
        self.sender.begin(batch.len());
        let exported = self.sender.export(self.requests(&batch));
        Some(
            self.runtime
                .block_on(exported)
                .map_err(|error| error.to_string()),
        )
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

fn as_sdk_result(exported: Exported) -> OTelSdkResult {
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
