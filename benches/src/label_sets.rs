//! Label sets, and the order in which they are visited.

pub(crate) type Labels = [String; 2];

/// Visits in one order; a power of two, so that finding the next one costs little.
const VISITS: usize = 1 << 16;

/// A number of label sets in a fixed order without a pattern.
#[derive(Debug)]
pub(crate) struct LabelSets {
    sets: Vec<Labels>,
    order: Vec<u32>,
}

impl LabelSets {
    /// Every pair of so many event types and so many tenants, of 20 bytes together.
    pub(crate) fn new(shape: [usize; 2]) -> Self {
        let event_type = |number| format!("Event{number:03}");
        Self::pairs(shape, event_type, |number| format!("tenant-{number:05}"))
    }

    /// Every pair of so many routes of 30 bytes and so many tenants of 36 bytes: UUIDs.
    pub(crate) fn long(shape: [usize; 2]) -> Self {
        let route = |number| format!("/api/v{number}/customers/{{id}}/reviews");
        Self::pairs(shape, route, |number| {
            let mut random = Random(0x9e37_79b9_7f4a_7c15 + number as u64);
            let mut next = || random.below(usize::MAX) as u64;
            let [a, b] = [next(), next()];
            let (high, low) = (a & 0xffff_0fff, b & 0xffff_ffff_ffff);
            format!(
                "{:08x}-{:04x}-4{:03x}-a{:03x}-{low:012x}",
                a >> 32,
                high >> 16,
                high & 0xfff,
                b >> 52
            )
        })
    }

    fn pairs(
        [first, second]: [usize; 2],
        first_label: impl Fn(usize) -> String,
        second_label: impl Fn(usize) -> String,
    ) -> Self {
        let series = first * second;
        let set = |i: usize| [first_label(i / second), second_label(i % second)];
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let order = (0..VISITS).map(|_| random.below(series) as u32).collect();
        Self {
            sets: (0..series).map(set).collect(),
            order,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.sets.len()
    }

    /// Each set once.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, [&str; 2])> {
        self.sets
            .iter()
            .enumerate()
            .map(|(i, set)| (i, set.each_ref().map(String::as_str)))
    }

    /// The set of a visit, and its number.
    #[inline]
    pub(crate) fn visit(&self, visit: usize) -> (usize, [&str; 2]) {
        let set = self.order[visit % VISITS] as usize;
        (set, [&self.sets[set][0], &self.sets[set][1]])
    }
}

/// A small generator of numbers (xorshift), the same in every run.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}
