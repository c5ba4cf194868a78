//! Which traces are recorded.

use std::fmt;

use super::choice::{Choice, choice};
use super::env::Reader;
use super::error::Diagnostic;
use super::parse;
use super::setting::Setting;

const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const SAMPLER_ARG: &str = "OTEL_TRACES_SAMPLER_ARG";

/// Which traces are recorded. The ratios are numbers from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Sampler {
    /// All.
    AlwaysOn,
    /// None.
    AlwaysOff,
    /// This share of them.
    TraceIdRatio(f64),
    /// As the caller decided; all of those that start here.
    ParentBasedAlwaysOn,
    /// As the caller decided; none of those that start here.
    ParentBasedAlwaysOff,
    /// As the caller decided; this share of those that start here.
    ParentBasedTraceIdRatio(f64),
}

impl Sampler {
    fn ratio(self) -> Option<f64> {
        match self {
            Self::TraceIdRatio(ratio) | Self::ParentBasedTraceIdRatio(ratio) => Some(ratio),
            _ => None,
        }
    }
}

impl fmt::Display for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlwaysOn => f.write_str("always_on"),
            Self::AlwaysOff => f.write_str("always_off"),
            Self::TraceIdRatio(ratio) => write!(f, "traceidratio {ratio}"),
            Self::ParentBasedAlwaysOn => f.write_str("parentbased_always_on"),
            Self::ParentBasedAlwaysOff => f.write_str("parentbased_always_off"),
            Self::ParentBasedTraceIdRatio(ratio) => write!(f, "parentbased_traceidratio {ratio}"),
        }
    }
}

/// A sampler's name, without its argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SamplerName {
    AlwaysOn,
    AlwaysOff,
    TraceIdRatio,
    ParentBasedAlwaysOn,
    ParentBasedAlwaysOff,
    ParentBasedTraceIdRatio,
}

choice!(SamplerName {
    accepted {
        "always_on" => AlwaysOn,
        "always_off" => AlwaysOff,
        "traceidratio" => TraceIdRatio,
        "parentbased_always_on" => ParentBasedAlwaysOn,
        "parentbased_always_off" => ParentBasedAlwaysOff,
        "parentbased_traceidratio" => ParentBasedTraceIdRatio,
    }
    refused {
        "jaeger_remote" => NO_REMOTE,
        "parentbased_jaeger_remote" => NO_REMOTE,
        "xray" => NO_REMOTE,
    }
});

const NO_REMOTE: &str = "samplers that ask a server are not built in";

/// The sampler with its argument. An argument that no sampler takes is an error.
pub(super) fn read_sampler(reader: &mut Reader) -> Setting<Sampler> {
    let default = SamplerName::ParentBasedAlwaysOn;
    let name = reader.setting(SAMPLER, default, SamplerName::parse);
    let ratio = match needs_ratio(reader, name.value) {
        Some(true) => reader.setting(SAMPLER_ARG, 1.0, parse::ratio).value,
        Some(false) => {
            let why = format!(
                "the sampler {} takes no argument; remove it, or set {SAMPLER} to a ratio sampler",
                name.value
            );
            reader.refuse(SAMPLER_ARG, why);
            1.0
        }
        None => 1.0,
    };
    Setting {
        value: match name.value {
            SamplerName::AlwaysOn => Sampler::AlwaysOn,
            SamplerName::AlwaysOff => Sampler::AlwaysOff,
            SamplerName::TraceIdRatio => Sampler::TraceIdRatio(ratio),
            SamplerName::ParentBasedAlwaysOn => Sampler::ParentBasedAlwaysOn,
            SamplerName::ParentBasedAlwaysOff => Sampler::ParentBasedAlwaysOff,
            SamplerName::ParentBasedTraceIdRatio => Sampler::ParentBasedTraceIdRatio(ratio),
        },
        source: name.source,
    }
}

/// What is wrong with a sampler set in code.
pub(super) fn sampler_problem(sampler: &Setting<Sampler>) -> Option<Diagnostic> {
    let ratio = sampler
        .value
        .ratio()
        .filter(|ratio| !(0.0..=1.0).contains(ratio))?;
    let diagnostic = Diagnostic::of_value(SAMPLER_ARG, &ratio.to_string(), "not between 0 and 1");
    Some(diagnostic.from(sampler.source))
}

/// Puts the default ratio in the place of one that cannot be.
pub(super) fn mend_sampler(sampler: &mut Setting<Sampler>) {
    if sampler_problem(sampler).is_some() {
        sampler.value = match sampler.value {
            Sampler::TraceIdRatio(_) => Sampler::TraceIdRatio(1.0),
            Sampler::ParentBasedTraceIdRatio(_) => Sampler::ParentBasedTraceIdRatio(1.0),
            other => other,
        };
    }
}

/// Whether the argument must be a ratio. `None` when the sampler is refused, so that nobody knows.
fn needs_ratio(reader: &Reader, name: SamplerName) -> Option<bool> {
    if reader.has_failed(SAMPLER) {
        let ratio_meant = reader.raw(SAMPLER)?.to_ascii_lowercase().contains("ratio");
        return ratio_meant.then_some(true);
    }
    let ratio = [
        SamplerName::TraceIdRatio,
        SamplerName::ParentBasedTraceIdRatio,
    ];
    Some(ratio.contains(&name))
}
