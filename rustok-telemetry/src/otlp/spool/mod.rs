//! A spool on disk for spans and log records: the Cargo feature `spool`.
//!
//! Every request is on disk (`folder.rs`, `file.rs`) before it is sent, and is removed once the receiver has accepted or refused
//! it. While one request is being sent, the thread goes on writing, so that only the newest batch is in memory. New
//! requests are sent at once. Those of earlier processes and of an outage, the backlog, are sent beside them, in order
//! and at a bounded rate.

mod file;
mod folder;

use std::{
    sync::{
        Arc,
        mpsc::{self, Receiver, TryRecvError},
    },
    thread,
    time::{Duration, Instant},
};

use opentelemetry::Context;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};

pub(super) use self::folder::Spool;
use self::folder::{Entry, Part};
use super::{
    batches::{ALMOST_QUEUED, MOST_LOOKS, Outcome, Worker},
    requests::{Request, TooLarge},
    retry::Retry,
    sender::{Export, Exported},
};
use crate::{
    delivery::threads,
    lifecycle::{self, Stage},
};

/// The rate at which the backlog is sent: most bytes and requests in a second.
const BACKLOG_BYTES: u64 = 4 << 20;
const BACKLOG_REQUESTS: u32 = 200;

/// The thread of a signal with a spool.
pub(super) struct SpoolWorker {
    source: Worker,
    spool: Spool,
    in_flight: Option<InFlight>,
    /// `None` unless the last request failed for a reason that passes.
    retry: Option<NextRetry>,
    /// When the next request of the backlog may be sent.
    backlog_at: Instant,
    /// When the queue is written, unless there is a full batch before.
    write_at: Instant,
    last_sent: Part,
    /// The first error since a flush began.
    result: Outcome,
}

/// When the next request is sent after a failure.
#[derive(Clone, Copy)]
struct NextRetry {
    at: Instant,
    /// Whether it belongs to the same export. Until the export has failed, newer requests do not become the backlog.
    is_within_export: bool,
}

/// The request that is being sent.
struct InFlight {
    entry: Entry,
    part: Part,
    outcome: Receiver<Exported>,
}

impl SpoolWorker {
    pub(super) fn new(source: Worker, spool: Spool) -> Self {
        let now = Instant::now();
        Self {
            write_at: now + source.delay,
            source,
            spool,
            in_flight: None,
            retry: None,
            backlog_at: now,
            last_sent: Part::Backlog,
            result: Ok(()),
        }
    }

