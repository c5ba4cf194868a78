//! `OTEL_CONFIG_FILE`: OpenTelemetry's declarative configuration, a YAML file (Cargo feature `config-file`).
//!
//! The file replaces all other `OTEL_*` variables, as the specification requires; a warning names those that are set.
//! Each value is parsed and checked like the variable for the same setting: `schema.rs` maps keys to variables,
//! `walker.rs` walks a document by that table, `document.rs` reads the YAML, and `substitution.rs` replaces `${NAME}`.
//! An unknown key, an invalid value and an unsupported part of the specification are errors, each with its line; all are
//! reported at once.

mod document;
mod schema;
mod substitution;
mod walker;

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    path::Path,
};

use saphyr::MarkedYamlOwned;

use self::{document::Node, walker::Walker};
use super::{env::Reader, regular_file, telemetry::ConfigFile};

const VARIABLE: &str = "OTEL_CONFIG_FILE";

/// Reads the file that `OTEL_CONFIG_FILE` names, if it is set. `environment` has the values of `${…}` in the file.
pub(super) fn apply(
    reader: &mut Reader,
    environment: &BTreeMap<OsString, OsString>,
) -> Option<ConfigFile> {
    let path = reader.raw(VARIABLE)?.to_owned();
    let document = match document(Path::new(&path)) {
        Ok(document) => document,
        Err(why) => {
            reader.refuse(VARIABLE, format!("the file {why}"));
            return None;
        }
    };
    let not_used = reader.replace_by_file(&path);
    let variable = |name: &str| {
        environment
            .get(OsStr::new(name))?
            .to_str()
            .map(str::to_owned)
    };
    Walker::walk_file(&Node::root(&document), reader, &variable);
    Some(ConfigFile { path, not_used })
}

fn document(path: &Path) -> Result<MarkedYamlOwned, String> {
    let text = String::from_utf8(regular_file::read(path)?);
    let text = text.map_err(|_| "is not UTF-8".to_owned())?;
    document::parse(&text).map_err(|why| format!("cannot be read: {why}"))
}
