//! Answers about the last sample. Pages that are open at the same time ask the same.

use std::collections::HashMap;

/// The path whose answers change with a sample only.
const PATH: &str = "/api/series";

/// Answers that are kept at most, and the bytes of one with its query.
const MOST: usize = 32;
const LARGEST: usize = 64 << 10;

/// The answers, by what was asked.
#[derive(Debug, Default)]
pub(super) struct Answers {
    tick: u64,
    by_query: HashMap<String, String>,
}

impl Answers {
    /// Drops the answers about an earlier sample.
    pub(super) fn begin(&mut self, tick: u64) {
        if self.tick != tick {
            self.tick = tick;
            self.by_query.clear();
        }
    }

    pub(super) fn of(&self, path: &str, query: &str) -> Option<String> {
        let answer = self.by_query.get(query).filter(|_| path == PATH);
        answer.cloned()
    }

    /// Keeps an answer that was read after the sample of this tick, unless there is a newer one.
    pub(super) fn keep(&mut self, tick: u64, path: &str, query: String, answer: &str) {
        let bytes = query.len() + answer.len();
        let has_room = self.by_query.len() < MOST && bytes <= LARGEST;
        if path == PATH && tick == self.tick && has_room {
            self.by_query.insert(query, answer.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_to_long_queries_are_not_kept() {
        let mut answers = Answers::default();
        for (length, is_kept) in [(LARGEST - 6, true), (LARGEST - 5, false)] {
            let query = "q".repeat(length);
            answers.keep(0, PATH, query.clone(), "answer");
            assert_eq!(answers.of(PATH, &query).is_some(), is_kept, "{length}");
        }
    }
}
