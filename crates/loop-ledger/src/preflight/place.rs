//! The machine: idle GPUs, room on the disk, and what a sandbox takes away.

use contracts::loop_ledger::preflight::Check;

use super::{Context, failed, not_checked, passed, variable, warning};
use crate::disk;
use crate::gpu;

pub(super) fn gpus(context: &Context<'_>) -> Check {
    let name = "gpus-idle";
    let needed = context
        .ledger
        .and_then(|ledger| ledger.lock.target.hardware.gpu_count);
    if needed == Some(0) {
        return passed(name, "the target needs none".to_owned());
    }
    let gpus = match gpu::now() {
        Ok(gpus) => gpus,
        Err(why) => return not_checked(name, why.trim_start_matches("not checked: ").to_owned()),
    };
    let idle = gpus.iter().filter(|gpu| gpu.is_idle()).count();
    let busy: Vec<String> = gpus
        .iter()
        .filter(|gpu| !gpu.is_idle())
        .take(8)
        .map(|gpu| {
            format!(
                "GPU {} holds {} MiB, processes {:?}",
                gpu.index, gpu.used_mib, gpu.pids
            )
        })
        .collect();
    let found = match busy.as_slice() {
        [] => format!("{idle} of {} idle", gpus.len()),
        busy => format!("{idle} of {} idle: {}", gpus.len(), busy.join("; ")),
    };
    if idle as u64 >= needed.unwrap_or(1) {
        return passed(name, found);
    }
    failed(
        name,
        match needed {
            Some(needed) => format!("{found}; the target needs {needed}"),
            None => found,
        },
        "wait, or ask whose processes they are; end only what you started, by its pid",
    )
}

pub(super) fn disk(context: &Context<'_>) -> Check {
    let name = "disk-free";
    let Some(free) = disk::free_bytes(context.root.path()) else {
        return not_checked(name, "the file system does not say".to_owned());
    };
    let found = format!("{:.1} GiB below the artifact root", disk::gib(free));
    if disk::gib(free) < disk::FLOOR_GIB {
        return failed(
            name,
            found,
            "free space, or put the artifact root elsewhere before `loop-ledger init`",
        );
    }
    passed(name, found)
}

/// Codex keeps some folders read-only and switches the network off unless told otherwise.
pub(super) fn sandbox(context: &Context<'_>) -> Vec<Check> {
    if !context.uses_codex() {
        return Vec::new();
    }
    let root = std::path::absolute(context.root.path()).unwrap_or_else(|_| context.root.path().to_owned());
    let closed = root
        .components()
        .filter_map(|part| part.as_os_str().to_str())
        .find(|part| [".git", ".codex", ".agents"].contains(part));
    let mut checks = vec![match closed {
        Some(folder) => failed(
            "root-writable",
            format!("the artifact root lies below {folder}, which Codex keeps read-only"),
            "begin the campaign in another folder: `loop-ledger retarget`",
        ),
        None => passed("root-writable", "outside .git, .codex and .agents".to_owned()),
    }];
    checks.push(match variable("CODEX_SANDBOX_NETWORK_DISABLED") {
        Some(_) => failed(
            "sandbox-network",
            "this sandbox has no network, not even to 127.0.0.1".to_owned(),
            "start Codex with -c sandbox_workspace_write.network_access=true",
        ),
        None if variable("CODEX_SANDBOX").is_some() || variable("CODEX_THREAD_ID").is_some() => {
            passed("sandbox-network", "not switched off here".to_owned())
        }
        None => warning(
            "sandbox-network",
            "this is not Codex's sandbox; there the network is off unless it is allowed".to_owned(),
            "start Codex with -c sandbox_workspace_write.network_access=true",
        ),
    });
    checks
}
