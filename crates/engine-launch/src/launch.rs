//! From an argv to a server that answers.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use contracts::serve_bench::probe::ProbeData;
use engine_client::{ClientError, Endpoint, Headers};
use jiff::Timestamp;
use tokio::process::{Child, Command};

use crate::error::LaunchError;
use crate::log_tail::log_tail;
use crate::port::is_port_free;
use crate::running::{Guard, Running, status_text};
use crate::secrets::Secrets;

/// First pause between two looks at a server that starts; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(5);
/// Longest pause between two looks.
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// Environment of the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// Start from an empty environment instead of ours.
    pub clear: bool,
    /// Variables to set.
    pub set: BTreeMap<String, String>,
}

/// A server to be started.
#[derive(Clone, Debug)]
pub struct Launch {
    /// Program and arguments. Never goes through a shell.
    pub argv: Vec<String>,
    /// Its environment.
    pub env: Environment,
    /// Folder that it runs in; none is ours. A program named by a relative path is looked for from there.
    pub dir: Option<PathBuf>,
    /// Where it will answer.
    pub endpoint: Endpoint,
    /// Headers for the questions to it.
    pub headers: Headers,
    /// Gets stdout and stderr; replaced when it exists.
    pub log_path: PathBuf,
    /// How long it may take to be ready.
    pub ready_timeout: Duration,
    /// How long it may take to end after SIGTERM.
    pub grace: Duration,
}

impl Launch {
    /// Starts the server and waits until it answers `/health` and says who it is.
    ///
    /// # Errors
    /// When the port is taken, the program cannot be started, the process ends, or the time is over; the process
    /// group is gone then.
    pub async fn start(self) -> Result<Running, LaunchError> {
        if !is_port_free(&self.endpoint) {
            return Err(LaunchError::PortInUse {
                url: self.endpoint.to_string(),
            });
        }
        let secrets = self.secrets();
        let mut child = self.spawn()?;
        let begun = Instant::now();
        let started_at = Timestamp::now();
        let guard = Guard::of(&child);
        let ready = tokio::select! {
            // The exit first: whoever answers after it is somebody else.
            biased;
            status = child.wait() => Err(LaunchError::Exited {
                status: status_text(status),
                log_tail: log_tail(&self.log_path, &secrets),
                log_path: self.log_path.clone(),
            }),
            ready = self.ready(&secrets) => ready,
        };
        match ready {
            Ok(probe) => Ok(Running {
                pid: guard.pid(),
                endpoint: self.endpoint,
                probe,
                started_at,
                ready_after: begun.elapsed(),
                log_path: self.log_path,
                grace: self.grace,
                secrets,
                child,
                guard,
            }),
            Err(error) => {
                guard.kill();
                // Already waited for, or killed just now: either way it ends at once.
                let _ = child.wait().await;
                Err(error)
            }
        }
    }

