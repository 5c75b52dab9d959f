//! A scripted engine-sim as a child process, and load on it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cli_kit::Failure;
use contracts::Exit;
use contracts::engine_sim::{Ready, Script, Truth};
use contracts::serve_bench::result::LoadInfo;
use engine_client::{Endpoint, Headers};

use crate::load::{Finished, Level, Prepared, closed_loop_info};
use crate::server::block_on;

/// A running scripted server; it ends with this value.
pub(super) struct Scripted {
    /// Ended when this value is.
    _child: Owned,
    pub(super) endpoint: Endpoint,
    pub(super) url: String,
}

impl Scripted {
    /// Starts engine-sim with a script on a free port of `host`.
    pub(super) fn start(script: &Script, host: &str) -> Result<Scripted, Failure> {
        let binary = cli_kit::find_companion("engine-sim")?;
        let script = serde_json::to_string(script).expect("a script is JSON");
        let failed = |what: String| {
            Failure::new(
                Exit::Unavailable,
                "scripted-server",
                format!("cannot start engine-sim: {what}"),
            )
            .hint("run `engine-sim --help`: is it of the same release?")
        };
        let child = Command::new(binary)
            .args([
                "--host", host, "--port", "0", "--quiet", "--format", "json", "--script", &script,
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        let mut child = Owned(child);
        let stdout = child.0.stdout.take().expect("stdout is piped");
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line);
        read.map_err(|error| failed(error.to_string()))?;
        let ready: Ready =
            serde_json::from_str(&line).map_err(|error| failed(format!("it said {line:?} ({error})")))?;
        let endpoint = Endpoint::parse(&ready.url)?;
        endpoint.assume_kept_open();
        Ok(Scripted {
            _child: child,
            endpoint,
            url: ready.url,
        })
    }

    /// Closed-loop load of `requests` requests for `output_len` tokens each.
    pub(super) fn load(&self, ask: &Ask) -> Result<Finished, Failure> {
        let level = self.level(ask);
        crate::load::run(&level, 0, Box::new(|_| {})).map_err(|error| {
            Failure::new(
                Exit::Unavailable,
                "no-runtime",
                format!("cannot start the load: {error}"),
            )
        })
    }

    pub(super) fn level(&self, ask: &Ask) -> Level {
        let body = serde_json::json!({
            "model": "sim-model",
            "messages": [{"role": "user", "content": "say something"}],
            "max_tokens": ask.output_len,
            "ignore_eos": true,
            "stream": true,
            "stream_options": {"include_usage": true},
        });
        let body = Bytes::from(body.to_string());
        let requests: Arc<[Prepared]> = (0..ask.requests)
            .map(|index| Prepared {
                index,
                turn: None,
                body: body.clone(),
                due: None,
                output_len: Some(ask.output_len),
                ignore_eos: true,
            })
            .collect();
        let info: LoadInfo = closed_loop_info(ask.concurrency, 0);
        Level {
            endpoint: self.endpoint.clone(),
            headers: Headers::new(),
            path: "/v1/chat/completions",
            requests,
            info,
            start_at: None,
            timeout: Some(ask.timeout),
            threads: 1,
            count_tokens: None,
        }
    }

    /// What the server really did.
    pub(super) fn truth(&self) -> Result<Truth, Failure> {
        let text = block_on(engine_client::get_text(&self.endpoint, &Headers::new(), "/truth"))??;
        serde_json::from_str(&text).map_err(|error| {
            Failure::new(
                Exit::Unavailable,
                "scripted-server",
                format!("the answer of /truth does not read: {error}"),
            )
        })
    }
}

/// A child that ends with this value, whatever happens between.
struct Owned(Child);

impl Drop for Owned {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Load on a scripted server.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) concurrency: u32,
    pub(super) requests: u64,
    pub(super) output_len: u64,
    pub(super) timeout: Duration,
}
