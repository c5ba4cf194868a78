//! The files of the page.

/// A file of the page, in the program.
pub(super) struct Asset {
    pub(super) content_type: &'static str,
    pub(super) text: &'static str,
}

/// Returns the page, at its path with or without a slash. A router may nest this one, so its links are relative.
pub(super) fn index(path: &str) -> String {
    let page = include_str!("assets/index.html");
    match path {
        "" => page.replace("\"assets/", "\"console/assets/"),
        _ => page.to_owned(),
    }
}

macro_rules! assets {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("assets/", $name)))),*]
    };
}

const ASSETS: &[(&str, &str)] = assets! {
    "api.js" "app.js" "chart.js" "dom.js" "format.js" "heatmap.js" "icons.js" "keys.js" "logs.js" "metric.js"
    "metrics.js" "overview.js" "parts-panels.js" "parts.js" "problems.js" "quantiles.js" "router.js" "series.js"
    "shell.js" "span-details.js" "sparkline.js" "store.js" "style.css" "table.js" "telemetry.js" "trace-tree.js"
    "trace.js" "traces.js" "uplot/uPlot.iife.min.js" "uplot/uPlot.min.css" "views.css" "widgets.js"
};

/// Returns a file below `assets/`.
pub(super) fn find(name: &str) -> Option<Asset> {
    let (_, text) = ASSETS.iter().find(|(known, _)| *known == name)?;
    let content_type = match name.rsplit_once('.') {
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "svg")) => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    };
    Some(Asset { content_type, text })
}

impl Asset {
    /// Returns the tag of this version, by FNV-1a.
    pub(super) fn tag(&self) -> String {
        let hash = self
            .text
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
        format!("\"{hash:016x}\"")
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    #[test]
    fn every_file_is_embedded() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/console/assets");
        let mut files = BTreeSet::new();
        for below in ["", "uplot/"] {
            for entry in fs::read_dir(folder.join(below)).expect("a folder") {
                let name = entry.expect("a file").file_name();
                files.insert(format!("{below}{}", name.to_string_lossy()));
            }
        }
        files.retain(|name| name.ends_with(".js") || name.ends_with(".css"));
        let embedded = ASSETS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(files, embedded);
    }
}
