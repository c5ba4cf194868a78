//! What the service is made of, and the order in which it starts and stops.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use rustok_telemetry::{console, runtime};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Traffic};
use crate::db::Database;
use crate::errors::{Exit, Fatal};
use crate::events::{AuditHandler, EventBus, EventHandler, IndexHandler, Worker};
use crate::faults::Faults;
use crate::inventory::{Child, InventoryClient};
use crate::orders::Orders;
use crate::products::Catalogue;
use crate::state::AppState;
use crate::tenants::Tenants;
use crate::{cli, faults, http, metrics, traffic};

/// How long requests that have begun may take to end.
const DRAIN_REQUESTS: Duration = Duration::from_secs(15);
/// How long the events that wait may take.
const DRAIN_EVENTS: Duration = Duration::from_secs(10);

/// Runs the catalogue service until a signal, or until its traffic ends.
///
/// It stops from the outside in: traffic, requests, events, database, inventory. Whatever a
/// part still needs while it finishes stops after it.
///
/// # Errors
/// When something that it needs isn't there, or its last metrics can't be written.
pub async fn run(config: Config) -> Result<(), Fatal> {
    runtime::observe_tokio("main", &Handle::current()).detach();
    if let Some(file) = &config.metrics_on_exit {
        // An hour later would be a bad time to find out.
        write_file(file, &[]).await?;
    }
    let listener = bind(config.host, config.port).await?;
    let address = listener
        .local_addr()
        .map_err(|error| Fatal::new(Exit::Unavailable, error))?;
    let faults = Faults::default();
    let db = Database::open(&config.database, faults.clone()).await?;
    let child = match &config.inventory_url {
        Some(_) => None,
        None => Some(Child::start(config.console).await?),
    };
    let inventory_url = config
        .inventory_url
        .as_ref()
        .or(child.as_ref().map(Child::url))
        .cloned();
    let inventory_url =
        inventory_url.ok_or_else(|| Fatal::new(Exit::Software, "there is no inventory to ask"))?;
    let inventory = InventoryClient::new(
        inventory_url.clone(),
        config.inventory_protocol,
        faults.clone(),
    )?;

    let (bus, events) = EventBus::new(config.event_queue_capacity);
    let handlers: Vec<Arc<dyn EventHandler>> = vec![
        Arc::new(IndexHandler { db: db.clone() }),
        Arc::new(AuditHandler { db: db.clone() }),
    ];
    let events_stop = CancellationToken::new();
    let worker = Worker::new(events, handlers, faults.clone());
    let worker = tokio::spawn(worker.run(events_stop.clone()));

    // Kept to the end, so that the last metrics have the size of its cache.
    let tenants = Tenants::new(
        db.clone(),
        config.tenant_cache_capacity,
        config.tenant_cache_ttl,
        faults.clone(),
    );
    let state = AppState {
        db: db.clone(),
        tenants: tenants.clone(),
        catalogue: Catalogue::new(db.clone(), bus.clone(), inventory.clone()),
        orders: Orders::new(db.clone(), bus.clone(), inventory),
        faults: faults.clone(),
    };
    let stop = CancellationToken::new();
    stop_on_signal(&stop)?;
    let drills = config.drills.then(|| begin_drills(faults, bus, &stop));
    let housekeeping = tokio::spawn(keep_house(db.clone(), tenants.clone()));
    if config.console {
        // One on another machine has its own page.
        if let Err(error) = console::follow("rustok-inventory", &inventory_url) {
            tracing::debug!(%error, "the inventory's console is not followed");
        }
        cli::announce_console("rustok-server", http_url(address));
    }
    if child.is_some() {
        cli::announce(
            "rustok-inventory",
            inventory_url.as_str().trim_end_matches('/'),
        );
    }
    cli::announce("rustok-server", http_url(address));

    let traffic = config.traffic.map(|wanted| {
        let driver = traffic::Driver::new(address, inventory_url);
        tokio::spawn(drive(driver, wanted, stop.clone()))
    });
    let served = serve(listener, http::routes(state, config.drills), &stop).await;
    drop(drills);

    finish(traffic, DRAIN_REQUESTS, "the traffic").await;
    events_stop.cancel();
    finish(Some(worker), DRAIN_EVENTS, "the events that wait").await;
    housekeeping.abort();
    // It ends at its next pause; what it recorded until then belongs into the last text.
    let _ = housekeeping.await;
    db.close().await;
    let written = match &config.metrics_on_exit {
        Some(file) => write_metrics(file).await,
        None => Ok(()),
    };
    if let Some(child) = child {
        child.stop().await;
    }
    served.and(written)
}

