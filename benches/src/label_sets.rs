//! Label sets, and the order in which they are visited.

/// Two labels of about 20 bytes together.
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
    /// Every pair of so many event types and so many tenants.
    pub(crate) fn new([event_types, tenants]: [usize; 2]) -> Self {
        let series = event_types * tenants;
        let set = |i: usize| {
            [
                format!("Event{:03}", i / tenants),
                format!("tenant-{:05}", i % tenants),
            ]
        };
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
