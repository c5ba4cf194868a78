//! Clients that disconnect in the middle of a stream.

use rustok_telemetry::testing;
use tonic::client::Grpc;
use tonic_prost::ProstCodec;

use super::service::{
    End, Kind, SERVICE, connect, eventually, path, request, serve, server_layer, within,
};

const CLIENTS: u32 = 500;

#[test]
fn each_client_that_disconnects_is_counted_once() {
    let telemetry = testing::capture();
    telemetry.block_on(async {
        let address = serve(server_layer()).await;
        for _ in 0..CLIENTS {
            let mut grpc = Grpc::new(connect(address).await);
            within(grpc.ready()).await.expect("a connection");
            let codec = ProstCodec::<String, String>::default();
            let call = request(format!("{:?} ", End::Cancelled));
            let path = path(&Kind::ServerStream.full_name());
            let call = grpc.server_streaming(call, path, codec);
            let mut responses = within(call).await.expect("a stream").into_inner();
            let first = within(responses.message()).await.expect("a message");
            assert!(first.is_some());
            // With the last user of its channel the connection closes.
            drop((responses, grpc));
        }
    });
    let ended = || {
        ["server", "client"].into_iter().all(|side| {
            let active = telemetry.metric(&format!("rustok_grpc_{side}_active_calls"));
            active.value() == 0.0
        })
    };
    telemetry.block_on(eventually("calls are active", ended));
    for side in ["server", "client"] {
        let metric = |name: &str| telemetry.metric(&format!("rustok_grpc_{side}_{name}"));
        let count = f64::from(CLIENTS);
        let [handled] = metric("handled_total").series().try_into().expect("one");
        assert_eq!(handled.labels["code"], "CANCELLED", "{side}");
        assert_eq!(handled.labels["service"], SERVICE, "{side}");
        assert_eq!(handled.value, count, "{side}");
        metric("started_total").assert_value(count);
        metric("duration_seconds").assert_count(u64::from(CLIENTS));
        metric("active_calls").assert_value(0.0);
    }
    assert_eq!(telemetry.spans().len(), 2 * CLIENTS as usize);
}
