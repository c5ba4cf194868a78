//! Rounds that alternate between the contenders, and what comes of them.

use std::{
    hint::black_box,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};

use crate::{contender::Contender, label_sets::LabelSets};

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    pub(crate) rounds: usize,
    /// Records of one contender in one round, on each thread.
    pub(crate) records: usize,
}

impl Effort {
    pub(crate) const FULL: Self = Self {
        rounds: 31,
        records: 1 << 17,
    };
    pub(crate) const QUICK: Self = Self {
        rounds: 2,
        records: 1 << 12,
    };

    pub(crate) fn is_quick(self) -> bool {
        self.rounds == Self::QUICK.rounds
    }
}

/// What one contender did.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    /// Median over the rounds: what a record takes on its thread.
    pub(crate) nanoseconds: f64,
    /// Allocations for each record.
    pub(crate) allocations: f64,
}

/// Measures all contenders on so many threads; each round, one after the other.
pub(crate) fn measure(
    contenders: &[Contender],
    sets: &LabelSets,
    threads: usize,
    effort: Effort,
) -> Vec<Outcome> {
    let mut rounds = vec![Vec::with_capacity(effort.rounds); contenders.len()];
    for round in 0..effort.rounds {
        for (times, contender) in rounds.iter_mut().zip(contenders) {
            times.push(one_round(contender, sets, threads, round, effort.records));
        }
    }
    let outcome = |(mut times, contender): (Vec<Duration>, &Contender)| {
        let count = || contender.record(sets, 0, ALLOCATION_RECORDS);
        let allocations = allocation_counter::measure(count).count_total;
        Outcome {
            nanoseconds: median(&mut times).as_secs_f64() * 1e9 / effort.records as f64,
            allocations: allocations as f64 / ALLOCATION_RECORDS as f64,
        }
    };
    rounds.into_iter().zip(contenders).map(outcome).collect()
}

/// Records made to count allocations.
pub(crate) const ALLOCATION_RECORDS: usize = 1000;

/// The mean over the threads, which start together.
fn one_round(
    contender: &Contender,
    sets: &LabelSets,
    threads: usize,
    round: usize,
    records: usize,
) -> Duration {
    let timed = |thread: usize| {
        // Threads and rounds begin at different places of the order.
        let first = (round * threads + thread) * 7919;
        let started = Instant::now();
        contender.record(black_box(sets), first, records);
        started.elapsed()
    };
    if threads == 1 {
        return timed(0);
    }
    let start = Barrier::new(threads);
    let total: Duration = thread::scope(|scope| {
        let (start, timed) = (&start, &timed);
        let run = move |thread| {
            start.wait();
            timed(thread)
        };
        let running: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(move || run(thread)))
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join().expect("no panic"))
            .sum()
    });
    total / threads as u32
}

/// Returns the processor time that all threads of this process have used, in the kernel and outside of it.
pub(crate) fn processor_time() -> Duration {
    clock(ClockId::ProcessCPUTime)
}

pub(crate) fn clock(id: ClockId) -> Duration {
    let time = clock_gettime(id);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The middle one.
pub(crate) fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The middle one.
pub(crate) fn median_of(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

pub(crate) fn quantile(times: &[Duration], per_mille: usize) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort();
    sorted[(sorted.len() * per_mille / 1000).min(sorted.len() - 1)]
}
