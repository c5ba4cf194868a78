//! A headless Chromium that notes what a page does wrong: errors on its console, and requests to other origins.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chromiumoxide::cdp::browser_protocol::emulation::{
    MediaFeature, SetDeviceMetricsOverrideParams, SetEmulatedMediaParams,
};
use chromiumoxide::cdp::browser_protocol::log::EventEntryAdded;
use chromiumoxide::cdp::browser_protocol::network::EventRequestWillBeSent;
use chromiumoxide::cdp::js_protocol::runtime::{EventConsoleApiCalled, EventExceptionThrown};
use chromiumoxide::layout::Point;
use chromiumoxide::page::ScreenshotParams;
use chromiumoxide::{Browser, BrowserConfig, Page};
use futures::{Stream, StreamExt};
use serde::de::DeserializeOwned;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// How long the page may take for anything that is waited for.
const LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);

/// A running browser.
pub(crate) struct Chromium {
    browser: Browser,
    events: JoinHandle<()>,
    profile: PathBuf,
}

impl Chromium {
    /// Starts it with an empty profile in `folder`.
    pub(crate) async fn start(folder: &Path) -> Self {
        let profile = folder.join("chromium");
        let program = xtask::browser::chromium().expect("Chromium is installed");
        let config = BrowserConfig::builder()
            .chrome_executable(program)
            .user_data_dir(&profile)
            // It sees this machine's own pages only, and runs as root in CI, where the sandbox refuses to.
            .no_sandbox()
            .args([
                "disable-gpu",
                "disable-background-networking",
                "no-proxy-server",
                "disable-component-update",
            ])
            .viewport(None)
            .build()
            .expect("the settings of the browser");
        let (browser, mut handler) = Browser::launch(config).await.expect("Chromium starts");
        let events = tokio::spawn(async move { while handler.next().await.is_some() {} });
        Self {
            browser,
            events,
            profile,
        }
    }

    /// Opens a page whose `origin` is the only one that it may ask.
    pub(crate) async fn open(&self, url: &str) -> Tab {
        let page = self.browser.new_page("about:blank").await.expect("a page");
        let tab = Tab {
            page,
            seen: Seen::default(),
        };
        tab.watch().await;
        tab.page.goto(url).await.expect("the page loads");
        tab
    }

    /// Ends the browser.
    pub(crate) async fn stop(mut self) {
        self.browser.close().await.expect("Chromium stops");
        let _ = self.browser.wait().await;
        self.events.abort();
        std::fs::remove_dir_all(&self.profile).expect("the profile is removed");
    }
}

/// What a page did.
#[derive(Debug, Default, Clone)]
struct Seen {
    errors: Arc<Mutex<Vec<String>>>,
    requests: Arc<Mutex<Vec<String>>>,
}

/// An open page.
pub(crate) struct Tab {
    page: Page,
    seen: Seen,
}

