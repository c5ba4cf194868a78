//! Rules of OpenTelemetry for the attributes of spans and log records.

pub(crate) mod unique_keys;
pub(crate) mod value_length;
