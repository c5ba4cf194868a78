//! The exporter of spans.

use std::{mem, time::Duration};

use opentelemetry_proto::transform::{
    common::tonic::ResourceAttributesWithSchema, trace::tonic::group_spans_by_resource_and_scope,
};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{SpanData, SpanExporter},
};

use super::{
    ConnectionRuntime,
    requests::{ITEM, RESOURCE, Requests, SCOPE},
    sender::Sender,
};
use crate::{InitError, config::OtlpConfig};

#[derive(Debug)]
pub(crate) struct OtlpSpanExporter {
    sender: Sender,
    resource: ResourceAttributesWithSchema,
}

impl OtlpSpanExporter {
    /// `limit` bounds a request in addition to the exporter's own timeout.
    pub(crate) fn new(
        config: &OtlpConfig,
        limit: Option<Duration>,
        runtime: &mut ConnectionRuntime,
    ) -> Result<Self, InitError> {
        Ok(Self {
            sender: Sender::new(config, limit, runtime)?,
            resource: ResourceAttributesWithSchema::default(),
        })
    }

    fn requests(&self, batch: Vec<SpanData>) -> Requests {
        let mut requests = Requests::new();
        for mut resource in group_spans_by_resource_and_scope(batch, &self.resource) {
            let scopes = mem::take(&mut resource.scope_spans);
            requests.open(RESOURCE, &resource);
            for mut scope in scopes {
                let spans = mem::take(&mut scope.spans);
                requests.open(SCOPE, &scope);
                for span in spans {
                    requests.add(ITEM, &span, || format!("span {:?}", span.name));
                }
                requests.close();
            }
            requests.close();
        }
        requests
    }
}

impl SpanExporter for OtlpSpanExporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.sender.begin(batch.len());
        self.sender.export(self.requests(batch)).await
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        self.sender.shut_down();
        Ok(())
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.resource = resource.into();
    }
}
