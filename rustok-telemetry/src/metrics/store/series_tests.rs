//! Label sets are told apart wherever their values differ.

use std::collections::BTreeMap;

use super::{point::Point, series::Series};
use crate::metrics::{
    Declaration, Kind, Label, ValueType,
    instrument::{Counter, Instrument, Storage},
};

static MANY: Declaration = Declaration {
    name: "many_total",
    kind: Kind::Counter,
    value: ValueType::U64,
    unit: "",
    help: "",
    labels: &[Label {
        name: "id",
        budget: 2_000,
    }],
    boundaries: &[],
    series: Some(2_001),
    function: "count",
    timer: None,
    module: module_path!(),
};

/// So many that some share a place in the table.
fn assert_told_apart(value: impl Fn(u64) -> String) {
    let handle = Counter::<u64>::create(&MANY, Storage::Native, &[]);
    let series = Series::<Counter<u64>, 1>::new(&MANY, handle);
    let expected: BTreeMap<_, _> = (0..2_000).map(|number| (value(number), number)).collect();
    assert_eq!(expected.len(), 2_000, "the values differ");
    for _ in 0..3 {
        for (id, number) in &expected {
            series.record([id], *number);
        }
    }
    let mut read = BTreeMap::new();
    series.read(&mut |labels, point| {
        let ids = labels.iter().map(|(_, id)| id.to_owned());
        let Point::U64(sum) = point else {
            panic!("{point:?}");
        };
        read.extend(ids.map(|id| (id, sum / 3)));
    });
    assert_eq!(read, expected);
}

#[test]
fn short_values_are_told_apart() {
    assert_told_apart(|number| format!("{number}"));
    assert_told_apart(|number| format!("tenant-{number:05}"));
}

#[test]
fn long_values_that_differ_in_the_middle_are_told_apart() {
    assert_told_apart(|number| format!("3f2504e0-{number:04}-41d3-9a0c-0305e82c3301"));
}

#[test]
fn long_values_that_differ_in_length_are_told_apart() {
    assert_told_apart(|number| {
        let (length, letter) = (number % 200, char::from(b'a' + (number / 200) as u8));
        let middle = "x".repeat(length as usize);
        format!("{letter}beginning{middle}the-end")
    });
}