impl Tab {
    async fn watch(&self) {
        self.page.enable_log().await.expect("the log");
        self.page.enable_runtime().await.expect("the runtime");
        let page = &self.page;
        let errors = &self.seen.errors;
        let of_console = page.event_listener::<EventConsoleApiCalled>().await;
        collect(
            of_console.expect("events"),
            errors,
            |event: &EventConsoleApiCalled| {
                let kind = format!("{:?}", event.r#type);
                let is_wrong = ["Error", "Warning", "Assert"].contains(&kind.as_str());
                is_wrong.then(|| format!("console: {kind}: {:?}", event.args))
            },
        );
        let thrown = page.event_listener::<EventExceptionThrown>().await;
        collect(
            thrown.expect("events"),
            errors,
            |event: &EventExceptionThrown| Some(format!("thrown: {:?}", event.exception_details)),
        );
        let logged = page.event_listener::<EventEntryAdded>().await;
        collect(
            logged.expect("events"),
            errors,
            |event: &EventEntryAdded| {
                let (level, text) = (format!("{:?}", event.entry.level), &event.entry.text);
                (level == "Error").then(|| format!("log: {text} {:?}", event.entry.url))
            },
        );
        let requests = page.event_listener::<EventRequestWillBeSent>().await;
        collect(
            requests.expect("events"),
            &self.seen.requests,
            |event: &EventRequestWillBeSent| Some(event.request.url.clone()),
        );
    }

    /// Evaluates an expression, or awaits it if it is a promise.
    pub(crate) async fn eval<T: DeserializeOwned>(&self, expression: &str) -> T {
        let result = self.page.evaluate(expression).await;
        let result = result.unwrap_or_else(|error| panic!("{expression}: {error}"));
        let value = result.into_value();
        value.unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// Waits until an expression is true.
    pub(crate) async fn wait(&self, expression: &str) {
        let started = Instant::now();
        while !self.eval::<bool>(&format!("Boolean({expression})")).await {
            if started.elapsed() > LIMIT {
                let text: String = self.eval("document.body.innerText.slice(0, 3000)").await;
                panic!(
                    "never true: {expression}; errors: {:?}; the page:\n{text}",
                    self.errors()
                );
            }
            sleep(POLL).await;
        }
    }

    /// Clicks the first element in its middle, as soon as it is there and nothing covers it.
    pub(crate) async fn click(&self, selector: &str) {
        let find = format!("document.querySelector({selector:?})");
        let middle = format!(
            "(() => {{
                const element = {find};
                element?.scrollIntoView({{block: 'center', behavior: 'instant'}});
                const [box] = element?.getClientRects() ?? [];
                if (!box) return null;
                const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
                return element.contains(document.elementFromPoint(x, y)) ? [x, y] : null;
            }})()"
        );
        self.wait(&middle).await;
        let (x, y) = self.eval(&middle).await;
        let clicked = self.page.click(Point { x, y }).await;
        clicked.unwrap_or_else(|error| panic!("a click on {selector}: {error}"));
    }

    /// Presses a key, with nothing focused.
    pub(crate) async fn press(&self, key: &str) {
        let page = self.page.find_element("body").await.expect("a body");
        page.press_key(key).await.expect("a key");
    }

    /// Goes to a view, given by the fragment of the address.
    pub(crate) async fn go(&self, fragment: &str) {
        self.eval::<String>(&format!("location.hash = {fragment:?}"))
            .await;
    }

    /// Sets the width and height of the window, and light or dark colours.
    pub(crate) async fn look(&self, width: i64, height: i64, scheme: &str) {
        let size = SetDeviceMetricsOverrideParams::new(width, height, 1.0, width < 600);
        self.page.execute(size).await.expect("a size");
        let media = SetEmulatedMediaParams::builder()
            .feature(MediaFeature::new("prefers-color-scheme", scheme))
            .feature(MediaFeature::new("prefers-reduced-motion", "reduce"))
            .build();
        self.page.execute(media).await.expect("a colour scheme");
    }

    /// Saves what is visible as a PNG file.
    pub(crate) async fn screenshot(&self, file: &Path) {
        let saved = self
            .page
            .save_screenshot(ScreenshotParams::default(), file)
            .await;
        assert!(
            saved.expect("a screenshot").len() > 5_000,
            "an empty page: {}",
            file.display()
        );
    }

    /// The violations of axe-core that are serious or critical, each with its elements.
    pub(crate) async fn serious_violations(&self) -> Vec<String> {
        let file = xtask::browser::axe().expect("axe-core");
        let script = std::fs::read_to_string(file).expect("a script");
        if !self.eval::<bool>("typeof axe === 'object'").await {
            self.page.evaluate(script).await.expect("axe-core runs");
        }
        self.eval(
            "axe.run(document, {resultTypes: ['violations']}).then(({violations}) => violations
                .filter(({impact}) => ['serious', 'critical'].includes(impact))
                .map(({id, help, nodes}) => `${id}: ${help}: ${nodes.slice(0, 5).map(({html, any}) =>
                    html.slice(0, 200) + ' ' + any.map(({message}) => message)).join(' | ')}`))",
        )
        .await
    }

    /// What went wrong in the page so far.
    pub(crate) fn errors(&self) -> Vec<String> {
        locked(&self.seen.errors).clone()
    }

    /// The addresses that the page asked for.
    pub(crate) fn requests(&self) -> Vec<String> {
        locked(&self.seen.requests).clone()
    }
}

/// Fails with what there is.
#[track_caller]
pub(crate) fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn collect<E>(
    mut events: impl Stream<Item = Arc<E>> + Send + Unpin + 'static,
    into: &Arc<Mutex<Vec<String>>>,
    describe: fn(&E) -> Option<String>,
) where
    E: Send + Sync + 'static,
{
    let into = Arc::clone(into);
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            locked(&into).extend(describe(&event));
        }
    });
}

fn locked(texts: &Mutex<Vec<String>>) -> std::sync::MutexGuard<'_, Vec<String>> {
    texts.lock().unwrap_or_else(PoisonError::into_inner)
}
