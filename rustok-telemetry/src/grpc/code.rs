//! Status codes: their names, and where they come from.

use std::{any::Any, error::Error};

use http::{HeaderMap, StatusCode};
use tonic::{Code, ConnectError, Status, TimeoutExpired};

use crate::ErrorType;

type BoxError = Box<dyn Error + Send + Sync>;

/// Returns the name of a code as in the specification, such as `NOT_FOUND`.
pub(super) fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// The name is that of the code, such as `NOT_FOUND`.
impl ErrorType for Status {
    fn error_type(&self) -> &'static str {
        name(self.code())
    }
}

/// Whether a server's span ends in an error, by OpenTelemetry's conventions.
pub(super) fn is_server_error(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}

/// Whether a client's span ends in an error, by OpenTelemetry's conventions.
pub(super) fn is_client_error(code: Code) -> bool {
    code != Code::Ok
}

/// Returns the code in headers or trailers.
pub(super) fn of_headers(headers: &HeaderMap) -> Option<Code> {
    let code = headers.get(Status::GRPC_STATUS)?;
    Some(Code::from_bytes(code.as_bytes()))
}

/// Returns the code of a response without one, by gRPC's mapping of HTTP statuses.
pub(super) fn of_http_status(status: StatusCode) -> Code {
    match status {
        StatusCode::BAD_REQUEST => Code::Internal,
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        StatusCode::FORBIDDEN => Code::PermissionDenied,
        StatusCode::NOT_FOUND => Code::Unimplemented,
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => Code::Unavailable,
        _ => Code::Unknown,
    }
}

/// Returns the code that tonic derives from an error of a service or a body, except that an expired timeout is
/// `DEADLINE_EXCEEDED`, which tonic reports as `CANCELLED`.
pub(super) fn of_error<E: 'static>(error: &E) -> Code {
    let mut source = as_error(error);
    while let Some(error) = source {
        if error.is::<TimeoutExpired>() {
            return Code::DeadlineExceeded;
        }
        if let Some(status) = error.downcast_ref::<Status>() {
            // A status that tonic made of another error has it as its source.
            match status.source() {
                Some(cause) if cause.is::<TimeoutExpired>() => return Code::DeadlineExceeded,
                _ => return status.code(),
            }
        }
        if error.is::<ConnectError>() {
            return Code::Unavailable;
        }
        if let Some(code) = error.downcast_ref().and_then(of_hyper_error) {
            return code;
        }
        source = error.source();
    }
    Code::Unknown
}

fn as_error<E: 'static>(error: &E) -> Option<&(dyn Error + 'static)> {
    let error: &dyn Any = error;
    if let Some(error) = error.downcast_ref::<BoxError>() {
        return Some(&**error);
    }
    if let Some(error) = error.downcast_ref::<tonic::transport::Error>() {
        return Some(error);
    }
    let status = error.downcast_ref::<Status>();
    status.map(|status| status as &(dyn Error + 'static))
}

fn of_hyper_error(error: &hyper::Error) -> Option<Code> {
    if error.is_timeout() {
        return Some(Code::Unavailable);
    }
    if error.is_canceled() {
        return Some(Code::Cancelled);
    }
    let reason = error.source()?.downcast_ref::<h2::Error>()?.reason()?;
    Some(Status::from_error(Box::new(h2::Error::from(reason))).code())
}
