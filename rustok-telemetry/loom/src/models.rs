//! What has to hold in every order.

use loom::{
    model::Builder,
    sync::{
        Arc, Notify,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
};

use crate::{
    buckets::Buckets,
    cell::Sum,
    delivery::{Admission, Importance, QueueStats, queue},
    exemplars::{Exemplar, Exemplars, SpanIds},
    histogram_cell::HistogramCell,
    read_table::ReadTable,
};

/// Entries before the table grows.
const FIRST_LEVEL: u64 = 8;

/// An entry is found whole or not at all, and is found by whoever has seen the length that it made.
pub fn a_reader_finds_what_was_added() {
    in_every_order(|| {
        let table = Arc::new(ReadTable::<u64>::new(100));
        let reading = beside(&table, |table| {
            let length = table.len();
            let found = find(table, 7);
            assert!(length == 0 || found, "it was counted and not found");
        });
        add(&table, 7);
        join(reading);
        assert!(find(&table, 7));
    });
}

/// While the table grows, nothing that was in it is missed.
pub fn nothing_is_missed_while_it_grows() {
    in_every_order(|| {
        let table = Arc::new(ReadTable::<u64>::new(100));
        (0..FIRST_LEVEL).for_each(|entry| add(&table, entry));
        let reading = beside(&table, |table| {
            assert!(find(table, 0));
            let grown = table.len() as u64 > FIRST_LEVEL;
            assert!(find(table, FIRST_LEVEL) || !grown);
        });
        add(&table, FIRST_LEVEL);
        join(reading);
        assert!((0..=FIRST_LEVEL).all(|entry| find(&table, entry)));
    });
}

/// Two writers take two places, at the limit only one of them.
pub fn writers_wait_for_each_other() {
    for limit in [1, 2] {
        in_every_order(move || {
            let table = Arc::new(ReadTable::<u64>::new(limit));
            let other = {
                let table = Arc::clone(&table);
                thread::spawn(move || table.insert(1, 1))
            };
            let own = table.insert(2, 2);
            let other = other.join().expect("no panic");
            assert_eq!(usize::from(own) + usize::from(other), limit);
            assert_eq!((find(&table, 2), find(&table, 1)), (own, other));
            assert_eq!(table.len(), limit);
        });
    }
}

/// No addition is lost, whether or not it meets another; and what a reader sees never goes down.
pub fn no_addition_is_lost() {
    in_every_order(|| {
        let sum = Arc::new(Sum::<u64>::new());
        let adding = [1, 10].map(|value| {
            let sum = Arc::clone(&sum);
            thread::spawn(move || (0..3).for_each(|_| sum.add(value)))
        });
        let (earlier, later) = (sum.get(), sum.get());
        assert!(earlier <= later, "{earlier} became {later}");
        adding.into_iter().for_each(join);
        assert_eq!(sum.get(), 33);
    });
}

/// The same where one of the threads is the owner, which adds without looking at the others.
pub fn the_owner_loses_no_addition() {
    in_every_order(|| {
        let sum = Arc::new(Sum::<u64>::new());
        let adding = {
            let sum = Arc::clone(&sum);
            thread::spawn(move || {
                sum.add(1);
                let (earlier, later) = (sum.get(), sum.get());
                assert!(0 < earlier && earlier <= later, "{earlier} became {later}");
                sum.add(1);
            })
        };
        (0..3).for_each(|_| sum.add(10));
        join(adding);
        assert_eq!(sum.get(), 32);
    });
}

/// No value of a histogram is lost: not in its bucket, not in the sum, and not as the least or the greatest.
pub fn no_value_is_lost() {
    in_every_order(|| {
        let histogram = Arc::new(HistogramCell::<u64>::new(Buckets::new(&[1.0]).into()));
        let recording = {
            let histogram = Arc::clone(&histogram);
            thread::spawn(move || [1, 5].into_iter().for_each(|value| histogram.record(value)))
        };
        [2, 3].into_iter().for_each(|value| histogram.record(value));
        join(recording);
        let all = histogram.read();
        assert_eq!(all.counts, [1, 3]);
        assert_eq!((all.sum.as_f64(), all.extremes), (11.0, Some([1.0, 5.0])));
    });
}

/// A reader gets all fields of an exemplar from one write, or none.
pub fn no_exemplar_is_mixed_from_two_writes() {
    in_every_order(|| {
        let exemplars = Arc::new(Exemplars::new());
        store(&exemplars, 1);
        let reading = {
            let exemplars = Arc::clone(&exemplars);
            thread::spawn(move || {
                let found = load(&exemplars);
                assert!(found.is_none_or(|id| id == 1 || id == 2));
            })
        };
        store(&exemplars, 2);
        join(reading);
        assert_eq!(load(&exemplars), Some(2));
    });
}

/// Of two writers that meet, at least one stores its exemplar, and neither disturbs the other.
pub fn writers_of_an_exemplar_do_not_wait() {
    in_every_order(|| {
        let exemplars = Arc::new(Exemplars::new());
        store(&exemplars, 3);
        let writing = {
            let exemplars = Arc::clone(&exemplars);
            thread::spawn(move || store(&exemplars, 1))
        };
        store(&exemplars, 2);
        join(writing);
        assert!(load(&exemplars).is_some_and(|id| id == 1 || id == 2));
    });
}

/// Bytes of an item.
const BYTES: usize = 3;

/// The queue never has more items or bytes than it may, and each item is counted as dropped or as in the queue.
pub fn a_queue_keeps_its_limits_and_counts_every_item() {
    for (items, bytes) in [(1, 100), (100, BYTES)] {
        // Either limit is reached by one item.
        in_every_order(move || {
            let queue = Arc::new(queue(items, bytes));
            let inside = Arc::new(AtomicUsize::new(0));
            let adding = {
                let (queue, inside) = (Arc::clone(&queue), Arc::clone(&inside));
                thread::spawn(move || add_item(&queue, &inside, 1))
            };
            let own = add_item(&queue, &inside, 1);
            let mut removed = 0;
            if inside.load(Ordering::Acquire) == 1 {
                inside.fetch_sub(1, Ordering::AcqRel);
                queue.leave_queue(1, BYTES);
                removed = 1;
            }
            let own = own + add_item(&queue, &inside, 1);
            let admitted = own + adding.join().expect("no panic");
            let dropped = queue.lost()[1].1;
            assert_eq!(admitted + dropped, 3);
            assert_eq!(
                (queue.entered(), queue.queued()),
                (admitted, admitted - removed)
            );
        });
    }
}

/// A thread that awaits a batch is woken by the thread that completes it, or sees that it is complete.
pub fn a_thread_that_awaits_a_batch_is_woken() {
    in_every_order(|| {
        let queue = Arc::new(queue(100, 100));
        let inside = Arc::new(AtomicUsize::new(0));
        let exporting = Arc::new(Notify::new());
        let adding = {
            let (queue, inside) = (Arc::clone(&queue), Arc::clone(&inside));
            let exporting = Arc::clone(&exporting);
            thread::spawn(move || {
                add_item(&queue, &inside, 1);
                if queue.completes_batch(1) {
                    exporting.notify();
                }
            })
        };
        // Loom fails if it waits for ever.
        while !queue.await_batch(1) {
            exporting.wait();
        }
        join(adding);
    });
}

/// Adds an item to a queue that may have `most`. Returns the number of items that were added: 1 or 0.
fn add_item(queue: &QueueStats, inside: &AtomicUsize, most: usize) -> u64 {
    let importance = Importance::High;
    let is_admitted = queue.enter_queue(importance) == Admission::Queued
        && queue.add_bytes(BYTES, importance) == Admission::Queued;
    if is_admitted {
        let before = inside.fetch_add(1, Ordering::AcqRel);
        assert!(before < most, "more than the queue may have");
    }
    is_admitted.into()
}

/// Every field of the exemplar has the number `id`.
fn store(exemplars: &Exemplars, id: u32) {
    let exemplar = Exemplar {
        span: SpanIds {
            trace: u128::from(id) << 64 | u128::from(id),
            span: id.into(),
        },
        value: id.into(),
        time: id.into(),
    };
    exemplars.store(0, 1, exemplar);
}

fn load(exemplars: &Exemplars) -> Option<u64> {
    let all = exemplars.read();
    let (_, Exemplar { span, value, time }) = all.first()?;
    let [upper, lower] = [(span.trace >> 64) as u64, span.trace as u64];
    assert!([upper, lower, span.span].iter().all(|id| id == time));
    assert!(
        (*value - *time as f64).abs() < 0.5,
        "{value} of write {time}"
    );
    Some(*time)
}

fn in_every_order(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    // Every fault that was tried is found with three changes of threads; each more makes it several times slower.
    builder.preemption_bound = Some(4);
    builder.check(model);
}

/// The reader is the thread that is begun: with the writer there instead, loom has left out orders in which the reader
/// sees half of what is written.
fn beside(table: &Arc<ReadTable<u64>>, read: impl Fn(&ReadTable<u64>) + 'static) -> JoinHandle<()> {
    let table = Arc::clone(table);
    thread::spawn(move || read(&table))
}

fn add(table: &ReadTable<u64>, entry: u64) {
    assert!(table.insert(entry, entry));
}

fn find(table: &ReadTable<u64>, entry: u64) -> bool {
    table.find(entry, |own| *own == entry).is_some()
}

fn join(thread: JoinHandle<()>) {
    thread.join().expect("no panic");
}
