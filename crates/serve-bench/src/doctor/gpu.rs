//! What the GPUs do, by `nvidia-smi` where it is installed.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use contracts::serve_bench::doctor::{Check, CheckStatus};

use super::check;

/// A hung driver must not hang the doctor.
const PATIENCE: Duration = Duration::from_secs(5);
/// More than this without a load of ours and somebody else computes.
const BUSY_PCT: u32 = 5;

const QUERY: [&str; 2] = [
    "--query-gpu=index,name,utilization.gpu,memory.used,memory.total,clocks_throttle_reasons.active",
    "--format=csv,noheader,nounits",
];

/// Utilisation, memory and throttling of every GPU.
pub(super) fn state() -> Check {
    match nvidia_smi() {
        Ok(text) => judge(&text),
        Err(reason) => check("gpu", CheckStatus::NotChecked, reason, None),
    }
}

fn nvidia_smi() -> Result<String, String> {
    let mut child = Command::new("nvidia-smi")
        .args(QUERY)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("nvidia-smi does not start: {error}"))?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match child.try_wait() {
            Ok(Some(_)) => break,
            Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(10)),
            Ok(None) | Err(_) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!(
                    "nvidia-smi did not answer within {} s",
                    PATIENCE.as_secs()
                ));
            }
        }
    }
    let output = child
        .wait_with_output()
        .map_err(|error| format!("nvidia-smi cannot be read: {error}"))?;
    if !output.status.success() {
        return Err(format!("nvidia-smi ends with {}", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn judge(text: &str) -> Check {
    let mut shown = Vec::new();
    let mut busy = false;
    let mut throttled = false;
    for line in text.lines().filter(|line| !line.trim().is_empty()).take(64) {
        let cells: Vec<String> = line
            .split(',')
            .map(|cell| contracts::text::clean(cell.trim(), 60))
            .collect();
        let [index, name, utilisation, used, total, throttle] = cells.as_slice() else {
            return check(
                "gpu",
                CheckStatus::NotChecked,
                format!("nvidia-smi says: {}", contracts::text::clean(line, 200)),
                None,
            );
        };
        busy |= utilisation.parse::<u32>().is_ok_and(|percent| percent > BUSY_PCT);
        throttled |= is_throttled(throttle);
        shown.push(format!(
            "{index}: {name}, {utilisation} % busy, {used} of {total} MiB, throttle {throttle}"
        ));
    }
    if shown.is_empty() {
        return check("gpu", CheckStatus::NotChecked, "nvidia-smi lists no GPU", None);
    }
    let detail = shown.join("; ");
    if busy {
        let hint = "somebody computes already: see `nvidia-smi`, and measure when it is idle";
        return check("gpu", CheckStatus::Warn, detail, Some(hint));
    }
    if throttled {
        let hint = "clocks are held down by heat or power: see `nvidia-smi -q -d PERFORMANCE`";
        return check("gpu", CheckStatus::Warn, detail, Some(hint));
    }
    check("gpu", CheckStatus::Ok, detail, None)
}

/// Bits of NVML's `nvmlClocksThrottleReason`: hardware slowdown 0x8, software thermal 0x20, hardware thermal 0x40,
/// power brake 0x80. Idle (0x1), set clocks (0x2) and the power cap (0x4) are no trouble at rest.
fn is_throttled(mask: &str) -> bool {
    let bits = mask
        .strip_prefix("0x")
        .and_then(|hex| u64::from_str_radix(hex, 16).ok());
    bits.is_some_and(|bits| bits & 0xe8 != 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn idle_busy_and_throttled_gpus_are_told_apart() {
        let idle = "0, NVIDIA H100, 0, 4, 81559, 0x0000000000000001\n1, NVIDIA H100, 2, 70000, 81559, 0x0000000000000004\n";
        assert_eq!(judge(idle).status, CheckStatus::Ok);
        assert!(
            judge(idle)
                .detail
                .contains("1: NVIDIA H100, 2 % busy, 70000 of 81559 MiB")
        );
        let busy = judge("0, NVIDIA H100, 97, 4, 81559, 0x0000000000000000\n");
        assert_eq!(busy.status, CheckStatus::Warn);
        let hot = judge("0, NVIDIA H100, 0, 4, 81559, 0x0000000000000040\n");
        assert!(hot.hint.unwrap().contains("heat"));
    }

    #[test]
    fn what_is_not_understood_is_not_checked() {
        for text in ["", "No devices were found\n", "a, b\n"] {
            assert_eq!(judge(text).status, CheckStatus::NotChecked, "{text}");
        }
        // Values that a GPU does not report do not count as trouble.
        assert_eq!(judge("0, X, [N/A], 4, 8, [N/A]\n").status, CheckStatus::Ok);
    }

    proptest! {
        #[test]
        fn any_text_gives_a_check(text in "(\\PC{0,30}[,\n]){0,12}") {
            let seen = judge(&text);
            prop_assert!(!seen.detail.is_empty());
        }
    }
}
