//! Metrics of gRPC servers and clients. The [gRPC layers](crate::grpc) record them.
//!
//! `service` and `method` are those of a known method, such as `inventory.v1.Inventory` and `GetStock`, never what a
//! caller sent. Duration and messages include those of streams.

/// Declarations; the functions are re-exported by [`metrics`](super).
#[crate::metrics(namespace = "rustok", subsystem = "grpc")]
pub(crate) mod declared {
    use crate::metrics::REQUEST_SECONDS;

    /// gRPC calls that a server has begun to handle.
    #[counter(name = "server_started_total", series = 150)]
    pub fn record_grpc_server_started(
        #[label(budget = 50)] service: &str,
        #[label(budget = 200)] method: &str,
    );

    /// gRPC calls that a server has handled, by status code.
    #[counter(name = "server_handled_total", series = 400)]
    pub fn record_grpc_server_handled(
        #[label(budget = 50)] service: &str,
        #[label(budget = 200)] method: &str,
        #[label(budget = 20)] code: &str,
    );

    /// Time from a gRPC call's arrival at a server until its status was sent.
    #[histogram(name = "server_duration_seconds", unit = "s", boundaries = REQUEST_SECONDS, series = 150)]
    pub fn record_grpc_server_duration(
        #[label(budget = 50)] service: &str,
        #[label(budget = 200)] method: &str,
        seconds: f64,
    );

    /// Messages that the handlers of a gRPC server have read.
    #[counter(name = "server_messages_received_total", series = 150)]
    pub fn record_grpc_server_messages_received(
        #[label(budget = 50)] service: &str,
        #[label(budget = 200)] method: &str,
        messages: u64,
    );

    /// Messages that a gRPC server has sent.
    #[counter(name = "server_messages_sent_total", series = 150)]
    pub fn record_grpc_server_messages_sent(
        #[label(budget = 50)] service: &str,
        #[label(budget = 200)] method: &str,
        messages: u64,
    );

    /// gRPC calls that a server is handling, from arrival until the status has been sent.
    #[up_down_counter(name = "server_active_calls")]
    pub fn add_grpc_server_active_calls(change: i64);

    /// gRPC calls that a client has begun.
    #[counter(name = "client_started_total", series = 150)]
    pub fn record_grpc_client_started(
        #[label(budget = 50)] service: &str,
        #[label(budget = 200)] method: &str,
    );

    /// gRPC calls of a client that have ended, by status code.
    #[counter(name = "client_handled_total", series = 400)]
    pub fn record_grpc_client_handled(
        #[label(budget = 50)] service: &str,
        #[label(budget = 200)] method: &str,
        #[label(budget = 20)] code: &str,
    );

    /// Time from the beginning of a client's gRPC call until its status was received.
    #[histogram(name = "client_duration_seconds", unit = "s", boundaries = REQUEST_SECONDS, series = 150)]
    pub fn record_grpc_client_duration(
        #[label(budget = 50)] service: &str,
        #[label(budget = 200)] method: &str,
        seconds: f64,
    );

    /// Messages that a gRPC client has received.
    #[counter(name = "client_messages_received_total", series = 150)]
    pub fn record_grpc_client_messages_received(
        #[label(budget = 50)] service: &str,
        #[label(budget = 200)] method: &str,
        messages: u64,
    );

    /// Messages that a gRPC client has sent.
    #[counter(name = "client_messages_sent_total", series = 150)]
    pub fn record_grpc_client_messages_sent(
        #[label(budget = 50)] service: &str,
        #[label(budget = 200)] method: &str,
        messages: u64,
    );

    /// gRPC calls of a client that have not ended.
    #[up_down_counter(name = "client_active_calls")]
    pub fn add_grpc_client_active_calls(change: i64);
}
