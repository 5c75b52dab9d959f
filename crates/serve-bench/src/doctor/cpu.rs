//! What else runs on the cores, and how they are clocked.

use std::collections::BTreeSet;
use std::time::Duration;

use contracts::serve_bench::doctor::{Check, CheckStatus};

use super::check;

/// More than this and the client shares its cores.
const BUSY_PCT: f64 = 20.0;

/// CPU time of all cores, in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ticks {
    busy: u64,
    total: u64,
}

/// How busy the machine is while this process sleeps.
pub(super) fn idle(sample: Duration) -> Check {
    let read = || ticks(&std::fs::read_to_string("/proc/stat").ok()?);
    let before = read();
    std::thread::sleep(sample);
    let after = read();
    let load = std::fs::read_to_string("/proc/loadavg")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    match (before, after) {
        (Some(before), Some(after)) => judge_idle(before, after, load),
        _ => check(
            "idle-cpu",
            CheckStatus::NotChecked,
            "/proc/stat cannot be read",
            None,
        ),
    }
}

/// The first line of `/proc/stat`: user nice system idle iowait irq softirq steal (proc(5)).
fn ticks(text: &str) -> Option<Ticks> {
    let line = text.lines().next()?.strip_prefix("cpu ")?;
    let fields: Vec<u64> = line
        .split_whitespace()
        .take(8)
        .map(|field| field.parse().ok())
        .collect::<Option<_>>()?;
    let total = fields
        .iter()
        .try_fold(0_u64, |sum, field| sum.checked_add(*field))?;
    let idle = fields.get(3)?.checked_add(*fields.get(4)?)?;
    Some(Ticks {
        busy: total - idle,
        total,
    })
}

fn judge_idle(before: Ticks, after: Ticks, load: Option<f64>) -> Check {
    let total = after.total.saturating_sub(before.total);
    if total == 0 {
        return check(
            "idle-cpu",
            CheckStatus::NotChecked,
            "no CPU tick passed while watching",
            None,
        );
    }
    let busy_pct = 100.0 * after.busy.saturating_sub(before.busy) as f64 / total as f64;
    let detail = format!(
        "{busy_pct:.0} % busy{}",
        load.map_or_else(String::new, |load| format!(", load average {load:.2}"))
    );
    if busy_pct > BUSY_PCT {
        return check(
            "idle-cpu",
            CheckStatus::Warn,
            detail,
            Some("other work shares the cores: end it, or compare only interleaved (`serve-bench compare`)"),
        );
    }
    check("idle-cpu", CheckStatus::Ok, detail, None)
}

/// The frequency governors of all cores.
pub(super) fn governor() -> Check {
    let mut governors = BTreeSet::new();
    let cpus = std::fs::read_dir("/sys/devices/system/cpu")
        .into_iter()
        .flatten()
        .flatten();
    for cpu in cpus.take(4096) {
        if let Ok(text) = std::fs::read_to_string(cpu.path().join("cpufreq/scaling_governor")) {
            governors.insert(contracts::text::clean(text.trim(), 40));
        }
    }
    judge_governor(&governors)
}

fn judge_governor(governors: &BTreeSet<String>) -> Check {
    let all: Vec<&str> = governors.iter().map(String::as_str).collect();
    match all.as_slice() {
        [] => check(
            "cpu-governor",
            CheckStatus::NotChecked,
            "the system does not show one (a virtual machine, or no cpufreq)",
            None,
        ),
        ["performance"] => check("cpu-governor", CheckStatus::Ok, "performance", None),
        _ => check(
            "cpu-governor",
            CheckStatus::Warn,
            all.join(", "),
            // aiperf#1424: the time to first token doubled with the governor of the client's cores.
            Some("set it while measuring: `cpupower frequency-set -g performance`"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn busy_is_what_is_neither_idle_nor_waiting() {
        let text = "cpu  100 0 50 800 50 0 0 0 7 0\ncpu0 1 2 3\n";
        assert_eq!(
            ticks(text),
            Some(Ticks {
                busy: 150,
                total: 1000
            })
        );
        assert_eq!(ticks("cpu  1 2 3\n"), None);
        assert_eq!(ticks(""), None);
    }

    #[test]
    fn a_busy_machine_warns() {
        let at = |busy, total| Ticks { busy, total };
        assert_eq!(judge_idle(at(0, 0), at(5, 100), None).status, CheckStatus::Ok);
        let busy = judge_idle(at(0, 0), at(50, 100), Some(1.5));
        assert_eq!(
            (busy.status, busy.detail.as_str()),
            (CheckStatus::Warn, "50 % busy, load average 1.50")
        );
        assert_eq!(
            judge_idle(at(0, 9), at(0, 9), None).status,
            CheckStatus::NotChecked
        );
    }

    #[test]
    fn only_performance_is_fine() {
        let set = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<BTreeSet<_>>()
        };
        assert_eq!(judge_governor(&set(&[])).status, CheckStatus::NotChecked);
        assert_eq!(judge_governor(&set(&["performance"])).status, CheckStatus::Ok);
        assert_eq!(
            judge_governor(&set(&["performance", "powersave"])).status,
            CheckStatus::Warn
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_not(text in "(cpu )?\\PC{0,80}", numbers in proptest::collection::vec(any::<u64>(), 0..12)) {
            let _ = ticks(&text);
            let line = numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(" ");
            let _ = ticks(&format!("cpu  {line}"));
        }
    }
}
