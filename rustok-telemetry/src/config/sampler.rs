//! Which traces are recorded.

use std::fmt;

use super::{Reader, Rules, Setting, Visitor, choice::Choice, rules::Value};

const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const SAMPLER_ARG: &str = "OTEL_TRACES_SAMPLER_ARG";

/// Which traces are recorded. Ratios are numbers from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Sampler {
    /// All traces.
    AlwaysOn,
    /// No traces.
    AlwaysOff,
    /// This ratio of traces.
    TraceIdRatio(f64),
    /// The decision of the parent span; all root traces.
    ParentBasedAlwaysOn,
    /// The decision of the parent span; no root traces.
    ParentBasedAlwaysOff,
    /// The decision of the parent span; this ratio of root traces.
    ParentBasedTraceIdRatio(f64),
}

impl Choice for Sampler {
    const ACCEPTED: &'static [(&'static str, Self)] = &[
        ("always_on", Self::AlwaysOn),
        ("always_off", Self::AlwaysOff),
        ("traceidratio", Self::TraceIdRatio(1.0)),
        ("parentbased_always_on", Self::ParentBasedAlwaysOn),
        ("parentbased_always_off", Self::ParentBasedAlwaysOff),
        (
            "parentbased_traceidratio",
            Self::ParentBasedTraceIdRatio(1.0),
        ),
    ];
    const REFUSED: &'static [(&'static str, &'static str)] = &[
        ("jaeger_remote", NO_REMOTE),
        ("parentbased_jaeger_remote", NO_REMOTE),
        ("xray", NO_REMOTE),
    ];
}

const NO_REMOTE: &str = "samplers that ask a server are not built in";

impl Sampler {
    fn ratio_mut(&mut self) -> Option<&mut f64> {
        match self {
            Self::TraceIdRatio(ratio) | Self::ParentBasedTraceIdRatio(ratio) => Some(ratio),
            _ => None,
        }
    }
}

impl fmt::Display for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        match self {
            Self::TraceIdRatio(ratio) | Self::ParentBasedTraceIdRatio(ratio) => {
                write!(f, "{name} {ratio}")
            }
            _ => f.write_str(name),
        }
    }
}

/// Visits the sampler. Its ratio has a variable of its own.
pub(super) fn visit_sampler(
    old: Option<&Setting<Sampler>>,
    visitor: &mut Visitor<'_>,
) -> Setting<Sampler> {
    let default = Sampler::ParentBasedAlwaysOn;
    let rules = Rules::new().parse(|text| {
        Value::parse(text).map_err(|why: String| match ratio(text) {
            Ok(share) => format!(
                "{why}; for this share of the traces, set {SAMPLER}=parentbased_traceidratio and {SAMPLER_ARG}={share}"
            ),
            Err(_) => why,
        })
    });
    let mut sampler = visitor.setting(old, "sampler", &[SAMPLER], default, &rules);
    if let Some(reader) = visitor.reader() {
        read_ratio(reader, &mut sampler.value);
    }
    let Setting { mut value, source } = sampler;
    if let Some(ratio) = value.ratio_mut()
        && !(0.0..=1.0).contains(ratio)
    {
        let shown = std::mem::replace(ratio, 1.0).to_string();
        let why = "not between 0 and 1".to_owned();
        visitor.refuse(&mut sampler, SAMPLER_ARG, &shown, value, why);
        sampler.source = source;
    }
    sampler
}

/// Reads the ratio. A ratio for a sampler without one is an error.
fn read_ratio(reader: &mut Reader, sampler: &mut Sampler) {
    if reader.has_failed(SAMPLER) {
        // Whether a refused sampler takes an argument is unknown, unless its name says so.
        let refused = reader.raw(SAMPLER).unwrap_or_default();
        if refused.to_ascii_lowercase().contains("ratio") {
            reader.first_of(&[SAMPLER_ARG], 1.0, &ratio);
        }
    } else if let Some(value) = sampler.ratio_mut() {
        *value = reader.first_of(&[SAMPLER_ARG], 1.0, &ratio).value;
    } else {
        let why = format!(
            "the sampler {sampler} takes no argument; remove it, or set {SAMPLER} to a ratio sampler"
        );
        reader.refuse(SAMPLER_ARG, why);
    }
}

/// A number from 0 to 1.
fn ratio(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(ratio) if (0.0..=1.0).contains(&ratio) => Ok(ratio),
        Ok(number) if number.is_finite() => Err("not between 0 and 1".to_owned()),
        _ => Err("not a number".to_owned()),
    }
}
