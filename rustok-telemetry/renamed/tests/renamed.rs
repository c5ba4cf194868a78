//! Every macro with `crate = …`, for a renamed dependency and for one that another crate re-exports.

use acme::testing;

/// A macro's expansions must not name `rustok_telemetry`: here it is not what they look for.
mod rustok_telemetry {}

mod renamed {
    use acme::{ErrorType, LabelValue, instrument};

    #[derive(Debug, ErrorType)]
    #[error_type(crate = acme)]
    pub(crate) struct Inner;

    #[derive(Debug, ErrorType)]
    #[error_type(crate = "acme")]
    pub(crate) enum Error<E> {
        NotFound,
        #[error_type(transparent)]
        Inner(E),
    }

    #[derive(LabelValue)]
    #[label_value(crate = acme)]
    pub(crate) enum Outcome {
        #[label("found")]
        Hit,
    }

    #[acme::metrics(namespace = "renamed", crate = acme)]
    pub(crate) mod metrics {
        use acme::LabelValue;

        /// Goods sold.
        #[counter(name = "sold_total", also = super::also)]
        pub(crate) fn record_sold(outcome: impl LabelValue);

        /// Time that a sale took.
        #[histogram(name = "sale_seconds", boundaries = [0.1, 1.0])]
        pub(crate) fn record_sale(shop: &str, seconds: f64);

        /// Goods that are there.
        #[observable_gauge(name = "goods", observe = super::observe)]
        fn goods() -> i64;
    }

    fn also(_: &str) {}

    fn observe(observe: &mut dyn FnMut([&str; 0], i64)) {
        observe([], 3);
    }

    #[instrument(
        crate = acme,
        level = "info",
        record(id),
        tenant_id = tenant,
        fields(late),
        module = "shop",
        err,
        ret,
    )]
    pub(crate) fn load(id: Option<u64>, tenant: &str) -> Result<u64, Error<Inner>> {
        id.ok_or(Error::NotFound)
    }

    #[track_caller]
    #[instrument(crate = "acme")]
    pub(crate) fn tracked(id: Option<u64>) -> Result<u64, Error<Inner>> {
        Ok(id.ok_or(Error::Inner(Inner))? + 1)
    }

    impl std::fmt::Display for Error<Inner> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("failed")
        }
    }
}

mod facade {
    use rustok_telemetry_renamed::telemetry::{self, ErrorType, LabelValue, instrument};

    #[derive(Debug, ErrorType)]
    #[error_type(crate = telemetry)]
    #[error_type("gone")]
    pub(crate) struct Gone;

    #[derive(LabelValue)]
    #[label_value(crate = rustok_telemetry_renamed::telemetry)]
    pub(crate) enum Outcome {
        Missed,
    }

    #[telemetry::metrics(namespace = "facade", crate = rustok_telemetry_renamed::telemetry)]
    pub(crate) mod metrics {
        use rustok_telemetry_renamed::telemetry::LabelValue;

        /// Goods sold.
        #[counter(name = "sold_total")]
        pub(crate) fn record_sold(outcome: impl LabelValue);
    }

    #[async_trait::async_trait]
    pub(crate) trait Store {
        async fn load(&self) -> Result<(), Gone>;
    }

    #[async_trait::async_trait]
    impl Store for u8 {
        #[instrument(crate = rustok_telemetry_renamed::telemetry, record(self))]
        async fn load(&self) -> Result<(), Gone> {
            Err(Gone)
        }
    }

    #[instrument(crate = crate::facade::telemetry)]
    pub(crate) async fn later(fails: bool) -> Result<u8, Gone> {
        if fails {
            return Err(Gone);
        }
        Ok(1)
    }
}

#[test]
fn a_renamed_dependency() {
    let telemetry = testing::capture();
    assert!(renamed::load(None, "acme").is_err());
    assert!(renamed::load(Some(1), "acme").is_ok());
    assert!(renamed::tracked(None).is_err());
    renamed::metrics::record_sold(renamed::Outcome::Hit);
    renamed::metrics::time_sale("rome").stop();
    telemetry.spans_named("load")[0].assert_error("not_found");
    telemetry.spans_named("load")[1].assert_attribute("id", 1);
    telemetry.spans_named("tracked")[0].assert_error("inner");
    let sold = telemetry.metric("renamed_sold_total");
    sold.with("outcome", "found").assert_value(1.0);
}

#[test]
fn a_facade_of_another_crate() {
    use facade::Store;

    let telemetry = testing::capture();
    assert!(telemetry.block_on(3_u8.load()).is_err());
    assert!(telemetry.block_on(facade::later(true)).is_err());
    facade::metrics::record_sold(facade::Outcome::Missed);
    telemetry.spans_named("load")[0]
        .assert_error("gone")
        .assert_attribute("self", 3);
    telemetry.spans_named("later")[0].assert_error("gone");
    let sold = telemetry.metric("facade_sold_total");
    sold.with("outcome", "missed").assert_value(1.0);
}
