//! A gRPC server that converts money: `cargo run -p rustok-tonic --bin rustok-tonic-server`.

use std::{
    convert::Infallible,
    error::Error,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use rustok_telemetry::{grpc::ServerLayer, instrument};
use rustok_tonic::{CONVERT, ConvertReply, ConvertRequest, SERVICE};
use tonic::{
    Request, Response, Status,
    body::Body,
    server::{Grpc, NamedService},
    transport::{Server, server::TcpIncoming},
};
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};

/// Millionths of a euro for one unit of each currency.
const RATES: [(&str, i64); 3] = [("CHF", 1_065_000), ("EUR", 1_000_000), ("USD", 862_000)];

#[instrument(name = "rates.convert", record(wanted.from, wanted.to))]
async fn convert(wanted: ConvertRequest) -> Result<Response<ConvertReply>, Status> {
    let (from, to) = (rate(&wanted.from)?, rate(&wanted.to)?);
    let cents = i128::from(wanted.cents) * i128::from(from) / i128::from(to);
    let cents = i64::try_from(cents).map_err(|_| Status::out_of_range("too much money"))?;
    Ok(Response::new(ConvertReply { cents }))
}

fn rate(currency: &str) -> Result<i64, Status> {
    let found = RATES.iter().find(|(name, _)| *name == currency);
    let (_, rate) = found.ok_or_else(|| Status::not_found(format!("no rate for {currency:?}")))?;
    Ok(*rate)
}

/// The service, as generated code has it.
#[derive(Debug, Clone)]
struct Rates;

impl NamedService for Rates {
    const NAME: &'static str = SERVICE;
}

impl Service<http::Request<Body>> for Rates {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            if request.uri().path().rsplit('/').next() != Some(CONVERT) {
                return Ok(Status::unimplemented("").into_http());
            }
            let handler = service_fn(|call: Request<ConvertRequest>| convert(call.into_inner()));
            let mut grpc = Grpc::new(ProstCodec::default());
            Ok(grpc.unary(handler, request).await)
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let telemetry = rustok_telemetry::builder()
        .default_service_name(env!("CARGO_BIN_NAME"))
        .init()?;
    let address = std::env::args().nth(1);
    let address = address.as_deref().unwrap_or("127.0.0.1:5153");
    let incoming = TcpIncoming::bind(address.parse()?)?;
    eprintln!("listening on http://{}", incoming.local_addr()?);
    let layer = ServerLayer::new().known_methods(["rates.v1.Rates/Convert"]);
    let server = Server::builder().layer(layer).add_service(Rates);
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    server.serve_with_incoming_shutdown(incoming, stop).await?;
    eprintln!("{}", telemetry.shutdown());
    Ok(())
}
