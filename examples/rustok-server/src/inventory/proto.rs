//! The messages and methods of `proto/inventory.proto`.

use prost::Message;

/// The service.
pub(super) const SERVICE: &str = "inventory.v1.Inventory";

/// Its methods.
pub(super) const GET_STOCK: &str = "GetStock";
pub(super) const RESERVE: &str = "Reserve";

#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct GetStockRequest {
    #[prost(string, tag = "1")]
    pub(super) tenant: String,
    #[prost(string, tag = "2")]
    pub(super) sku: String,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct GetStockReply {
    #[prost(int64, tag = "1")]
    pub(super) available: i64,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct ReserveRequest {
    #[prost(string, tag = "1")]
    pub(super) tenant: String,
    #[prost(string, tag = "2")]
    pub(super) sku: String,
    #[prost(int64, tag = "3")]
    pub(super) quantity: i64,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct ReserveReply {
    #[prost(bool, tag = "1")]
    pub(super) reserved: bool,
    #[prost(int64, tag = "2")]
    pub(super) available: i64,
}
