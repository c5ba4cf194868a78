//! What the page cannot see in the health and in the metrics: ignored settings, and limits of the console.

use serde_json::{Value as Json, json};

use super::state::State;
use crate::Health;

pub(super) fn problems(state: &State, health: &Health) -> Vec<Json> {
    let mut problems = Vec::new();
    let mut warn = |what: &str, remedy: &str| {
        problems.push(json!({"severity": "warning", "what": what, "remedy": remedy}));
    };
    for diagnostic in &health.diagnostics {
        warn(
            &format!("ignored setting: {diagnostic}"),
            "correct it; with RUSTOK_TELEMETRY_STRICT=true it would be an error at the start",
        );
    }
    for warning in &state.report.warnings {
        warn(warning, "change the setting if this is not intended");
    }
    let settings = &state.settings;
    if settings.allow_remote && settings.token.is_none() {
        warn(
            "other machines may open this console without a token",
            "set Console::bearer_token, or remove Console::allow_remote",
        );
    }
    let not_kept = state.history().series_not_kept();
    if not_kept > 0 {
        warn(
            &format!("the console has no room for {not_kept} series"),
            "raise Console::memory_limit",
        );
    }
    problems
}
