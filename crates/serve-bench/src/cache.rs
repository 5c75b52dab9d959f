//! Emptying a server's prefix cache, so that a repeated workload is as cold as the first time.

use std::time::Duration;

use bytes::Bytes;
use cli_kit::Failure;
use contracts::Warning;
use contracts::serve_bench::result::EngineKind;
use engine_client::{Call, Slot};

use crate::server::{Server, block_on};

/// What became of a flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flushed {
    /// The server says it did.
    Yes,
    /// The engine has no way to, or refused.
    No,
}

/// Asks the engine to drop its prefix cache.
pub(crate) fn flush(server: &Server) -> Result<Flushed, Failure> {
    let path = match server.probe.engine.kind {
        EngineKind::Sglang | EngineKind::Tokenspeed => "/flush_cache",
        // Only with VLLM_SERVER_DEV_MODE=1.
        EngineKind::Vllm => "/reset_prefix_cache",
        EngineKind::LlamaCpp | EngineKind::TensorrtLlm | EngineKind::Other => return Ok(Flushed::No),
    };
    let observation = block_on(async {
        let mut slot = Slot::new(server.endpoint.clone(), server.headers.clone());
        slot.send(&Call {
            path,
            body: Bytes::new(),
            timeout: Some(Duration::from_secs(10)),
            ignore_eos: false,
            requested_output_tokens: None,
            count_tokens: None,
            cancel: None,
        })
        .await
    })?;
    Ok(if observation.http_status == Some(200) {
        Flushed::Yes
    } else {
        Flushed::No
    })
}

/// What a reader must know when the same prompts are sent again to a cache that was not emptied.
pub(crate) fn warning(server: &Server) -> Warning {
    Warning::new(
        "prefix-cache-not-flushed",
        format!(
            "{} has no cache flush here, so repeated prompts may hit its prefix cache; see tokens.cached, or disable the cache",
            server.probe.engine.kind.name()
        ),
    )
}
