//! Traces at a steady rate, sent by a thread of its own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use super::Error;
use super::traces::{Kind, Trace, send};

const TICKS: usize = 10;

/// A trace, and when an agent accepted all of it.
pub type Sent = (Trace, Instant);

/// A running load. It ends when it is dropped.
#[derive(Debug)]
pub struct Load {
    sent: Arc<Mutex<Vec<Sent>>>,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<(), Error>>>,
}

impl Load {
    /// Sends traces to the receivers of both services: `rate` in a second, or as fast as these accept them. Sampling
    /// keeps every trace.
    pub fn start(receivers: [String; 2], rate: usize, random: &mut fastrand::Rng) -> Self {
        Self::start_mixed(receivers, rate, 0, random)
    }

    /// Like [`start`](Self::start), but for each trace with an error, which sampling keeps, there are `others`, of which it
    /// keeps a share. Only those with an error are returned by the other functions.
    pub fn start_mixed(
        receivers: [String; 2],
        rate: usize,
        others: usize,
        random: &mut fastrand::Rng,
    ) -> Self {
        let mut random = random.fork();
        let sent = Arc::default();
        let stopped = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let (sent, stopped) = (Arc::clone(&sent), Arc::clone(&stopped));
            move || {
                let tick = Duration::from_secs(1) / TICKS as u32;
                let mut next = Instant::now();
                while !stopped.load(Ordering::Relaxed) {
                    let traces: Vec<_> = (0..rate / TICKS)
                        .map(|place| match place % (1 + others) {
                            0 => Trace::new(Kind::Error, &mut random),
                            _ => Trace::new(Kind::Rest, &mut random),
                        })
                        .collect();
                    send(&traces, &receivers)?;
                    let now = Instant::now();
                    let kept = traces.into_iter().filter(|it| it.kind == Kind::Error);
                    let traces = kept.map(|trace| (trace, now));
                    lock(&sent).extend(traces);
                    next += tick;
                    sleep(next.saturating_duration_since(now));
                }
                Ok(())
            }
        });
        Self {
            sent,
            stopped,
            thread: Some(thread),
        }
    }

    /// Returns how many traces have been sent.
    pub fn count(&self) -> usize {
        lock(&self.sent).len()
    }

    /// Returns the traces that were sent last.
    pub fn latest(&self, count: usize) -> Vec<Sent> {
        let sent = lock(&self.sent);
        sent[sent.len().saturating_sub(count)..].to_vec()
    }

    /// Ends it, and returns all traces.
    pub fn stop(mut self) -> Result<Vec<Sent>, Error> {
        self.end()?;
        Ok(std::mem::take(&mut *lock(&self.sent)))
    }

    fn end(&mut self) -> Result<(), Error> {
        self.stopped.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        ended.map_or(Ok(()), |ended| ended.map_err(|_| "the load panicked")?)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        // Its error is that of an earlier call.
        let _ = self.end();
    }
}

fn lock(sent: &Mutex<Vec<Sent>>) -> std::sync::MutexGuard<'_, Vec<Sent>> {
    sent.lock().unwrap_or_else(PoisonError::into_inner)
}
