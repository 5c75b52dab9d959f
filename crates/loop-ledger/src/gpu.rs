//! What `nvidia-smi` says, where it is installed. Until telemetry-fetch exists this is all the ledger knows of GPUs.

use std::time::Duration;

use contracts::loop_ledger::event::Cleanup;

use crate::probe;

/// A driver that hangs must not hang the ledger.
const LIMIT: Duration = Duration::from_secs(20);
/// Memory that an idle GPU may hold: a driver's own contexts.
pub(crate) const IDLE_MEMORY_MIB: u64 = 1024;

/// A GPU now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gpu {
    /// Its number.
    pub(crate) index: u32,
    /// Its unique id, which processes name.
    uuid: String,
    /// Memory in use.
    pub(crate) used_mib: u64,
    /// Processes that compute on it.
    pub(crate) pids: Vec<u32>,
}

impl Gpu {
    /// Whether nobody uses it. Inside a container other people's processes cannot be seen; their memory can.
    pub(crate) fn is_idle(&self) -> bool {
        self.pids.is_empty() && self.used_mib <= IDLE_MEMORY_MIB
    }
}

/// All GPUs now, or why they cannot be read.
pub(crate) fn now() -> Result<Vec<Gpu>, String> {
    let gpus = query("--query-gpu=index,uuid,memory.used")?;
    let processes = query("--query-compute-apps=gpu_uuid,pid")?;
    let gpus = read(&gpus, &processes);
    if gpus.is_empty() {
        return Err("not checked: nvidia-smi lists no GPU".to_owned());
    }
    Ok(gpus)
}

/// Rows `index, uuid, MiB` and `uuid, pid`; what does not read is left out.
fn read(gpus: &[String], processes: &[String]) -> Vec<Gpu> {
    let cells = |row: &str| -> Vec<String> { row.split(',').map(|cell| cell.trim().to_owned()).collect() };
    let owners: Vec<(String, u32)> = processes
        .iter()
        .filter_map(|row| match cells(row).as_slice() {
            [uuid, pid, ..] => Some((uuid.clone(), pid.parse().ok()?)),
            _ => None,
        })
        .collect();
    gpus.iter()
        .filter_map(|row| match cells(row).as_slice() {
            [index, uuid, used, ..] => Some(Gpu {
                index: index.parse().ok()?,
                uuid: uuid.clone(),
                used_mib: used.parse().ok()?,
                pids: owners
                    .iter()
                    .filter(|(owner, _)| owner == uuid)
                    .map(|(_, pid)| *pid)
                    .collect(),
            }),
            _ => None,
        })
        .collect()
}

/// Memory in use and processes on the GPUs, as the part of a clean-up that they are.
pub(crate) fn look() -> Cleanup {
    let memory = query("--query-gpu=memory.used");
    let processes = query("--query-compute-apps=pid,process_name");
    match memory {
        Ok(lines) => Cleanup {
            gpu_memory_used_bytes: Some(
                lines
                    .iter()
                    .filter_map(|line| line.trim().parse::<u64>().ok())
                    .map(|mebibytes| mebibytes.saturating_mul(1 << 20))
                    .collect(),
            ),
            foreign_processes: processes
                .unwrap_or_default()
                .iter()
                .map(|line| contracts::text::clean(line, 120))
                .collect(),
            ..Cleanup::default()
        },
        Err(why) => Cleanup {
            gpu_note: Some(why),
            ..Cleanup::default()
        },
    }
}

/// Lines of a query, or why there are none.
fn query(what: &str) -> Result<Vec<String>, String> {
    match probe::run(
        &["nvidia-smi", what, "--format=csv,noheader,nounits"],
        None,
        LIMIT,
    ) {
        Ok(ran) if ran.is_ok() => Ok(ran
            .stdout
            .lines()
            .filter(|line| !line.trim().is_empty())
            .take(1024)
            .map(str::to_owned)
            .collect()),
        Ok(ran) => Err(format!("not checked: nvidia-smi failed: {}", ran.first_line())),
        Err(why) => Err(format!("not checked: {why}")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn processes_belong_to_the_gpu_they_name() {
        let gpus = read(
            &rows("0, GPU-a, 4\n1, GPU-b, 71234\n2, GPU-c, 80000\n3, GPU-d, [N/A]"),
            &rows("GPU-b, 4711\nGPU-b, 4712\nGPU-x, 1\nno process"),
        );
        assert_eq!(
            gpus.len(),
            3,
            "a GPU whose memory cannot be read is not called idle"
        );
        assert!(gpus[0].is_idle());
        assert_eq!(gpus[1].pids, [4711, 4712]);
        assert!(!gpus[1].is_idle());
        assert!(
            !gpus[2].is_idle(),
            "memory without a process that can be seen is somebody's"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read(gpus in ".{0,200}", processes in "(.|\n){0,200}") {
            let read = read(&rows(&gpus), &rows(&processes));
            prop_assert!(read.len() <= gpus.lines().count());
        }
    }
}
