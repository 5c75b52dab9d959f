//! Whether the device was idle before the measurement.

use contracts::kernel_gate::results::Provenance;

use crate::proofs::is_cpu;
use crate::thresholds::{MOST_MEMORY_MIB, MOST_UTILIZATION_PCT};

/// What is known of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Before {
    /// Nothing ran.
    Idle,
    /// Something ran, in words.
    Busy(String),
    /// Nothing says so.
    Unknown,
}

/// What the provenance says: counted, or lines of `nvidia-smi` of which one is the device's.
pub(crate) fn before(provenance: &Provenance) -> Before {
    if let Some(idle) = &provenance.idle_before {
        return match (idle.utilization_pct, idle.foreign_processes) {
            (Some(busy), _) if !(0.0..=100.0).contains(&busy) => Before::Unknown,
            (Some(busy), _) if busy > MOST_UTILIZATION_PCT => Before::Busy(format!("busy {busy:.0} %")),
            (_, Some(others)) if others > 0 => Before::Busy(format!("{others} processes of others")),
            // What was counted does not hide what stands beside it.
            (Some(_), Some(_)) => match words_of_smi(provenance) {
                Before::Busy(words) => Before::Busy(words),
                _ => Before::Idle,
            },
            // Who else computes on a processor is not counted.
            (Some(_), None) if is_cpu(provenance) => Before::Idle,
            _ => Before::Unknown,
        };
    }
    match provenance.nvidia_smi_before {
        Some(_) => words_of_smi(provenance),
        None => Before::Unknown,
    }
}

/// What lines of `nvidia-smi` say; idle where there are none.
fn words_of_smi(provenance: &Provenance) -> Before {
    let Some(text) = &provenance.nvidia_smi_before else {
        return Before::Idle;
    };
    let lines: Vec<Vec<&str>> = text
        .lines()
        .take(256)
        .map(|line| line.split(',').map(str::trim).collect())
        .filter(|cells: &Vec<&str>| cells.len() >= 4)
        .collect();
    let index = provenance
        .gpu_index
        .or_else(|| of_command(provenance.command.as_deref()?));
    let line = match index {
        Some(index) => lines.iter().find(|cells| cells[0].parse() == Ok(index)),
        None if lines.len() == 1 => lines.first(),
        None => None,
    };
    let number = |cell: &str| cell.split_whitespace().next()?.parse::<f64>().ok();
    let Some((busy, memory)) = line.and_then(|cells| Some((number(cells[2])?, number(cells[3])?))) else {
        return Before::Unknown;
    };
    if busy > MOST_UTILIZATION_PCT || memory > MOST_MEMORY_MIB {
        return Before::Busy(format!("busy {busy:.0} %, {memory:.0} MiB in use"));
    }
    Before::Idle
}

/// `--device cuda:3`.
fn of_command(command: &str) -> Option<u64> {
    let digits = command.split("cuda:").nth(1)?;
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_the_device_counts() {
        let mut provenance = Provenance {
            nvidia_smi_before: Some("0, B200, 0 %, 4 MiB, 9 MiB\n1, B200, 99 %, 8000 MiB, 9 MiB".to_owned()),
            ..Provenance::default()
        };
        assert_eq!(before(&provenance), Before::Unknown);
        provenance.command = Some("bench.py --device cuda:0 --out x".to_owned());
        assert_eq!(before(&provenance), Before::Idle);
        provenance.gpu_index = Some(1);
        assert!(matches!(before(&provenance), Before::Busy(_)));
        provenance.gpu_index = Some(7);
        assert_eq!(before(&provenance), Before::Unknown);
    }
}
