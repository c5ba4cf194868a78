//! Windows and burn rates, as the SRE workbook recommends for an objective over a month.

/// Two pairs of windows that one alert watches.
#[derive(Debug, Clone, Copy)]
pub(super) struct Alert {
    /// What follows the objective's name in the alert's.
    pub(super) suffix: &'static str,
    pub(super) severity: &'static str,
    pub(super) summary: &'static str,
    pub(super) pairs: [Pair; 2],
}

/// A long window, a short one, and the burn rate that both must exceed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair {
    pub(super) factor: f64,
    pub(super) long: Window,
    pub(super) short: Window,
}

/// A time over which a burn rate is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) name: &'static str,
    pub(super) minutes: u32,
}

const fn window(name: &'static str, minutes: u32) -> Window {
    Window { name, minutes }
}

/// The window that all others are put together from.
pub(super) const BASE: Window = window("5m", 5);
/// The window that windows of days are put together from.
pub(crate) const HOUR: Window = window("1h", 60);
/// The first such window.
pub(super) const DAY: Window = window("1d", 1440);

/// 2 % of a month's budget in an hour or 5 % in six hours wake somebody; 10 % in one or three days can wait for the
/// working day.
pub(super) const ALERTS: [Alert; 2] = [
    Alert {
        suffix: "FastBurn",
        severity: "page",
        summary: "the error budget burns fast",
        pairs: [
            Pair {
                factor: 14.4,
                long: HOUR,
                short: BASE,
            },
            Pair {
                factor: 6.0,
                long: window("6h", 360),
                short: window("30m", 30),
            },
        ],
    },
    Alert {
        suffix: "SlowBurn",
        severity: "ticket",
        summary: "the error budget burns",
        pairs: [
            Pair {
                factor: 3.0,
                long: DAY,
                short: window("2h", 120),
            },
            Pair {
                factor: 1.0,
                long: window("3d", 4320),
                short: window("6h", 360),
            },
        ],
    },
];

impl Window {
    /// The window that this one is put together from, and how far apart its moments are.
    ///
    /// A window of days is made of whole hours, which miss nothing. A shorter one reads the base window every minute,
    /// so that it answers soon.
    pub(super) fn parts(self) -> (Window, Step) {
        if self.minutes >= DAY.minutes {
            (
                HOUR,
                Step {
                    name: "1h",
                    minutes: 60,
                },
            )
        } else {
            (
                BASE,
                Step {
                    name: "1m",
                    minutes: 1,
                },
            )
        }
    }
}

/// How far apart the moments of a subquery are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) minutes: u32,
}

/// The windows besides the base one, each once, from short to long.
pub(super) fn windows() -> Vec<Window> {
    let mut windows: Vec<_> = pairs()
        .flat_map(|pair| [pair.short, pair.long])
        .filter(|&window| window != BASE)
        .collect();
    windows.sort_by_key(|window| window.minutes);
    windows.dedup();
    windows
}

/// The pairs of all alerts.
pub(super) fn pairs() -> impl Iterator<Item = Pair> {
    ALERTS.into_iter().flat_map(|alert| alert.pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_are_shares_of_the_budget_of_thirty_days() {
        let month = 30.0 * 24.0 * 60.0;
        let shares: Vec<_> = pairs()
            .map(|pair| (pair.factor * f64::from(pair.long.minutes) / month * 100.0).round())
            .collect();
        assert_eq!(shares, [2.0, 5.0, 10.0, 10.0]);
    }

    #[test]
    fn a_short_window_is_a_twelfth_of_the_long_one() {
        assert!(pairs().all(|pair| pair.short.minutes * 12 == pair.long.minutes));
    }
}
