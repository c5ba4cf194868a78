//! The switches of drills: there only with `--drills`.

use axum::extract::{Path, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::{get, put};
use axum::{Json, Router};
use http::StatusCode;
use serde::Serialize;

use crate::errors::Error;
use crate::faults::{Fault, Faults, SLOW_REQUEST};
use crate::state::AppState;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/drills", get(list))
        .route("/drills/{fault}", put(begin).delete(end))
}

/// A switch, as the answers show it.
#[derive(Debug, Serialize)]
struct Switch {
    fault: &'static str,
    on: bool,
    alert: &'static str,
    effect: &'static str,
}

async fn list(State(state): State<AppState>) -> Json<Vec<Switch>> {
    let switches = Fault::ALL.map(|fault| show(&state.faults, fault));
    Json(switches.into())
}

async fn begin(
    State(state): State<AppState>,
    Path(name): Path<String>,
) -> Result<(StatusCode, Json<Switch>), Error> {
    switch(&state.faults, &name, true)
}

async fn end(
    State(state): State<AppState>,
    Path(name): Path<String>,
) -> Result<(StatusCode, Json<Switch>), Error> {
    switch(&state.faults, &name, false)
}

fn switch(faults: &Faults, name: &str, on: bool) -> Result<(StatusCode, Json<Switch>), Error> {
    let fault = Fault::named(name).ok_or_else(|| Error::DrillUnknown(name.to_owned()))?;
    faults.switch(fault, on);
    // The others are on or off at once; a stop takes its time.
    let status = match fault {
        Fault::Stop if on => StatusCode::ACCEPTED,
        _ => StatusCode::OK,
    };
    Ok((status, Json(show(faults, fault))))
}

fn show(faults: &Faults, fault: Fault) -> Switch {
    Switch {
        fault: fault.name(),
        on: faults.is_on(fault),
        alert: fault.alert(),
        effect: fault.effect(),
    }
}

/// Lets a request wait while it should.
pub(super) async fn slow_down(
    State(faults): State<Faults>,
    request: Request,
    next: Next,
) -> Response {
    if faults.is_on(Fault::Latency) {
        tokio::time::sleep(SLOW_REQUEST).await;
    }
    next.run(request).await
}
