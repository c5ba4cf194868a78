//! What `#[derive(ErrorType)]` says when an error cannot be named.

use rustok_telemetry::ErrorType;

#[derive(ErrorType)]
#[error_type("catalog")]
enum CatalogError {
    #[error_type("Not Found")]
    NotFound,
    #[error_type]
    Nothing,
    #[error_type(opaque)]
    Opaque,
    #[error_type("one")]
    #[error_type("two")]
    Twice,
    #[error_type(transparent)]
    Empty,
    #[error_type(transparent)]
    Two(ServiceError, u64),
    Field(#[error_type("field")] u64),
}

#[derive(ErrorType)]
enum ServiceError {
    #[error_type(transparent)]
    Io(std::io::Error),
}

#[derive(ErrorType)]
union Both {
    one: u64,
    two: i64,
}

fn main() {}
