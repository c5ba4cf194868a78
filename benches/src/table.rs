//! A table in Markdown: a row for each contender, a column for each case.

/// A table that grows by columns.
#[derive(Debug)]
pub(crate) struct Table {
    title: String,
    names: Vec<&'static str>,
    columns: Vec<(String, Vec<String>)>,
}

impl Table {
    pub(crate) fn new(title: impl Into<String>, names: Vec<&'static str>) -> Self {
        Self {
            title: title.into(),
            names,
            columns: Vec::new(),
        }
    }

    pub(crate) fn column(&mut self, heading: impl Into<String>, cells: Vec<String>) {
        assert_eq!(cells.len(), self.names.len(), "a cell for each row");
        self.columns.push((heading.into(), cells));
    }

    pub(crate) fn print(&self) {
        let headings: Vec<_> = self
            .columns
            .iter()
            .map(|(heading, _)| heading.as_str())
            .collect();
        println!("\n### {}\n\n| | {} |", self.title, headings.join(" | "));
        println!("|---|{}", "---:|".repeat(self.columns.len()));
        for (row, name) in self.names.iter().enumerate() {
            let cells: Vec<_> = self
                .columns
                .iter()
                .map(|(_, cells)| cells[row].as_str())
                .collect();
            println!("| {name} | {} |", cells.join(" | "));
        }
    }
}

/// `12.3 (2.4 ×)`: a figure, and how many times another one it is.
pub(crate) fn with_ratio(figure: f64, to: f64) -> String {
    format!("{figure:.1} ({:.1} ×)", figure / to)
}
