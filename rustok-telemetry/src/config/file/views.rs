//! `meter_provider.views` of the file.

use super::{document::Node, reading::Reading};
use crate::config::{View, ViewAggregation};

/// Names, descriptions and labels are those of the catalogue, on which dashboards and alerts depend.
const OF_THE_CATALOGUE: &str = "not supported by this version: the catalogue says what metrics are called and which labels they have";

impl Reading<'_> {
    pub(super) fn views(&mut self, list: &Node<'_>) {
        let mut views = Vec::new();
        for item in self.list(list) {
            if let Some(view) = self.view(&item) {
                match view.diagnostic() {
                    None => views.push(view),
                    Some(why) => self.refuse(&item, why),
                }
            }
        }
        if !views.is_empty() {
            self.put_views(views, list.place());
        }
    }

    fn view(&mut self, item: &Node<'_>) -> Option<View> {
        let (mut instrument_name, mut aggregation) = (None, None);
        for (key, node) in self.entries(item) {
            match key {
                "selector" => instrument_name = self.selector(&node),
                "stream" => aggregation = self.stream(&node),
                _ => self.refuse_key(&node, key, &["selector", "stream"]),
            }
        }
        if instrument_name.is_none() {
            self.refuse(item, "`selector` has no `instrument_name`");
        }
        Some(View {
            instrument_name: instrument_name?,
            aggregation: aggregation?,
        })
    }

    fn selector(&mut self, selector: &Node<'_>) -> Option<String> {
        let mut name = None;
        for (key, node) in self.entries(selector) {
            match key {
                "instrument_name" => name = self.text(&node),
                "instrument_type" | "unit" | "meter_name" | "meter_version"
                | "meter_schema_url" => {
                    self.refuse(&node, "only `instrument_name` is supported by this version");
                }
                _ => self.refuse_key(&node, key, &["instrument_name"]),
            }
        }
        name
    }

    fn stream(&mut self, stream: &Node<'_>) -> Option<ViewAggregation> {
        let mut aggregation = None;
        for (key, node) in self.entries(stream) {
            match key {
                "aggregation" => aggregation = self.aggregation(&node),
                "name" | "description" | "attribute_keys" | "aggregation_cardinality_limit" => {
                    self.refuse(&node, OF_THE_CATALOGUE);
                }
                _ => self.refuse_key(&node, key, &["aggregation"]),
            }
        }
        aggregation
    }

    fn aggregation(&mut self, aggregation: &Node<'_>) -> Option<ViewAggregation> {
        let (kind, node) = self.one_of(aggregation)?;
        match kind {
            "drop" => Some(ViewAggregation::Drop),
            "explicit_bucket_histogram" => {
                let mut boundaries = Vec::new();
                for (key, node) in self.entries(&node) {
                    match key {
                        "boundaries" => boundaries = self.numbers(&node),
                        "record_min_max" => {
                            self.refuse(&node, "not supported by this version");
                        }
                        _ => self.refuse_key(&node, key, &["boundaries"]),
                    }
                }
                Some(ViewAggregation::Boundaries(boundaries))
            }
            "default" | "sum" | "last_value" | "base2_exponential_bucket_histogram" => {
                self.refuse(&node, "not supported by this version");
                None
            }
            _ => {
                self.refuse_key(&node, kind, &["drop", "explicit_bucket_histogram"]);
                None
            }
        }
    }

    fn numbers(&mut self, list: &Node<'_>) -> Vec<f64> {
        let mut numbers = Vec::new();
        for item in self.list(list) {
            match self.text(&item).map(|text| text.parse()) {
                Some(Ok(number)) => numbers.push(number),
                Some(Err(_)) | None => self.refuse(&item, "not a number"),
            }
        }
        numbers
    }
}
