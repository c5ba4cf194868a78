//! A process for each contender: it makes a round of spans whenever it is asked for one.

use std::{
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use super::{Contestant, Work, burst, bursts_of_a_round};
use crate::{
    child::Child,
    rounds::{Effort, processor_time},
};

/// The end of the process of a contender that the report holds.
pub(super) struct Process(Child);

impl Process {
    pub(super) fn start(contestant: &impl Contestant) -> Self {
        let contestant = contestant.argument();
        let arguments = ["span-layer", "--contestant", &contestant];
        Self(Child::start(&arguments, Stdio::inherit()))
    }

    pub(super) fn round(&mut self, effort: Effort) -> Round {
        let answer = self.0.ask(&bursts_of_a_round(effort).to_string());
        let (time, processor) = answer.split_once(' ').expect("two numbers");
        let [time, processor] =
            [time, processor].map(|it| Duration::from_nanos(it.parse().expect("a number")));
        Round { time, processor }
    }

    /// Has it check that everything arrived. Returns the allocations of a span.
    pub(super) fn end(mut self) -> f64 {
        let allocations = self.0.ask("end").parse().expect("a number");
        self.0.assert_ends();
        allocations
    }
}

/// What a round took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Round {
    /// The time of the bursts alone.
    pub(super) time: Duration,
    /// Processor time of all threads, until everything has arrived.
    pub(super) processor: Duration,
}

/// Plays the part of a contender, until the end is ordered.
pub(crate) fn measured(contestant: impl Contestant) {
    let mut bursts = Bursts {
        work: contestant.set_up(),
        made: 0,
    };
    // Whatever is done once only.
    bursts.one();
    for order in std::io::stdin().lines() {
        let order = order.expect("text");
        if order == "end" {
            let allocations = bursts.allocations();
            bursts.check();
            println!("{}", allocations as f64 / burst() as f64);
            return;
        }
        let count: usize = order.parse().expect("a number of bursts");
        // The caches are somebody else's after a while.
        bursts.one();
        let before = processor_time();
        let time: Duration = (0..count).map(|_| bursts.one()).sum();
        let processor = processor_time() - before;
        println!("{} {}", time.as_nanos(), processor.as_nanos());
    }
}

struct Bursts {
    work: Work,
    made: u64,
}

impl Bursts {
    /// The time that a burst takes, without that until it has arrived.
    fn one(&mut self) -> Duration {
        let started = Instant::now();
        (self.work.act)(burst());
        let time = started.elapsed();
        self.settle();
        time
    }

    fn allocations(&mut self) -> u64 {
        let measured = allocation_counter::measure(|| (self.work.act)(burst()));
        self.settle();
        measured.count_total
    }

    /// Waits until all spans have arrived, and whoever sent them has cleared up.
    fn settle(&mut self) {
        self.made += burst() as u64;
        let since = Instant::now();
        while self
            .work
            .arrived
            .as_ref()
            .is_some_and(|arrived| arrived() < self.made)
        {
            let waited = since.elapsed();
            assert!(waited < Duration::from_secs(10), "spans were dropped");
            thread::sleep(Duration::from_micros(100));
        }
        thread::sleep(Duration::from_millis(2));
    }

    fn check(&self) {
        (self.work.check)(self.made);
    }
}
