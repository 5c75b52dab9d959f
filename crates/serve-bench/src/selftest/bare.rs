//! A bare hyper read loop on the same load: what receiving the bytes costs before anyone looks at them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::load::{Level, process};

/// CPU seconds to send all requests of a level and read the answers, frame by frame, without looking at them.
pub(super) fn run(level: &Level) -> std::io::Result<f64> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let before = process::cpu_s();
    let next = Arc::new(AtomicU64::new(0));
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for _ in 0..level.info.concurrency.unwrap_or(1) {
            let (level, next) = (level.clone(), Arc::clone(&next));
            tasks.spawn(async move { slot(&level, &next).await });
        }
        while let Some(ended) = tasks.join_next().await {
            ended
                .map_err(std::io::Error::other)?
                .map_err(std::io::Error::other)?;
        }
        Ok::<(), std::io::Error>(())
    })?;
    Ok(process::cpu_s() - before)
}

async fn slot(level: &Level, next: &AtomicU64) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect((level.endpoint.host(), level.endpoint.port())).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    while let Some(request) = level.requests.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
        let call = hyper::Request::post(level.path)
            .header("host", "127.0.0.1")
            .header("content-type", "application/json")
            .body(Full::new(request.body.clone()))?;
        sender.ready().await?;
        let mut answer = sender.send_request(call).await?;
        while let Some(frame) = answer.body_mut().frame().await {
            std::hint::black_box(frame?);
        }
    }
    drop(sender);
    connection.await??;
    Ok(())
}