    fn spawn(&self) -> Result<Child, LaunchError> {
        let (program, arguments) = self.argv.split_first().ok_or(LaunchError::EmptyArgv)?;
        let log_error = |error: std::io::Error| LaunchError::Log {
            path: self.log_path.clone(),
            reason: error.to_string(),
        };
        let log = File::create(&self.log_path).map_err(log_error)?;
        let mut command = Command::new(program);
        if self.env.clear {
            command.env_clear();
        }
        if let Some(dir) = &self.dir {
            command.current_dir(dir);
        }
        command
            .args(arguments)
            .envs(&self.env.set)
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(log_error)?)
            .stderr(log)
            // A group of its own: one signal reaches all workers, and Ctrl-C at our terminal reaches none of them,
            // so that we decide when they go.
            .process_group(0)
            .kill_on_drop(true);
        command.spawn().map_err(|error| LaunchError::Spawn {
            program: contracts::text::clean(program, 200),
            reason: error.to_string(),
        })
    }

    /// Looks at the server until it is ready or the time is over.
    async fn ready(&self, secrets: &Secrets) -> Result<ProbeData, LaunchError> {
        let mut reason = "it was not asked yet".to_owned();
        let looking = async {
            let mut pause = FIRST_PAUSE;
            loop {
                match engine_client::probe(&self.endpoint, &self.headers).await {
                    Ok(probe) => match unhealthy(&probe) {
                        None => return Ok(probe),
                        Some(why) => reason = format!("/health {why}"),
                    },
                    Err(error) if will_not_change(&error) => return Err(LaunchError::Client(error)),
                    Err(error) => reason = error.to_string(),
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        };
        match tokio::time::timeout(self.ready_timeout, looking).await {
            Ok(ended) => ended,
            Err(_) => Err(LaunchError::NotReady {
                seconds: self.ready_timeout.as_secs(),
                reason: secrets.removed_from(&reason),
                log_tail: log_tail(&self.log_path, secrets),
                log_path: self.log_path.clone(),
            }),
        }
    }

    fn secrets(&self) -> Secrets {
        let inherited: Vec<(OsString, OsString)> = if self.env.clear {
            Vec::new()
        } else {
            std::env::vars_os().collect()
        };
        let inherited = inherited
            .iter()
            .map(|(name, value)| (name.as_os_str(), value.as_os_str()));
        let set = self
            .env
            .set
            .iter()
            .map(|(name, value)| (OsStr::new(name), OsStr::new(value)));
        Secrets::of(inherited.chain(set), &self.argv)
    }
}

/// What `/health` does when the server is not ready: it answers with an error of the server, or not at all. A server
/// without that endpoint is taken as it is.
fn unhealthy(probe: &ProbeData) -> Option<String> {
    let health = probe
        .endpoints
        .iter()
        .find(|endpoint| endpoint.path == "/health")?;
    match health.status {
        Some(status) => (status >= 500).then(|| format!("answers {status}")),
        None => Some("does not answer".to_owned()),
    }
}

/// Whether waiting cannot help: a credential that is refused now is refused later.
fn will_not_change(error: &ClientError) -> bool {
    match error {
        ClientError::BadUrl { .. }
        | ClientError::BadHeader { .. }
        | ClientError::SandboxedNetwork { .. }
        | ClientError::NoTls { .. }
        | ClientError::NeedsTls { .. }
        | ClientError::Certificate { .. }
        | ClientError::Unauthorized { .. }
        | ClientError::OpenFiles { .. } => true,
        ClientError::Refused { .. }
        | ClientError::Unreachable { .. }
        | ClientError::ModelNotServed { .. }
        | ClientError::NotOpenAi { .. }
        | ClientError::NotReady { .. }
        | ClientError::NoTokenize { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use contracts::serve_bench::probe::EndpointStatus;
    use contracts::serve_bench::result::{EngineInfo, EngineKind};

    use super::*;

    #[test]
    fn a_server_whose_health_does_not_answer_is_not_ready() {
        let probe = |endpoints: Vec<(&str, Option<u16>)>| ProbeData {
            url: "http://127.0.0.1:1".to_owned(),
            engine: EngineInfo {
                kind: EngineKind::Other,
                version: None,
            },
            models: Vec::new(),
            max_model_len: None,
            simulated: false,
            tokenize: false,
            endpoints: endpoints
                .into_iter()
                .map(|(path, status)| EndpointStatus {
                    path: path.to_owned(),
                    status,
                })
                .collect(),
            settings: BTreeMap::new(),
        };
        for (status, is_ready) in [
            (Some(200), true),
            (Some(404), true),
            (Some(503), false),
            (None, false),
        ] {
            let unready = unhealthy(&probe(vec![("/health", status)]));
            assert_eq!(unready.is_none(), is_ready, "{status:?}");
        }
        assert_eq!(unhealthy(&probe(vec![("/version", None)])), None);
    }
}
