//! `OTEL_CONFIG_FILE`: OpenTelemetry's declarative configuration, a YAML file (feature `config-file`).
//!
//! ```yaml
//! file_format: "1.0"
//! resource:
//!   attributes:
//!     - name: service.name
//!       value: shop
//! tracer_provider:
//!   sampler:
//!     parent_based:
//!       root:
//!         trace_id_ratio_based:
//!           ratio: ${SAMPLING_RATIO:-0.1}
//!   processors:
//!     - batch:
//!         exporter:
//!           otlp_grpc:
//!             endpoint: http://collector:4317
//! ```
//!
//! The file takes the place of all other `OTEL_*` variables, as the specification says; a warning names those that are
//! set. Each value of the file is parsed and checked as the variable that would set the same: `schema.rs` is the table
//! of keys and variables, `walker.rs` walks a document by it, `document.rs` reads the YAML, and `substitution.rs` replaces
//! `${NAME}`. An unknown key, a value that cannot be used and an unsupported part of the specification are errors, each
//! with its line; all are reported at once.

mod document;
mod schema;
mod substitution;
mod walker;

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs,
};

use self::{document::Document, walker::Walker};
use super::{env::Reader, telemetry::ConfigFile};

const VARIABLE: &str = "OTEL_CONFIG_FILE";

/// Reads the file that `OTEL_CONFIG_FILE` names, if it does, in place of the other variables. `${…}` in the file takes
/// its values from `environment`.
pub(super) fn apply(
    reader: &mut Reader,
    environment: &BTreeMap<OsString, OsString>,
) -> Option<ConfigFile> {
    let path = reader.raw(VARIABLE)?.to_owned();
    let variable = |name: &str| {
        let value = environment.get(OsStr::new(name))?;
        value.to_str().map(str::to_owned)
    };
    let text = fs::read_to_string(&path).map_err(|error| error.to_string());
    let document = match text.and_then(|text| Document::parse(&text)) {
        Ok(document) => document,
        Err(why) => {
            reader.refuse(VARIABLE, format!("the file cannot be read: {why}"));
            return None;
        }
    };
    let found = Walker::walk_file(&document.root(), &variable);
    let not_used = reader.replace_values(&path, found.values);
    if let Some((views, place)) = found.views {
        reader.keep_views(views, place.line);
    }
    for (place, why) in found.diagnostics {
        reader.refuse_place(place, why);
    }
    Some(ConfigFile { path, not_used })
}
