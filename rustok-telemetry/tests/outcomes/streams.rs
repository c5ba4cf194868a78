//! Bodies of HTTP responses that are streamed, when the handler is long done.

use std::io;

use axum::{
    body::{Body, Bytes},
    extract::State,
    routing::get,
};
use futures::{StreamExt, stream};
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::{
    http::{request, request_with, route, router},
    table::{Case, End, STREAM_DURATION, SpanEnd, Style, Traces, drive},
};

pub(crate) async fn run(case: &Case) {
    let app = router(case, get(handler).with_state(*case));
    let response = app.oneshot(request(case)).await.expect("infallible");
    let mut body = response.into_body();
    if case.end == End::Dropped {
        let first = body.frame().await.expect("a frame").expect("data");
        assert!(first.is_data());
        return;
    }
    drive(case.end, async {
        let end = body.collect().await;
        assert_eq!(end.is_ok(), case.end == End::Ok);
    })
    .await;
}

async fn handler(State(case): State<Case>) -> Body {
    let frames = stream::iter(0..3).then(move |frame| async move {
        if case.style == Style::Async {
            tokio::task::yield_now().await;
        }
        match (frame, case.end) {
            (1, End::Err) => Err(io::Error::other("the disk is gone")),
            (1, End::Panic) => panic!("on purpose"),
            _ => Ok(Bytes::from_static(b"0123456789")),
        }
    });
    Body::from_stream(frames)
}

pub(crate) fn expected(case: &Case) -> Traces {
    let mut expected = match case.end {
        End::Ok => request_with(case, "200", SpanEnd::Ok),
        End::Err => request_with(case, "body_error", SpanEnd::Error("body_error".to_owned())),
        End::Panic => request_with(case, "panic", SpanEnd::Error("panic".to_owned())),
        End::Dropped | End::NeverPolled => request_with(case, "client_closed", SpanEnd::Cancelled),
    };
    let labels = [("method", "GET"), ("path", &*route(case))];
    expected.count(STREAM_DURATION, &labels, 1.0);
    expected
}
