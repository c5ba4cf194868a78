//! The committed overlay for remote write, once more for each further store of a Collector.

use std::fs;
use std::path::{Path, PathBuf};

use super::Error;
use crate::workspace;

/// The overlay.
pub(super) const COMMITTED: &str = "collector/overlays/remote-write.yaml";
/// The type of its exporters.
const EXPORTER: &str = "prometheus_remote_write";
/// The address in it.
const ADDRESS: &str = "${env:PROMETHEUS_REMOTE_WRITE_URL:-http://127.0.0.1:9090/api/v1/write}";

/// Writes the overlay for further stores, by name and address. It belongs behind the committed one, which has the
/// first store, and sends metrics to `others` too, exporters that another file has.
pub(super) fn write(
    folder: &Path,
    stores: &[(&str, String)],
    others: &[&str],
) -> Result<Vec<PathBuf>, Error> {
    fs::create_dir_all(folder)?;
    let committed = fs::read_to_string(workspace::root().join(COMMITTED))?;
    let mut files = Vec::new();
    let mut write = |name: &str, text: String| {
        let file = folder.join(format!("{name}.yaml"));
        fs::write(&file, text)?;
        files.push(file);
        Ok::<_, Error>(())
    };
    let mut exporters = ["prometheus".to_owned(), EXPORTER.to_owned()].to_vec();
    let mut of_spans = ["prometheus/spans".to_owned(), format!("{EXPORTER}/spans")].to_vec();
    for (name, address) in stores {
        let exporter = format!("{EXPORTER}/{name}");
        let text = committed.replace(EXPORTER, &exporter);
        write(name, text.replace(ADDRESS, address))?;
        of_spans.push(format!("{exporter}/spans"));
        exporters.push(exporter);
    }
    exporters.extend(others.iter().map(|&other| other.to_owned()));
    // A list replaces those of the files before it.
    let (exporters, of_spans) = (exporters.join(", "), of_spans.join(", "));
    let pipelines = format!(
        "service:\n  pipelines:\n    metrics: {{exporters: [{exporters}]}}\n    \
         metrics/spans: {{exporters: [{of_spans}]}}\n"
    );
    write("pipelines", pipelines)?;
    Ok(files)
}
