//! Windows and burn rates, as the SRE workbook recommends for an objective over a month.

/// The two pairs of windows of an alert.
#[derive(Debug, Clone, Copy)]
pub(super) struct Alert {
    /// The suffix of the alert's name.
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

/// The window of a burn rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) name: &'static str,
    pub(super) minutes: u32,
}

const fn window(name: &'static str, minutes: u32) -> Window {
    Window { name, minutes }
}

/// The window that all others are computed from.
pub(super) const BASE: Window = window("5m", 5);
/// The window that windows of days are computed from.
pub(crate) const HOUR: Window = window("1h", 60);
/// The shortest window of days.
pub(super) const DAY: Window = window("1d", 1440);

/// Spending 2 % of a month's budget in an hour, or 5 % in six hours, pages; 10 % in one or three days creates a ticket.
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
    /// Returns the window that this one is computed from, and the step of the subquery.
    ///
    /// A window of days consists of full hours, which cover every request. A shorter one reads the base window every
    /// minute, so that it reacts quickly.
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

/// The step of a subquery.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) minutes: u32,
}

/// Returns the windows except the base window, from short to long, without duplicates.
pub(super) fn windows() -> Vec<Window> {
    let mut windows: Vec<_> = pairs()
        .flat_map(|pair| [pair.short, pair.long])
        .filter(|&window| window != BASE)
        .collect();
    windows.sort_by_key(|window| window.minutes);
    windows.dedup();
    windows
}

/// Returns the pairs of all alerts.
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
