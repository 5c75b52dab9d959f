//! `doctor`: a look at the machine before anything is measured. Every check says what it saw and what to do; what
//! cannot be looked at here is `not_checked`, never `ok`.

mod clock;
mod cpu;
mod disk;
mod gpu;
mod limits;
mod ports;
mod servers;

use std::time::Duration;

use contracts::serve_bench::doctor::{Check, CheckStatus};
use contracts::serve_bench::probe::ProbeData;

/// How thoroughly to look.
#[derive(Clone, Debug)]
pub struct DoctorPlan {
    /// Concurrency that the open-file limit must allow.
    pub concurrency: u32,
    /// Ports to ask; null asks those that listen on this machine.
    pub ports: Option<Vec<u16>>,
    /// How long a server may take to answer.
    pub probe_timeout: Duration,
    /// How long the CPU is watched.
    pub cpu_sample: Duration,
    /// Sleeps of a millisecond whose lateness is taken.
    pub timer_sleeps: u32,
}

impl DoctorPlan {
    /// The whole look, about half a second and the time that servers take.
    pub fn new(concurrency: u32) -> DoctorPlan {
        DoctorPlan {
            concurrency,
            ports: None,
            probe_timeout: Duration::from_secs(2),
            cpu_sample: Duration::from_millis(200),
            timer_sleeps: 100,
        }
    }
}

/// Looks at everything: the checks in a fixed order, and the servers that answered.
pub fn run_checks(plan: &DoctorPlan) -> (Vec<Check>, Vec<ProbeData>) {
    // CPU and timers first: the probes below would be counted as load.
    let cpu = cpu::idle(plan.cpu_sample);
    let timers = clock::timers(plan.timer_sleeps);
    let (servers, found) = servers::find(plan);
    let checks = vec![
        servers,
        limits::open_files(plan.concurrency),
        limits::sandbox(std::env::var("CODEX_SANDBOX_NETWORK_DISABLED").ok().as_deref()),
        clock::resolution(),
        timers,
        cpu,
        cpu::governor(),
        gpu::state(),
        disk::free(std::path::Path::new(".")),
    ];
    (checks, found)
}

fn check(name: &str, status: CheckStatus, detail: impl Into<String>, hint: Option<&str>) -> Check {
    Check {
        name: name.to_owned(),
        status,
        detail: detail.into(),
        hint: hint.map(str::to_owned),
    }
}
