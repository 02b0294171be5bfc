//! Plain HTTP requests, each bounded in time.

use std::time::Duration;

use bytes::Bytes;
pub use http::StatusCode;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends one request on a connection of its own; the error is text for a panic message.
pub async fn send(request: Request<Bytes>) -> Result<Response<Bytes>, String> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let exchange = async {
        let response = client
            .request(request.map(Full::new))
            .await
            .map_err(chain)?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(chain)?.to_bytes();
        Ok(Response::from_parts(head, body))
    };
    tokio::time::timeout(TIMEOUT, exchange)
        .await
        .map_err(|_| format!("no answer within {TIMEOUT:?}"))?
}

/// Returns status and text of `http://…`.
pub async fn get(url: &str) -> Result<(StatusCode, String), String> {
    let request = Request::get(url).body(Bytes::new()).map_err(chain)?;
    send(request).await.map(text)
}

/// Posts a body and returns status and text of the answer.
pub async fn post(
    url: &str,
    content_type: &str,
    body: impl Into<Bytes>,
) -> Result<(StatusCode, String), String> {
    let request = Request::post(url)
        .header("content-type", content_type)
        .body(body.into())
        .map_err(chain)?;
    send(request).await.map(text)
}

fn text(response: Response<Bytes>) -> (StatusCode, String) {
    (
        response.status(),
        String::from_utf8_lossy(response.body()).into_owned(),
    )
}

/// Joins an error with its causes: hyper's own text says only which phase failed.
fn chain(error: impl std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
