//! The faults of the matrix.

use std::sync::Arc;
use std::time::Duration;

use super::proxy::{Layer, Mode};
use super::service::Settings;
use super::{Answers, Certificates, Error};

/// What happens between a service and its Collector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `kill -9`.
    Killed,
    /// `SIGSTOP`.
    Suspended,
    /// `SIGTERM` and a start, over and over.
    Restarted,
    /// Nothing listens.
    Refused,
    /// Connections stay open, and all bytes disappear.
    BlackHole,
    /// Connections are reset in the body of a request.
    Reset,
    /// HTTP 429 or `RESOURCE_EXHAUSTED` with a time to wait.
    TooManyRequests,
    /// HTTP 503 or `UNAVAILABLE` with a time to wait.
    Unavailable,
    /// HTTP 400 or `INVALID_ARGUMENT`.
    Invalid,
    /// Every second item is rejected.
    PartialSuccess,
    /// Requests are answered after 30 s.
    Late,
    /// The certificate of the receiver has expired.
    ExpiredCertificate,
    /// The name of the host is unknown.
    Dns,
    /// 10 MiB/s of spans into a link of 100 KiB/s.
    SlowLink,
    /// The disk of the spool is full; in the second half the Collector is killed as well.
    DiskFull,
}

impl Fault {
    /// All faults, in the order of the table.
    pub const ALL: [Self; 15] = [
        Self::Killed,
        Self::Suspended,
        Self::Restarted,
        Self::Refused,
        Self::BlackHole,
        Self::Reset,
        Self::TooManyRequests,
        Self::Unavailable,
        Self::Invalid,
        Self::PartialSuccess,
        Self::Late,
        Self::ExpiredCertificate,
        Self::Dns,
        Self::SlowLink,
        Self::DiskFull,
    ];

    /// Returns its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Killed => "kill",
            Self::Suspended => "suspend",
            Self::Restarted => "restart",
            Self::Refused => "refused",
            Self::BlackHole => "black-hole",
            Self::Reset => "reset",
            Self::TooManyRequests => "429",
            Self::Unavailable => "503",
            Self::Invalid => "400",
            Self::PartialSuccess => "partial",
            Self::Late => "late",
            Self::ExpiredCertificate => "expired",
            Self::Dns => "dns",
            Self::SlowLink => "slow-link",
            Self::DiskFull => "disk-full",
        }
    }

    /// Returns its name in the table.
    pub fn title(self) -> &'static str {
        match self {
            Self::Killed => "`kill -9` of the Collector",
            Self::Suspended => "`SIGSTOP` of the Collector",
            Self::Restarted => "Collector restarts repeatedly",
            Self::Refused => "connection refused",
            Self::BlackHole => "black hole",
            Self::Reset => "reset in mid-body",
            Self::TooManyRequests => "429, `Retry-After: 2`",
            Self::Unavailable => "503, `Retry-After: 2`",
            Self::Invalid => "400",
            Self::PartialSuccess => "partial success",
            Self::Late => "answers after 30 s",
            Self::ExpiredCertificate => "expired certificate",
            Self::Dns => "DNS failure",
            Self::SlowLink => "10 MiB/s into 100 KiB/s",
            Self::DiskFull => "disk full for the spool, then also `kill -9` of the Collector",
        }
    }

    /// Returns how long it lasts in the table.
    pub fn lasts(self) -> Duration {
        Duration::from_secs(match self {
            Self::Suspended | Self::Late => 30,
            _ => 20,
        })
    }

    pub(super) fn layer(self) -> Result<Option<Layer>, Error> {
        Ok(match self {
            Self::Killed | Self::Suspended | Self::Restarted | Self::DiskFull => None,
            Self::Refused | Self::BlackHole | Self::Reset | Self::Dns | Self::SlowLink => {
                Some(Layer::Tcp)
            }
            Self::ExpiredCertificate => Some(Layer::Tls(Arc::new(Certificates::new()?))),
            Self::TooManyRequests
            | Self::Unavailable
            | Self::Invalid
            | Self::PartialSuccess
            | Self::Late => Some(Layer::Http),
        })
    }

    pub(super) fn mode(self) -> Mode {
        let wait = Duration::from_secs(2);
        match self {
            Self::Killed | Self::Suspended | Self::Restarted | Self::DiskFull => Mode::Pass,
            Self::Refused => Mode::Refused,
            Self::BlackHole => Mode::BlackHole,
            Self::Reset => Mode::ResetAfter(2_000),
            Self::TooManyRequests => Mode::Answers(Answers::TooManyRequests(wait)),
            Self::Unavailable => Mode::Answers(Answers::Unavailable(wait)),
            Self::Invalid => Mode::Answers(Answers::Invalid),
            Self::PartialSuccess => Mode::Answers(Answers::PartialSuccess),
            Self::Late => Mode::Answers(Answers::After(Duration::from_secs(30))),
            Self::ExpiredCertificate => Mode::ExpiredCertificate,
            Self::Dns => Mode::Cut,
            Self::SlowLink => Mode::BytesPerSecond(100 << 10),
        }
    }

    /// Changes the settings of both services. With 250 requests a second, 40 spans of 1 KiB are 10 MiB/s. A batch of 512
    /// takes 5 s on the slow link, within the default timeout of 10 s.
    pub(super) fn adapt(self, settings: &mut Settings<'_>) {
        if self == Self::SlowLink {
            (settings.spans, settings.span_bytes) = (40, 860);
            settings.timeout = Duration::from_secs(10);
        }
    }
}
