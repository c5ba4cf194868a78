//! The messages of `proto/rates.proto`, for the server and the client.

use prost::Message;

/// The name of the service.
pub const SERVICE: &str = "rates.v1.Rates";

/// The name of its method.
pub const CONVERT: &str = "Convert";

/// Asks for an amount in another currency.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ConvertRequest {
    /// The amount, in cents.
    #[prost(int64, tag = "1")]
    pub cents: i64,
    /// The currency of the amount, by its ISO 4217 code.
    #[prost(string, tag = "2")]
    pub from: String,
    /// The currency of the reply.
    #[prost(string, tag = "3")]
    pub to: String,
}

/// The converted amount.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ConvertReply {
    /// The amount, in cents.
    #[prost(int64, tag = "1")]
    pub cents: i64,
}
