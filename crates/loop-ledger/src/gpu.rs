//! What `nvidia-smi` says, where it is installed. Until telemetry-fetch exists this is all the ledger knows of GPUs.

use std::process::{Command, Stdio};

use contracts::loop_ledger::event::Cleanup;

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
                    .map(|mebibytes| mebibytes << 20)
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
pub(crate) fn query(what: &str) -> Result<Vec<String>, String> {
    let output = Command::new("nvidia-smi")
        .args([what, "--format=csv,noheader,nounits"])
        .stdin(Stdio::null())
        .output()
        .map_err(|_| "not checked: nvidia-smi is not installed".to_owned())?;
    if !output.status.success() {
        let text = contracts::text::clean_bytes(&output.stderr, 160);
        return Err(format!("not checked: nvidia-smi failed: {text}"));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().take(1024).map(str::to_owned).collect())
}