/// Listens.
///
/// # Errors
/// When the address is in use or isn't this machine's.
pub async fn bind(host: IpAddr, port: u16) -> Result<TcpListener, Fatal> {
    TcpListener::bind((host, port)).await.map_err(|error| {
        Fatal::new(
            Exit::Unavailable,
            format!("can't listen on {host} port {port}: {error}; --port takes another, or 0 for a free one"),
        )
    })
}

/// The address of a service of this machine.
#[must_use]
pub fn http_url(address: SocketAddr) -> String {
    format!("http://{address}")
}

/// Cancels `stop` at the first SIGTERM or SIGINT.
///
/// # Errors
/// When the process may not listen to signals.
pub fn stop_on_signal(stop: &CancellationToken) -> Result<(), Fatal> {
    let listen = |kind| {
        signal(kind).map_err(|error| Fatal::new(Exit::Software, format!("signals: {error}")))
    };
    let (mut term, mut int) = (
        listen(SignalKind::terminate())?,
        listen(SignalKind::interrupt())?,
    );
    let stop = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        stop.cancel();
    });
    Ok(())
}

/// Serves until `stop`, then lets the requests that have begun end.
///
/// # Errors
/// When it can't go on listening.
pub async fn serve(
    listener: TcpListener,
    routes: Router,
    stop: &CancellationToken,
) -> Result<(), Fatal> {
    let stopped = stop.clone().cancelled_owned();
    // The console needs the client's address: it answers this machine only.
    let service = routes.into_make_service_with_connect_info::<SocketAddr>();
    let server = tokio::spawn(
        axum::serve(listener, service)
            .with_graceful_shutdown(stopped)
            .into_future(),
    );
    tokio::select! {
        ended = server => ended
            .map_err(|error| Fatal::new(Exit::Software, error))?
            .map_err(|error| Fatal::new(Exit::Unavailable, error)),
        () = async { stop.cancelled().await; tokio::time::sleep(DRAIN_REQUESTS).await } => {
            tracing::warn!("some requests didn't end in time");
            Ok(())
        }
    }
}

/// Makes the switches of drills work, until the result is dropped.
fn begin_drills(faults: Faults, bus: EventBus, stop: &CancellationToken) -> JoinSet<()> {
    cli::warn(
        "rustok-server",
        "drills are on: whoever reaches this service can break it, see /drills",
    );
    let mut tasks = JoinSet::new();
    tasks.spawn(faults::stop_service(faults.clone(), stop.clone()));
    tasks.spawn(faults::keep_queue_full(faults, bus));
    tasks
}

/// Keeps the gauges true that nothing else sets when nothing happens.
async fn keep_house(db: Database, tenants: Tenants) {
    let mut tick = interval(Duration::from_secs(1));
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    for round in 0_u64.. {
        tick.tick().await;
        tenants.maintain().await;
        if round % 5 == 0 {
            count_products(&db).await;
        }
    }
}

#[rustok_telemetry::instrument(name = "housekeeping.count_products")]
async fn count_products(db: &Database) {
    match db.products_by_tenant().await {
        Ok(counts) => {
            for (tenant, products) in counts {
                metrics::update_products(&tenant, products);
            }
        }
        Err(error) => tracing::warn!(%error, "products can't be counted"),
    }
}

/// Runs the traffic, and stops the service after it if it was given a time.
async fn drive(driver: traffic::Driver, wanted: Traffic, stop: CancellationToken) {
    match wanted {
        Traffic::Endless => driver.run(&stop).await,
        Traffic::For(time) => {
            let over = stop.child_token();
            tokio::join!(driver.run(&over), async {
                tokio::select! {
                    () = tokio::time::sleep(time) => {}
                    () = stop.cancelled() => {}
                }
                over.cancel();
            });
            stop.cancel();
        }
    }
}

/// Waits for a task, and says so if it doesn't end in time or panicked.
async fn finish(task: Option<JoinHandle<()>>, time: Duration, what: &str) {
    let Some(task) = task else { return };
    match timeout(time, task).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => cli::warn("rustok-server", &format!("{what}: {error}")),
        Err(_) => cli::warn(
            "rustok-server",
            &format!("{what} didn't end within {time:?}"),
        ),
    }
}

async fn write_metrics(file: &Path) -> Result<(), Fatal> {
    let text = rustok_telemetry::prometheus_text()
        .map_err(|error| Fatal::new(Exit::Software, format!("metrics: {error}")))?;
    write_file(file, &text.body).await
}

async fn write_file(file: &Path, content: &[u8]) -> Result<(), Fatal> {
    tokio::fs::write(file, content).await.map_err(|error| {
        let file = file.display();
        Fatal::new(
            Exit::Io,
            format!("metrics can't be written to `{file}`: {error}"),
        )
    })
}
