//! A server that runs, and how it ends.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use contracts::serve_bench::probe::ProbeData;
use engine_client::Endpoint;
use jiff::Timestamp;
use serde::Serialize;
use tokio::process::Child;

use crate::group::Group;
use crate::log_tail::log_tail;
use crate::port::is_port_free;
use crate::secrets::Secrets;

/// Pause between two looks at a group that ends.
const PAUSE: Duration = Duration::from_millis(10);
/// How long processes may take to go after SIGKILL, and the port to be given back after the processes.
const AFTER_KILL: Duration = Duration::from_secs(5);

/// A server that was started here. Dropping it kills its process group.
#[derive(Debug)]
pub struct Running {
    pub(crate) pid: u32,
    pub(crate) endpoint: Endpoint,
    pub(crate) probe: ProbeData,
    pub(crate) started_at: Timestamp,
    pub(crate) ready_after: Duration,
    pub(crate) log_path: PathBuf,
    pub(crate) grace: Duration,
    pub(crate) secrets: Secrets,
    pub(crate) child: Child,
    pub(crate) guard: Guard,
}

/// What is known after a stop.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StopEvidence {
    /// The process.
    pub pid: u32,
    /// Whether no process of its group runs any more.
    pub pid_gone: bool,
    /// Whether nothing listens at its address any more.
    pub port_free: bool,
    /// Whether SIGTERM was not enough.
    pub killed: bool,
    /// How the process ended.
    pub status: String,
    /// From SIGTERM until both were known.
    pub seconds: f64,
}

impl Running {
    /// Process id of the group's leader.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Where it answers.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Who it says it is.
    pub fn probe(&self) -> &ProbeData {
        &self.probe
    }

    /// When the process was started.
    pub fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// From the start of the process until it was ready.
    pub fn ready_after(&self) -> Duration {
        self.ready_after
    }

    /// Its log.
    pub fn log_path(&self) -> &Path {
        &self.log_path
    }

    /// The last lines of its log, cleaned and without secrets.
    pub fn log_tail(&self) -> Vec<String> {
        log_tail(&self.log_path, &self.secrets)
    }

    /// How the process ended, if it did while nobody stopped it.
    pub fn exited(&mut self) -> Option<String> {
        match self.child.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(status_text(Ok(status))),
            Err(error) => Some(status_text(Err(error))),
        }
    }

    /// Ends the whole process group: SIGTERM, after the grace SIGKILL; then waits until processes and port are gone.
    pub async fn stop(mut self) -> StopEvidence {
        let begun = Instant::now();
        let group = self.guard.group;
        if let Some(group) = group {
            group.terminate();
        }
        let mut status = tokio::time::timeout(self.grace, self.child.wait()).await.ok();
        let left = self.grace.saturating_sub(begun.elapsed());
        let mut pid_gone = status.is_some() && gone(group, left).await;
        let killed = !pid_gone;
        if killed {
            self.guard.kill();
            if status.is_none() {
                status = tokio::time::timeout(AFTER_KILL, self.child.wait()).await.ok();
            }
            pid_gone = status.is_some() && gone(group, AFTER_KILL).await;
        }
        if pid_gone {
            self.guard.group = None;
        }
        let port_free = eventually(AFTER_KILL, || is_port_free(&self.endpoint)).await;
        StopEvidence {
            pid: self.pid,
            pid_gone,
            port_free,
            killed,
            status: status.map_or_else(|| "still running".to_owned(), status_text),
            seconds: begun.elapsed().as_secs_f64(),
        }
    }
}

async fn gone(group: Option<Group>, limit: Duration) -> bool {
    eventually(limit, || !group.is_some_and(Group::is_alive)).await
}

/// Looks until `is_so`, or the limit passes.
async fn eventually(limit: Duration, is_so: impl Fn() -> bool) -> bool {
    let begun = Instant::now();
    loop {
        if is_so() {
            return true;
        }
        if begun.elapsed() >= limit {
            return false;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Kills a process group when it is dropped.
#[derive(Debug)]
pub(crate) struct Guard {
    pid: u32,
    group: Option<Group>,
}

impl Guard {
    pub(crate) fn of(child: &Child) -> Guard {
        let pid = child.id().unwrap_or(0);
        Guard {
            pid,
            group: Group::of(pid),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    pub(crate) fn kill(&self) {
        if let Some(group) = self.group {
            group.kill();
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.kill();
    }
}

/// How a process ended, in words.
pub(crate) fn status_text(status: std::io::Result<ExitStatus>) -> String {
    let status = match status {
        Ok(status) => status,
        Err(error) => return format!("an unknown status ({error})"),
    };
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(9)) => "signal 9 (SIGKILL; out of memory ends so)".to_owned(),
        (None, Some(15)) => "signal 15 (SIGTERM)".to_owned(),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "an unknown status".to_owned(),
    }
}
