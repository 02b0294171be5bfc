//! Asks a running pipeline over its control socket.

use crate::exit::Exit;
use crate::output::tell;
use http::Method;
use http_body_util::{BodyExt, Full, Limited};
use hyper::Response;
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::TokioIo;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::UnixStream;

/// From connect to the last byte of an answer, or to the head of one that goes on.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Largest answer.
const MAX_ANSWER_BYTES: usize = 32 << 20;

/// The sockets to ask: the one that was named, or all that are found.
pub(crate) fn sockets(named: Option<&Path>) -> Vec<PathBuf> {
    match named {
        Some(path) => vec![path.to_owned()],
        None => crate::run::find_control_sockets(),
    }
}

/// What is told when there is no socket to ask.
pub(crate) const NOBODY: &str =
    "no pipeline was found (expected a control socket; `--control` names one)\n";

/// Runs a command that asks over the network or a socket, on this thread.
pub(crate) fn run(command: impl Future<Output = Exit>) -> Exit {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(command),
        Err(error) => {
            tell(&format!("cannot ask: {error}\n"));
            Exit::Software
        }
    }
}

/// Runs a command that asks all pipelines of [`sockets`], of which there must be one.
pub(crate) fn run_for_all(
    named: Option<&Path>,
    command: impl AsyncFnOnce(&[PathBuf]) -> Exit,
) -> Exit {
    let sockets = sockets(named);
    if sockets.is_empty() {
        tell(NOBODY);
        return Exit::Unavailable;
    }
    run(command(&sockets))
}

/// Tells what is wrong with a socket.
pub(crate) fn tell_of(socket: &Path, why: &str) {
    tell(&format!("control socket `{}`: {why}\n", socket.display()));
}

/// The body of `GET uri`; an error says why there is none.
pub(crate) async fn get(socket: &Path, uri: &str) -> Result<Bytes, String> {
    within(async {
        let answer = request(socket, Method::GET, uri, Bytes::new()).await?;
        let status = answer.status();
        let body = whole(answer).await?;
        match status.is_success() {
            true => Ok(body),
            false => Err(format!("answer {status}").into()),
        }
    })
    .await
}

/// Has the pipeline do something; an error says why it does not.
pub(crate) async fn post(socket: &Path, uri: &str, body: &str) -> Result<(), String> {
    let body = Bytes::copy_from_slice(body.as_bytes());
    within(async {
        let answer = request(socket, Method::POST, uri, body).await?;
        if answer.status().is_success() {
            return Ok(());
        }
        let why = whole(answer).await?;
        Err(String::from_utf8_lossy(&why).trim_end().into())
    })
    .await
}

/// The body of `GET uri` that goes on for as long as it likes; an error is what the pipeline says is wrong with the wish.
pub(crate) async fn open(socket: &Path, uri: &str) -> Result<Incoming, String> {
    within(async {
        let answer = request(socket, Method::GET, uri, Bytes::new()).await?;
        if answer.status().is_success() {
            return Ok(answer.into_body());
        }
        let why = whole(answer).await?;
        Err(String::from_utf8_lossy(&why).trim_end().into())
    })
    .await
}

type Answered<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

async fn within<T>(answer: impl Future<Output = Answered<T>>) -> Result<T, String> {
    match tokio::time::timeout(TIMEOUT, answer).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(why)) => Err(why.to_string()),
        Err(_) => Err(format!("no answer in {} s", TIMEOUT.as_secs())),
    }
}

async fn request(
    socket: &Path,
    method: Method,
    uri: &str,
    body: Bytes,
) -> Answered<Response<Incoming>> {
    let stream = UnixStream::connect(socket).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // Ends by itself when the answer is read or dropped.
    tokio::spawn(connection);
    let request = http::Request::builder()
        .method(method)
        .uri(uri)
        .header("host", "pipeline")
        .body(Full::new(body))?;
    Ok(sender.send_request(request).await?)
}

async fn whole(answer: Response<Incoming>) -> Answered<Bytes> {
    let body = Limited::new(answer.into_body(), MAX_ANSWER_BYTES);
    Ok(body.collect().await?.to_bytes())
}
