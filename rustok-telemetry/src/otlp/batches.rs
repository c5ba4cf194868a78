//! The queue of encoded spans or log records, and the thread that exports them in batches.
//!
//! A batch whose export fails for a reason that passes stays with the thread, which sends it again before any other. The
//! queue fills behind it, and only a full queue drops items. With a spool the batches wait on disk (`spool/`).

use std::{
    collections::VecDeque,
    iter, mem,
    pin::pin,
    sync::{
        Arc, Mutex,
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
use tokio::{runtime::Handle, time::timeout};

#[cfg(feature = "spool")]
use super::spool::{Spool, SpoolWorker};
use super::{
    ConnectionRuntime,
    encode::Encoded,
    requests::{ITEM, RESOURCE, Requests, SCOPE},
    sender::{Export, Exported, Sender},
};
use crate::{
    InitError,
    config::{BatchConfig, OtlpConfig, SpoolConfig},
    delivery::{
        Admission, Importance, QueueStats,
        threads::{self, OwnThread},
    },
    lock::lock,
};

/// Time after which a flush looks again for an item that is counted and not yet in the queue.
pub(super) const ALMOST_QUEUED: Duration = Duration::from_millis(1);

/// How often it looks for such an item.
pub(super) const MOST_LOOKS: u32 = 100;

/// How often a queue that drops its oldest items is looked at while no export succeeds.
const LOOK_FOR_ROOM: Duration = Duration::from_millis(50);

/// The queue. Adding to it takes no lock; an item that finds it full is counted and dropped.
#[derive(Debug)]
pub(super) struct Batches {
    queue: &'static QueueStats,
    items: Answer<Encoded>,
    orders: Arc<Mutex<Orders>>,
    batch_size: u64,
    thread: Thread,
}

/// What is queued.
#[derive(Clone, Copy)]
pub(super) struct Items {
    pub(super) queue: &'static QueueStats,
    pub(super) thread: &'static OwnThread,
    /// Describes an item that is too large.
    pub(super) describe: fn(&Encoded) -> String,
}

/// The outcome of exports, or the first error.
pub(super) type Outcome = Result<(), String>;

/// What the thread was told to do.
#[derive(Debug, Default)]
struct Orders {
    answers: Vec<Answer<Outcome>>,
    shut_down: bool,
}

/// The thread, which owns the other end of the queue.
pub(super) struct Worker {
    pub(super) thread: &'static OwnThread,
    pub(super) queue: &'static QueueStats,
    items: Receiver<Encoded>,
    /// Important items that were passed over when older items were dropped. They still count as queued.
    passed_over: VecDeque<Encoded>,
    pub(super) drops_oldest: bool,
    orders: Arc<Mutex<Orders>>,
    pub(super) batch_size: u64,
    pub(super) delay: Duration,
    pub(super) sender: Arc<Sender>,
    /// The requests that failed, and when they are sent again.
    unsent: Export,
    again_at: Instant,
    pub(super) runtime: Handle,
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
        #[cfg_attr(not(feature = "spool"), expect(unused_variables))] spool: &SpoolConfig,
        resource: &Resource,
        runtime: &mut ConnectionRuntime,
    ) -> Result<Self, InitError> {
        let (limit, delay) = (batch.export_timeout.value, batch.schedule_delay.value);
        let sender = Arc::new(Sender::new(otlp, limit, delay, runtime)?);
        let [capacity, bytes] =
            [&batch.max_queue_size, &batch.max_queue_bytes].map(|limit| limit.value as usize);
        queue.set_capacity(capacity, bytes);
        // Bounded by the places in the queue: a bounded channel would allocate them all at the start.
        let (items, received) = mpsc::channel();
        let orders = Arc::<Mutex<Orders>>::default();
        let batch_size = batch.max_export_batch_size.value.into();
        let worker = Worker {
            thread,
            queue,
            items: received,
            passed_over: VecDeque::new(),
            drops_oldest: batch.drop_oldest.value,
            orders: Arc::clone(&orders),
            batch_size,
            delay,
            sender,
            unsent: Export::default(),
            again_at: Instant::now(),
            runtime: runtime.handle()?,
            resource: head(resource),
            describe,
        };
        let builder = thread::Builder::new().name(thread.name.to_owned());
        #[cfg(feature = "spool")]
        let started = match Spool::open(spool, otlp.signal, queue)? {
            Some(spool) => builder.spawn(|| SpoolWorker::new(worker, spool).run()),
            None => builder.spawn(|| worker.run()),
        };
        #[cfg(not(feature = "spool"))]
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
    pub(super) fn admit(&self, importance: Importance) -> bool {
        self.queue.enter_queue(importance) == Admission::Queued
    }

    /// Adds an item that was [admitted](Self::admit), unless its bytes do not fit.
    pub(super) fn send(&self, item: Encoded) {
        let added = self.queue.add_bytes(item.message.len(), item.importance);
        if added == Admission::Dropped {
            return;
        }
        // After a shutdown the send fails, and the item counts as unsent.
        let _ = self.items.send(item);
        if self.queue.completes_batch(self.batch_size) {
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
            let thread = self.thread;
            let exported = thread.guard(|| match answers.is_empty() {
                true => self.export_batch().flatten().unwrap_or(Ok(())),
                false => self.export_all(),
            });
            let result = exported.unwrap_or_else(|panic| {
                self.queue.drop_exporting(self.unsent.items() as u64);
                thread::sleep(threads::PAUSE);
                Err(panic)
            });
            if shut_down {
                self.sender.give_up(&self.unsent);
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
    fn wait(&mut self) -> (Vec<Answer<Outcome>>, bool) {
        let has_unsent = !self.unsent.is_empty();
        let deadline = match has_unsent {
            true => self.again_at,
            false => Instant::now() + self.delay,
        };
        loop {
            let (answers, shut_down) = self.take_orders();
            let left = deadline.saturating_duration_since(Instant::now());
            let is_full = !has_unsent && self.queue.await_batch(self.batch_size);
            if !answers.is_empty() || is_full || left.is_zero() {
                self.queue.stop_awaiting();
                return (answers, shut_down);
            }
            if has_unsent {
                self.wait_for_retry(thread::park_timeout);
            } else {
                thread::park_timeout(left);
            }
        }
    }

    /// Waits until requests are sent again, or for a shorter time.
    fn wait_for_retry(&mut self, wait: impl Fn(Duration)) {
        let mut left = self.again_at.saturating_duration_since(Instant::now());
        if self.drops_oldest {
            self.make_room();
            left = left.min(LOOK_FOR_ROOM);
        }
        wait(left);
    }

    pub(super) fn take_orders(&self) -> (Vec<Answer<Outcome>>, bool) {
        let mut orders = lock(&self.orders);
        (mem::take(&mut orders.answers), orders.shut_down)
    }

    /// Exports what had entered the queue when this was called, up to an export that fails for a reason that passes. An
    /// item counts as entered before it is in the queue; one that does not come, because its thread panicked, is not
    /// waited for.
    fn export_all(&mut self) -> Outcome {
        self.sender.restart_retries();
        let entered = self.queue.entered();
        let (mut result, mut looks) = (Ok(()), 0);
        while !self.queue.has_finished(entered) && looks < MOST_LOOKS {
            let Some(exported) = self.export_batch() else {
                thread::sleep(ALMOST_QUEUED);
                looks += 1;
                continue;
            };
            looks = 0;
            let Some(exported) = exported else {
                while Instant::now() < self.again_at {
                    self.wait_for_retry(thread::sleep);
                }
                continue;
            };
            result = result.and(exported);
            if !self.unsent.is_empty() {
                break;
            }
        }
        result
    }

    /// Exports one batch, or what is unsent of the last one. Returns the outcome, or `None` while retries go on; `None` if
    /// nothing is queued.
    fn export_batch(&mut self) -> Option<Option<Outcome>> {
        let export = match self.unsent.is_empty() {
            true => self.next_batch()?.into(),
            false => mem::take(&mut self.unsent),
        };
        let sender = Arc::clone(&self.sender);
        let Exported { result, unsent } = self.wait_for(sender.export(export));
        self.again_at = Instant::now() + unsent.pause;
        self.unsent = unsent;
        Some(result.map(|result| result.map_err(|error| error.to_string())))
    }

    /// Takes a batch from the queue; `None` if nothing is queued.
    pub(super) fn next_batch(&mut self) -> Option<Requests> {
        let next = || {
            let passed_over = self.passed_over.pop_front();
            passed_over.or_else(|| self.items.try_recv().ok())
        };
        let batch: Vec<_> = iter::from_fn(next).take(self.batch_size as usize).collect();
        if batch.is_empty() {
            return None;
        }
        let bytes = batch.iter().map(|item| item.message.len()).sum();
        self.queue.leave_queue(batch.len(), bytes);
        Some(self.requests(&batch))
    }

    /// Waits for an export.
    fn wait_for<T>(&mut self, export: impl Future<Output = T>) -> T {
        let runtime = self.runtime.clone();
        runtime.block_on(async {
            let mut export = pin!(export);
            while self.drops_oldest {
                match timeout(LOOK_FOR_ROOM, &mut export).await {
                    Ok(exported) => return exported,
                    Err(_) => self.make_room(),
                }
            }
            export.await
        })
    }

    /// Drops the oldest items of a queue that is nearly full; the important ones last.
    pub(super) fn make_room(&mut self) {
        while self.queue.is_nearly_full() {
            let most = self.queue.reserved();
            let dropped = match self.items.try_recv() {
                Ok(item) if item.importance == Importance::High => {
                    self.passed_over.push_back(item);
                    match self.passed_over.len() > most {
                        true => self.passed_over.pop_front(),
                        false => None,
                    }
                }
                Ok(item) => Some(item),
                // An item counts as queued just before it is.
                Err(_) => return,
            };
            if let Some(item) = dropped {
                self.queue.drop_queued(item.message.len());
            }
        }
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
