//! Bucket boundaries for the usual quantities.
//!
//! The SDK's defaults, from 0 to 10,000, do not fit seconds, so every histogram declares its boundaries. Thresholds of
//! alerts and objectives (0.1 s, 0.25 s, 0.5 s) are boundaries, so that the share of requests below them is exact.

/// Durations of work inside the process, in seconds: 100 microseconds to 5 seconds.
pub const FAST_SECONDS: &[f64] = &[
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
];

/// Durations of requests and queries, in seconds: 1 millisecond to 10 seconds.
///
/// They are the boundaries of OpenTelemetry's HTTP conventions for `http.server.request.duration`, preceded by 1 and
/// 2.5 milliseconds.
pub const REQUEST_SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// Waiting times, in seconds: 1 millisecond to 10 minutes.
pub const WAIT_SECONDS: &[f64] = &[
    0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0,
];

/// Durations of streams, in seconds: 100 milliseconds to a day.
pub const STREAM_SECONDS: &[f64] = &[
    0.1, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 1_800.0, 3_600.0, 14_400.0, 43_200.0, 86_400.0,
];

/// Sizes of messages, in bytes: 64 bytes to 16 MiB, each four times the one before.
pub const SIZE_BYTES: &[f64] = &[
    64.0,
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
];

/// Asserts that boundaries are valid bucket boundaries. The macro calls it at compile time.
///
/// # Panics
///
/// If the boundaries are empty, not finite or not strictly increasing.
pub const fn assert_boundaries(boundaries: &[f64]) {
    assert!(
        !boundaries.is_empty(),
        "a histogram needs at least one boundary"
    );
    let mut i = 0;
    while i < boundaries.len() {
        assert!(boundaries[i].is_finite(), "a boundary is not finite");
        assert!(
            i == 0 || boundaries[i - 1] < boundaries[i],
            "boundaries must increase"
        );
        i += 1;
    }
}
