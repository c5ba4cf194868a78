//! The exporter of log records.

use std::{mem, time::Duration};

use opentelemetry_proto::transform::{
    common::tonic::ResourceAttributesWithSchema, logs::tonic::group_logs_by_resource_and_scope,
};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    logs::{LogBatch, LogExporter},
};

use super::{
    ConnectionRuntime,
    requests::{ITEM, RESOURCE, Requests, SCOPE},
    sender::Sender,
};
use crate::{InitError, config::OtlpConfig};

#[derive(Debug)]
pub(crate) struct LogRecordExporter {
    sender: Sender,
    resource: ResourceAttributesWithSchema,
}

impl LogRecordExporter {
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

    fn requests(&self, batch: &LogBatch<'_>) -> Requests {
        let mut requests = Requests::new();
        for mut resource in group_logs_by_resource_and_scope(batch, &self.resource) {
            let scopes = mem::take(&mut resource.scope_logs);
            requests.open(RESOURCE, &resource);
            for mut scope in scopes {
                let records = mem::take(&mut scope.log_records);
                requests.open(SCOPE, &scope);
                // The name of the scope is the target.
                let name = || {
                    let target = scope.scope.as_ref().map(|scope| scope.name.as_str());
                    format!("a log record of {:?}", target.unwrap_or_default())
                };
                for record in records {
                    requests.add(ITEM, &record, name);
                }
                requests.close();
            }
            requests.close();
        }
        requests
    }
}

impl LogExporter for LogRecordExporter {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        self.sender.begin(batch.iter().count());
        self.sender.export(self.requests(&batch)).await
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        self.sender.shut_down();
        Ok(())
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.resource = resource.into();
    }
}
