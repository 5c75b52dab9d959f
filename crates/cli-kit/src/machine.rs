//! The environment fields that any tool can read from the machine it runs on.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use contracts::text::clean;
use contracts::{Field, FieldSet};

/// Operating system, kernel, CPU, and what `nvidia-smi` says where it is installed. Nothing in it names the host or
/// the user.
pub fn environment() -> FieldSet {
    let mut fields = BTreeMap::new();
    let mut put = |name: &str, field: Field| fields.insert(name.to_owned(), field);
    put("client.os", Field::observed(std::env::consts::OS));
    put("client.arch", Field::observed(std::env::consts::ARCH));
    put(
        "client.kernel",
        read("/proc/sys/kernel/osrelease").map_or_else(Field::unknown, Field::observed),
    );
    put(
        "client.cpu_model",
        cpu_model().map_or_else(Field::unknown, Field::observed),
    );
    let cores = std::thread::available_parallelism()
        .map(std::num::NonZero::get)
        .ok();
    put("client.cores", cores.map_or_else(Field::unknown, Field::observed));
    put("gpu", gpus().map_or_else(Field::unknown, Field::observed));
    FieldSet::new(fields)
}

fn read(path: &str) -> Option<String> {
    Some(clean(std::fs::read_to_string(path).ok()?.trim(), 200))
}

fn cpu_model() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(clean(line.split_once(':')?.1, 200))
}

/// One string a GPU: name, driver, power limit, clocks as `nvidia-smi` prints them.
fn gpus() -> Option<Vec<String>> {
    let mut child = Command::new("nvidia-smi")
        .args([
            "--query-gpu=name,driver_version,power.limit,clocks.max.sm",
            "--format=csv,noheader",
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    // A hung driver must not hang the benchmark.
    let deadline = Instant::now() + Duration::from_secs(5);
    while child.try_wait().ok()?.is_none() {
        if Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let output = child.wait_with_output().ok()?;
    if !output.status.success() {
        return None;
    }
    Some(
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .take(64)
            .map(|line| clean(line, 200))
            .collect(),
    )
}
