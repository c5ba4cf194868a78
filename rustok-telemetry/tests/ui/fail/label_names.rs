//! Some label names are reserved, and no two labels share one.

#[rustok_telemetry::metrics(namespace = "shop")]
mod declared {
    /// Reserved.
    #[counter(name = "reserved_total")]
    pub fn reserved(
        le: &str,
        quantile: &str,
        job: &str,
        #[label(name = "instance")] host: &str,
        otel_scope_name: &str,
        otel_scope_version: &str,
        __name__: &str,
        exported_job: &str,
    );

    /// Badly spelled.
    #[counter(name = "misspelled_total")]
    pub fn misspelled(tenantId: &str, _unused: &str, #[label(name = "http.route")] route: &str);

    /// Repeated.
    #[counter(name = "repeated_total")]
    pub fn repeated(path: &str, #[label(name = "path")] route: &str);
}

fn main() {}
