//! A dashboard: its panels, variables and settings.

use super::panel::Panel;
use super::query::{Expr, Scope};
use super::variable::Variable;

/// A dashboard.
#[derive(Debug, Clone)]
pub struct Dashboard {
    /// The path of its file, relative to the root of the workspace.
    pub path: &'static str,
    /// The identifier in its URL.
    pub uid: &'static str,
    pub(crate) title: &'static str,
    pub(crate) description: &'static str,
    /// Start of the default time range, which ends now.
    pub(crate) from: &'static str,
    pub(crate) refresh: &'static str,
    pub(crate) variables: Vec<Variable>,
    pub(crate) items: Vec<Item>,
}

/// An item of a dashboard.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    /// A heading above the following panels.
    Row {
        id: u32,
        title: String,
    },
    Panel(Box<Panel>),
}

impl Item {
    pub(crate) fn row(id: u32, title: impl Into<String>) -> Self {
        let title = title.into();
        Self::Row { id, title }
    }
}

impl From<Panel> for Item {
    fn from(panel: Panel) -> Self {
        Self::Panel(Box::new(panel))
    }
}

impl Dashboard {
    /// Returns an error for each reference to something that does not exist.
    pub fn problems(&self) -> Vec<String> {
        let of_items = self.items.iter().flat_map(|item| match item {
            Item::Row { .. } => Vec::new(),
            Item::Panel(panel) => panel.problems(),
        });
        let of_variables = self.variables.iter().flat_map(Variable::problems);
        let problems = of_items
            .chain(of_variables)
            .chain(self.deployments().problems().to_vec());
        problems
            .map(|problem| format!("{}: {problem}", self.uid))
            .collect()
    }

    /// Returns the query for deployments: service versions that did not run a minute ago.
    pub(crate) fn deployments(&self) -> Expr {
        const SCOPE: Scope = Scope::of(&[("job", "job")]);
        const LABELS: [&str; 2] = ["job", "service_version"];
        let running = SCOPE.gauge("target_info");
        running
            .value()
            .max_by(LABELS)
            .unless(running.value_before("1m").max_by(LABELS))
    }
}
