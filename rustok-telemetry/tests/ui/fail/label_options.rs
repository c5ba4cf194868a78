//! What `#[label]` takes.

#[rustok_telemetry::metrics(namespace = "shop")]
mod declared {
    /// No budget.
    #[counter(name = "a_total")]
    pub fn no_budget(#[label(budget = 0)] path: &str);

    /// Too large a budget.
    #[counter(name = "b_total")]
    pub fn too_large_a_budget(#[label(budget = 5_000_000_000)] path: &str);

    /// A budget in words.
    #[counter(name = "c_total")]
    pub fn budget_in_words(#[label(budget = "many")] path: &str);

    /// An unknown option.
    #[counter(name = "d_total")]
    pub fn unknown_option(#[label(bugdet = 3)] path: &str);

    /// A label without parentheses.
    #[counter(name = "e_total")]
    pub fn without_parentheses(#[label = "path"] route: &str);

    /// A label on the value.
    #[counter(name = "f_total")]
    pub fn on_the_value(path: &str, #[label(budget = 3)] rows: u64);

    /// Another attribute.
    #[counter(name = "g_total")]
    pub fn another_attribute(#[cfg(unix)] path: &str);
}

fn main() {}
