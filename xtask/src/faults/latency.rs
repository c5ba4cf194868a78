//! Latencies of two services that get the same requests in turn, compared.

use std::time::Duration;

/// Repetitions of the bootstrap.
const RESAMPLES: usize = 1_000;

/// The latencies of two services in a window of a second.
#[derive(Debug, Default, Clone)]
pub(super) struct Window(pub(super) [Vec<Duration>; 2]);

impl Window {
    /// Returns the p99 of the first service divided by that of the second one; `None` without requests.
    fn p99_ratio(&self) -> Option<f64> {
        let [one, other] = self.0.each_ref().map(|times| p99(times));
        Some(one?.as_secs_f64() / other?.as_secs_f64())
    }
}

/// Returns the p99 of the first service divided by that of the second one, in each window.
pub(super) fn p99_ratios(windows: &[Window]) -> Vec<f64> {
    windows.iter().filter_map(Window::p99_ratio).collect()
}

fn p99(times: &[Duration]) -> Option<Duration> {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() * 99 / 100).copied()
}

/// By how much the first service exceeds the second one, with an interval that contains the real figure with a
/// probability of 95 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Excess {
    pub(super) estimate: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Excess {
    /// Estimates it from the ratios of windows. The interval is that of a bootstrap of windows.
    pub(super) fn of(ratios: &[f64]) -> Self {
        let mut random = fastrand::Rng::with_seed(7);
        let mut resample = || {
            let drawn = ratios.iter().map(|_| ratios[random.usize(..ratios.len())]);
            middle_mean(drawn.collect())
        };
        let mut samples: Vec<_> = (0..RESAMPLES).map(|_| resample()).collect();
        samples.sort_by(f64::total_cmp);
        let tail = RESAMPLES / 40;
        Self {
            estimate: middle_mean(ratios.to_vec()),
            low: samples[tail],
            high: samples[RESAMPLES - 1 - tail],
        }
    }
}

/// Returns by how much the ratios exceed 1: their geometric mean without the highest and the lowest quarter, so that a
/// moment in which the machine stalls one of the services does not count, and a cost in every second window does. NaN
/// without any.
fn middle_mean(mut ratios: Vec<f64>) -> f64 {
    ratios.sort_by(f64::total_cmp);
    let quarter = ratios.len() / 4;
    let middle = &ratios[quarter..ratios.len() - quarter];
    let sum: f64 = middle.iter().map(|ratio| ratio.ln()).sum();
    (sum / middle.len() as f64).exp() - 1.0
}

/// Returns the middle one; NaN without any.
pub(super) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Windows in which the slowest of the first service's requests take longer by this factor, in every `nth` window. Each
    /// window has its own noise, which both services share, and stalls hit either of them.
    fn ratios(slower: f64, nth: usize, seed: u64) -> Vec<f64> {
        let mut random = fastrand::Rng::with_seed(seed);
        let window = |number: usize| {
            let slower = if number.is_multiple_of(nth) {
                slower
            } else {
                1.0
            };
            let noise = 0.5 + random.f64();
            let latencies = [slower, 1.0].map(|slower| {
                let stall = if random.u8(..) < 5 { 50.0 } else { 1.0 };
                let latency = |_| {
                    let rank = random.f64();
                    let tail = if rank > 0.95 { slower * stall } else { 1.0 };
                    Duration::from_secs_f64(0.001 * noise * tail / (1.001 - rank).powf(0.4))
                };
                (0..250).map(latency).collect()
            });
            Window(latencies)
        };
        p99_ratios(&(0..20).map(window).collect::<Vec<_>>())
    }

    #[test]
    fn a_cost_in_the_tail_is_found() {
        let mut of_every_second = 0.0;
        for seed in 0..20 {
            let found = Excess::of(&ratios(2.0, 1, seed));
            assert!(found.low > 0.1 && found.high > 0.7, "{found:?}");
            let found = Excess::of(&ratios(2.0, 2, seed));
            assert!(found.high > 0.4, "{found:?}");
            of_every_second += found.estimate / 20.0;
        }
        assert!(of_every_second > 0.2, "{of_every_second}");
    }

    #[test]
    fn equal_services_are_within_the_interval() {
        let within = (0..20).filter(|&seed| {
            let found = Excess::of(&ratios(1.0, 1, seed));
            assert!(found.high - found.low < 1.0, "{found:?}");
            found.low < 0.0 && found.high > 0.0
        });
        assert!(within.count() >= 16);
    }

    #[test]
    fn one_window_that_stalls_does_not_count() {
        let mut ratios = vec![1.0; 20];
        ratios[7] = 100.0;
        assert_eq!(Excess::of(&ratios).estimate, 0.0);
    }

    #[test]
    fn without_windows_nothing_is_known() {
        assert!(Excess::of(&[]).estimate.is_nan());
    }
}
