//! A client of the server: `cargo run -p rustok-tonic --bin rustok-tonic-client http://127.0.0.1:5153 1999 EUR USD`.

use std::{error::Error, process::ExitCode, time::Duration};

use http::uri::PathAndQuery;
use rustok_telemetry::{
    grpc::{ClientLayer, ClientService},
    instrument,
};
use rustok_tonic::{CONVERT, ConvertReply, ConvertRequest, SERVICE};
use tonic::{
    Code, GrpcMethod, Request, Status,
    client::Grpc,
    transport::{Channel, Endpoint},
};
use tonic_prost::ProstCodec;
use tower::Layer;

/// How long a call waits for the server.
const DEADLINE: Duration = Duration::from_secs(2);

/// Returns a channel whose calls are recorded.
fn connect(url: &str) -> Result<ClientService<Channel>, Box<dyn Error>> {
    let endpoint = Endpoint::from_shared(url.to_owned())?;
    let layer = ClientLayer::new().server(endpoint.uri()); // server.address, server.port
    Ok(layer.layer(endpoint.connect_lazy()))
}

/// Calls the method, as generated code does.
#[instrument(name = "money.convert", record(wanted.from, wanted.to))]
async fn convert(
    channel: ClientService<Channel>,
    wanted: ConvertRequest,
) -> Result<ConvertReply, Status> {
    let path = PathAndQuery::from_static("/rates.v1.Rates/Convert");
    let mut request = Request::new(wanted);
    request.set_timeout(DEADLINE);
    request
        .extensions_mut()
        .insert(GrpcMethod::new(SERVICE, CONVERT));
    let mut grpc = Grpc::new(channel);
    let ready = grpc.ready().await;
    ready.map_err(|error| Status::new(Code::Unavailable, error.to_string()))?;
    let reply = grpc.unary(request, path, ProstCodec::default()).await?;
    Ok(reply.into_inner())
}

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [url, cents, from, to] = arguments.as_slice() else {
        return Err("usage: rustok-tonic-client URL CENTS FROM TO".into());
    };
    let telemetry = rustok_telemetry::builder()
        .default_service_name(env!("CARGO_BIN_NAME"))
        .init()?;
    let wanted = ConvertRequest {
        cents: cents.parse()?,
        from: from.clone(),
        to: to.clone(),
    };
    let converted = convert(connect(url)?, wanted).await;
    match &converted {
        Ok(reply) => eprintln!("{} {to} cents", reply.cents),
        Err(status) => eprintln!("{:?}: {}", status.code(), status.message()),
    }
    eprintln!("{}", telemetry.shutdown());
    Ok(match converted {
        Ok(_) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    })
}