    pub(super) fn run(mut self) {
        let _suppressed = Context::enter_telemetry_suppressed_scope();
        loop {
            let (answers, shut_down) = self.source.take_orders();
            if answers.is_empty() {
                // A panic is counted and logged.
                let _ = self.guard(|this| this.step(false));
                self.park();
                continue;
            }
            let result = self.guard(Self::flush);
            let result = result.unwrap_or_else(Err);
            if shut_down {
                self.spool.close();
                self.source.sender.shut_down();
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

    /// Does a part of the work. After a panic, the batch in hand counts as dropped.
    fn guard<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> Result<T, String> {
        let thread = self.source.thread;
        thread.guard(|| work(self)).inspect_err(|_| {
            let sending = self.in_flight.as_ref();
            let sending = sending.map_or(0, |sent| sent.entry.held_items());
            let held = self.spool.held_items() + sending;
            self.source.queue.drop_exporting(held as u64);
            thread::sleep(threads::PAUSE);
        })
    }

    /// Writes what has entered the queue, and sends what has not been sent before. After an export failed it sends the
    /// oldest request only. It does not wait for the backlog.
    fn flush(&mut self) -> Outcome {
        let entered = self.source.queue.entered();
        let mut looks = 0;
        self.result = Ok(());
        self.source.sender.restart_retries();
        if let Some(retry) = &mut self.retry {
            retry.at = Instant::now();
        }
        loop {
            self.step(true);
            let is_written = self.source.queue.has_left(entered)
                || self.spool.holds_requests()
                || looks >= MOST_LOOKS;
            if !is_written {
                looks += 1;
                thread::sleep(ALMOST_QUEUED);
            } else if self.in_flight.is_some() || self.retries_export() {
                self.park();
            } else if self.spool.live.is_empty() || self.retry.is_some() {
                return std::mem::replace(&mut self.result, Ok(()));
            }
        }
    }

    /// Does what is due, without waiting for the receiver.
    fn step(&mut self, is_flush: bool) {
        self.conclude();
        let is_due = is_flush || Instant::now() >= self.write_at;
        if is_due || self.has_full_batch() {
            self.write(is_due);
            self.write_at = Instant::now() + self.source.delay;
        }
        self.send_next(is_flush);
    }

    /// Waits for an order, a full batch, the outcome of the request, or the time of the next step.
    fn park(&mut self) {
        let send_at = match (&self.in_flight, self.retry) {
            (Some(_), _) => None,
            (None, Some(retry)) => Some(retry.at),
            (None, None) if !self.spool.live.is_empty() => return,
            (None, None) => Some(self.backlog_at).filter(|_| !self.spool.backlog.is_empty()),
        };
        let deadline = send_at.map_or(self.write_at, |send_at| send_at.min(self.write_at));
        let (queue, batch_size) = (self.source.queue, self.source.batch_size);
        let is_full = !self.spool.holds_requests() && queue.await_batch(batch_size);
        let left = deadline.saturating_duration_since(Instant::now());
        if !is_full && !left.is_zero() {
            thread::park_timeout(left);
        }
        queue.stop_awaiting();
    }

    /// Whether a full batch is queued, and can be written.
    fn has_full_batch(&self) -> bool {
        !self.spool.holds_requests() && self.source.queue.queued() >= self.source.batch_size
    }

    /// Writes full batches of the queue to the spool, and the rest if it is due. While a request cannot be written, the
    /// others wait in the queue.
    fn write(&mut self, is_due: bool) {
        self.spool.log_set_aside();
        self.spool.drop_expired();
        let batches = self.source.queue.queued() / self.source.batch_size;
        for _ in 0..batches + u64::from(is_due) {
            if !self.spool.write_held() {
                if self.source.drops_oldest {
                    self.source.make_room();
                }
                return;
            }
            let Some(requests) = self.source.next_batch() else {
                return;
            };
            let (requests, too_large) = requests.finish();
            let to = match self.retry {
                Some(retry) if !retry.is_within_export => Part::Backlog,
                _ => Part::Live,
            };
            for request in requests {
                self.spool.add(request, to);
            }
            if too_large.items > 0 {
                let counted = Export::new(Vec::new(), too_large);
                let counted = self.source.sender.export(counted);
                let counted = self.source.runtime.block_on(counted);
                self.note(counted.result);
            }
        }
    }

    /// Whether the retries of an export go on.
    fn retries_export(&self) -> bool {
        self.retry.is_some_and(|retry| retry.is_within_export)
    }

    /// Starts to send the next request: after a failure the oldest one, else new ones and the backlog in turn.
    fn send_next(&mut self, is_flush: bool) {
        let now = Instant::now();
        if self.in_flight.is_some() || self.retry.is_some_and(|retry| now < retry.at) {
            return;
        }
        let has_backlog = !self.spool.backlog.is_empty();
        let has_live = !self.spool.live.is_empty();
        let is_due = has_backlog && !is_flush && now >= self.backlog_at;
        let part = match self.retry {
            Some(retry) if retry.is_within_export => self.last_sent,
            Some(_) if has_backlog => Part::Backlog,
            None if is_due && (!has_live || self.last_sent == Part::Live) => Part::Backlog,
            _ if has_live => Part::Live,
            _ => {
                self.retry = None;
                return;
            }
        };
        self.last_sent = part;
        match self.spool.take(part) {
            Ok(Some((entry, message))) => self.send(entry, message, part),
            Ok(None) => self.retry = None,
            Err(error) => {
                self.back_off(now);
                self.note_error(format!("reading from the spool failed: {error}"));
            }
        }
    }

    fn send(&mut self, entry: Entry, message: bytes::Bytes, part: Part) {
        let (done, outcome) = mpsc::channel();
        let request = Request {
            message,
            items: entry.items,
        };
        let (sender, thread) = (Arc::clone(&self.source.sender), thread::current());
        self.source.runtime.spawn(async move {
            let exported = sender.export(Export::new(vec![request], TooLarge::default()));
            // The receiver is gone if the thread has ended.
            let _ = done.send(exported.await);
            thread.unpark();
        });
        self.in_flight = Some(InFlight {
            entry,
            part,
            outcome,
        });
    }

    /// Removes the request that has been sent, or keeps it after a failure that passes.
    fn conclude(&mut self) {
        let Some(InFlight { outcome, .. }) = &self.in_flight else {
            return;
        };
        let exported = match outcome.try_recv() {
            Err(TryRecvError::Empty) => return,
            outcome => outcome.ok(),
        };
        let Some(InFlight { entry, part, .. }) = self.in_flight.take() else {
            return;
        };
        // The end of the shutdown cancels a request, which then is no refusal.
        let is_cancelled = lifecycle::stage() == Stage::ShutDown;
        let exported = exported.filter(|exported| {
            let has_failed = exported.result.as_ref().is_some_and(Result::is_err);
            !(has_failed && is_cancelled)
        });
        let Some(Exported { result, unsent }) = exported else {
            self.back_off(Instant::now());
            self.spool.put_back(entry, part);
            self.note_error("the request was cancelled".to_owned());
            return;
        };
        if unsent.is_empty() {
            self.retry = None;
            if part == Part::Backlog {
                let share = Duration::from_secs(entry.bytes) / BACKLOG_BYTES as u32;
                let least = Duration::from_secs(1) / BACKLOG_REQUESTS;
                self.backlog_at = Instant::now() + share.max(least);
            }
            self.spool.finish(&entry);
        } else {
            let pause = unsent.pause;
            match unsent.items() == entry.items {
                true => self.spool.put_back(entry, part),
                // A part was accepted or refused.
                false => self.spool.replace(&entry, unsent.into_requests(), part),
            }
            self.retry_after(pause, result.is_none());
        }
        self.note(result);
    }

    /// Sends the oldest request again, after a failure of this process.
    fn back_off(&mut self, began: Instant) {
        let backoff = self.source.sender.back_off(began, Retry::Later);
        self.retry_after(backoff.pause, false);
    }

    fn retry_after(&mut self, pause: Duration, is_within_export: bool) {
        self.retry = Some(NextRetry {
            at: Instant::now() + pause,
            is_within_export,
        });
        if !is_within_export {
            self.spool.defer_live();
        }
    }

    fn note_error(&mut self, error: String) {
        self.note(Some(Err(OTelSdkError::InternalFailure(error))));
    }

    fn note(&mut self, result: Option<OTelSdkResult>) {
        if self.result.is_ok() {
            let result = result.unwrap_or(Ok(()));
            self.result = result.map_err(|error| error.to_string());
        }
    }
}
