//! Pictures of the dashboards: drawn by Grafana's components in Chromium, with the data of a Prometheus.
//!
//! The page is in `xtask/render`. npm fetches its packages, of 444 MB, once for each state of its files.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::{browser, workspace};

/// Files of the page.
const FILES: [&str; 4] = ["index.html", "main.jsx", "package.json", "vite.config.js"];

/// Size of a row of Grafana's grid and of the gap, and the page's width, in pixels; as in `main.jsx`.
const ROW: u64 = 38;
const GAP: u64 = 8;
const WIDTH: u64 = 24 * 57 + GAP;

/// Time for the server of the page to start.
const START: Duration = Duration::from_secs(30);

/// Draws each dashboard with the last minutes of a Prometheus, of the services that match the regular expression `job`,
/// into `<name>.png` in a folder. Returns the files.
///
/// # Errors
///
/// If npm or Chromium fails, a file cannot be read or written, or the Prometheus does not answer.
pub fn render(prometheus: &str, minutes: u32, job: &str, into: &Path) -> io::Result<Vec<PathBuf>> {
    let ready = ureq::get(format!("{prometheus}/-/ready")).call();
    ready.map_err(|error| io::Error::other(format!("no Prometheus at {prometheus}: {error}")))?;
    let chromium = browser::chromium()?;
    let page = built_page()?;
    let dashboards = workspace::root().join("grafana/dashboards");
    fs::create_dir_all(into)?;
    let server = Server::start(&page)?;
    let mut pictures = Vec::new();
    for file in fs::read_dir(dashboards)? {
        let file = file?.path();
        let Some(name) = file.file_stem().and_then(|name| name.to_str()) else {
            continue;
        };
        fs::copy(&file, page.join("dist").join(format!("{name}.json")))?;
        let picture = into.join(format!("{name}.png"));
        let [prometheus, job] =
            [prometheus, job].map(|text| utf8_percent_encode(text, NON_ALPHANUMERIC));
        let url = format!(
            "http://127.0.0.1:{}/?dashboard={name}.json&prometheus={prometheus}&minutes={minutes}&job={job}",
            server.port
        );
        screenshot(&chromium, &url, height(&file)?, &picture)?;
        pictures.push(picture);
    }
    pictures.sort();
    Ok(pictures)
}

/// Returns the folder of the built page, from the user's cache folder.
fn built_page() -> io::Result<PathBuf> {
    let source = workspace::root().join("xtask/render");
    let mut hasher = DefaultHasher::new();
    for file in FILES {
        fs::read(source.join(file))?.hash(&mut hasher);
    }
    let cache = workspace::cache_folder();
    let cache = cache.ok_or_else(|| io::Error::other("neither XDG_CACHE_HOME nor HOME is set"))?;
    let page = cache.join(format!("render-{:016x}", hasher.finish()));
    if page.join("dist/index.html").is_file() {
        return Ok(page);
    }
    fs::create_dir_all(&page)?;
    for file in FILES {
        fs::copy(source.join(file), page.join(file))?;
    }
    let install = [
        "install",
        "--ignore-scripts",
        "--legacy-peer-deps",
        "--no-audit",
        "--no-fund",
    ];
    browser::run(Command::new("npm").args(install).current_dir(&page))?;
    browser::run(
        Command::new("npx")
            .args(["vite", "build"])
            .current_dir(&page),
    )?;
    Ok(page)
}

/// Returns the height of a dashboard in pixels.
fn height(dashboard: &Path) -> io::Result<u64> {
    let dashboard: Value = serde_json::from_slice(&fs::read(dashboard)?)?;
    let panels = dashboard["panels"].as_array().into_iter().flatten();
    let ends = panels.filter_map(|panel| {
        let place = &panel["gridPos"];
        Some(place["y"].as_u64()? + place["h"].as_u64()?)
    });
    Ok(ends.max().unwrap_or_default() * ROW + 2 * GAP)
}

fn screenshot(chromium: &Path, url: &str, height: u64, into: &Path) -> io::Result<()> {
    let profile = into.with_extension("profile");
    let result = browser::run(
        Command::new(chromium)
            .args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
            ])
            .args([
                "--virtual-time-budget=60000",
                "--run-all-compositor-stages-before-draw",
            ])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(format!("--window-size={WIDTH},{height}"))
            .arg(format!("--screenshot={}", into.display()))
            .arg(url),
    );
    // It does not exist if Chromium has not started.
    let _ = fs::remove_dir_all(profile);
    result
}

/// The server of the page, which is stopped when it is dropped.
struct Server {
    process: Child,
    port: u16,
}

impl Server {
    fn start(page: &Path) -> io::Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        // Not by npx, whose child would go on after it was killed.
        let process = Command::new("node")
            .args([
                "node_modules/vite/bin/vite.js",
                "preview",
                "--host",
                "127.0.0.1",
                "--strictPort",
            ])
            .arg(format!("--port={port}"))
            .current_dir(page)
            .stdout(Stdio::null())
            .spawn()?;
        let server = Self { process, port };
        let started = Instant::now();
        while ureq::get(format!("http://127.0.0.1:{port}/"))
            .call()
            .is_err()
        {
            if started.elapsed() > START {
                return Err(io::Error::other("the server of the page does not answer"));
            }
            sleep(Duration::from_millis(100));
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails if it has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
