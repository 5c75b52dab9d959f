//! One device: readings one after the other, and what follows from them.

use std::collections::BTreeMap;

use contracts::Finite;
use contracts::telemetry_fetch::gpu::{GpuDevice, GpuDeviceReading, GpuProcess, GpuSeries};

use super::tally::{Count, Tally};

/// Fewer readings while it worked are no share of anything.
const FEWEST: u64 = 5;
/// Most processes that are kept; one device serves a few.
const MOST_PROCESSES: usize = 256;

const IDLE: u64 = 1;
const POWER_CAPPED: u64 = 0x4 | 0x80;
/// Bits of `nvmlClocksThrottleReasons`, nvml.h of CUDA 12.
const REASONS: [(u64, &str); 8] = [
    (0x2, "applications_clocks"),
    (0x4, "sw_power_cap"),
    (0x8, "hw_slowdown"),
    (0x10, "sync_boost"),
    (0x20, "sw_thermal"),
    (0x40, "hw_thermal"),
    (0x80, "hw_power_brake"),
    (0x100, "display_clock"),
];

type OfReading = fn(&GpuDeviceReading) -> Option<f64>;
type OfDevice = fn(&mut GpuDevice) -> &mut Option<GpuSeries>;

fn whole(value: Option<u64>) -> Option<f64> {
    value.map(|value| value as f64)
}

/// Quantities that are tallied: name, where a reading has it, and where the report does.
const SERIES: [(&str, OfReading, OfDevice); 9] = [
    (
        "utilization_pct",
        |r| whole(r.utilization_pct),
        |d| &mut d.utilization_pct,
    ),
    (
        "memory_utilization_pct",
        |r| whole(r.memory_utilization_pct),
        |d| &mut d.memory_utilization_pct,
    ),
    (
        "memory_used_bytes",
        |r| whole(r.memory_used_bytes),
        |d| &mut d.memory_used_bytes,
    ),
    ("power_w", |r| r.power_w.map(Finite::get), |d| &mut d.power_w),
    ("sm_clock_mhz", |r| whole(r.sm_clock_mhz), |d| &mut d.sm_clock_mhz),
    (
        "memory_clock_mhz",
        |r| whole(r.memory_clock_mhz),
        |d| &mut d.memory_clock_mhz,
    ),
    (
        "temperature_c",
        |r| whole(r.temperature_c),
        |d| &mut d.temperature_c,
    ),
    (
        "pcie_sent_bytes_s",
        |r| whole(r.pcie_sent_bytes_s),
        |d| &mut d.pcie_sent_bytes_s,
    ),
    (
        "pcie_received_bytes_s",
        |r| whole(r.pcie_received_bytes_s),
        |d| &mut d.pcie_received_bytes_s,
    ),
];

/// Counters: name, and where a reading has it.
const COUNTS: [(&str, OfReading); 4] = [
    ("energy_j", |r| r.energy_j.map(Finite::get)),
    ("nvlink_sent_bytes_s", |r| whole(r.nvlink_sent_bytes)),
    ("nvlink_received_bytes_s", |r| whole(r.nvlink_received_bytes)),
    ("ecc_uncorrected", |r| whole(r.ecc_uncorrected)),
];

/// Which of them is the energy.
const ENERGY: usize = 0;

/// One device so far.
#[derive(Clone, Debug, Default)]
pub(super) struct DeviceFold {
    last: GpuDeviceReading,
    other_device: bool,
    tallies: [Tally; SERIES.len()],
    counts: [Count; COUNTS.len()],
    headroom_min: Option<u64>,
    /// Readings that say whether it works, and those at which it does.
    told: u64,
    worked: u64,
    clock_at_work: Tally,
    /// Readings at work with their reasons, and those of each.
    reasoned: u64,
    reasons: [u64; REASONS.len()],
    power_capped: u64,
    processes: Option<BTreeMap<u32, GpuProcess>>,
    missing: BTreeMap<String, String>,
}

impl DeviceFold {
    pub(super) fn add(&mut self, at_s: f64, reading: &GpuDeviceReading) {
        self.other_device |=
            matches!((&self.last.uuid, &reading.uuid), (Some(before), Some(now)) if before != now);
        for (tally, (_, of, _)) in self.tallies.iter_mut().zip(SERIES) {
            if let Some(value) = of(reading) {
                tally.add(value);
            }
        }
        for (count, (_, of)) in self.counts.iter_mut().zip(COUNTS) {
            if let Some(value) = of(reading) {
                count.add(at_s, value);
            }
        }
        self.headroom_min = self
            .headroom_min
            .into_iter()
            .chain(reading.memory_free_bytes)
            .min();
        self.add_work(reading);
        if let Some(processes) = &reading.processes {
            self.add_processes(processes.iter());
        }
        for (field, why) in &reading.missing {
            if !self.missing.contains_key(field) {
                self.missing.insert(field.clone(), why.clone());
            }
        }
        keep_known(&mut self.last, reading);
    }

    /// The device works when a kernel ran in the driver's last sample period, and its clocks are not those of an idle one.
    fn add_work(&mut self, reading: &GpuDeviceReading) {
        let Some(utilization) = reading.utilization_pct else {
            return;
        };
        self.told += 1;
        let reasons = reading.clock_reason_bits;
        if utilization == 0 || reasons.is_some_and(|bits| bits & IDLE != 0) {
            return;
        }
        self.worked += 1;
        if let Some(clock) = reading.sm_clock_mhz {
            self.clock_at_work.add(clock as f64);
        }
        if let Some(bits) = reasons {
            self.reasoned += 1;
            for (count, (bit, _)) in self.reasons.iter_mut().zip(REASONS) {
                *count += u64::from(bits & bit != 0);
            }
            self.power_capped += u64::from(bits & POWER_CAPPED != 0);
        }
    }

    /// Takes in the readings of a part that was read later.
    pub(super) fn merge(&mut self, later: &DeviceFold) {
        self.other_device |= later.other_device
            || matches!((&self.last.uuid, &later.last.uuid), (Some(before), Some(now)) if before != now);
        for (tally, other) in self.tallies.iter_mut().zip(&later.tallies) {
            tally.merge(other);
        }
        for (count, other) in self.counts.iter_mut().zip(&later.counts) {
            count.merge(other);
        }
        self.headroom_min = self.headroom_min.into_iter().chain(later.headroom_min).min();
        self.told += later.told;
        self.worked += later.worked;
        self.clock_at_work.merge(&later.clock_at_work);
        self.reasoned += later.reasoned;
        for (count, other) in self.reasons.iter_mut().zip(&later.reasons) {
            *count += other;
        }
        self.power_capped += later.power_capped;
        if let Some(processes) = &later.processes {
            self.add_processes(processes.values());
        }
        for (field, why) in &later.missing {
            self.missing.entry(field.clone()).or_insert_with(|| why.clone());
        }
        keep_known(&mut self.last, &later.last);
    }

    /// Its counters are those between two seconds; `parts` are what it was merged of.
    pub(super) fn cut(&mut self, parts: &[&DeviceFold], from_s: f64, to_s: f64) {
        for (index, count) in self.counts.iter_mut().enumerate() {
            let parts: Vec<&Count> = parts.iter().map(|part| &part.counts[index]).collect();
            *count = Count::between(&parts, from_s, to_s);
        }
    }

    /// Joules from one second to another; none where the readings of its parts do not reach.
    pub(super) fn energy_between(parts: &[&DeviceFold], from_s: f64, to_s: f64) -> Option<f64> {
        let parts: Vec<&Count> = parts.iter().map(|part| &part.counts[ENERGY]).collect();
        Some(Count::value_at(&parts, to_s)? - Count::value_at(&parts, from_s)?)
    }

    fn add_processes<'a>(&mut self, processes: impl Iterator<Item = &'a GpuProcess>) {
        let all = self.processes.get_or_insert_default();
        for process in processes {
            if all.len() < MOST_PROCESSES || all.contains_key(&process.pid) {
                let seen = all.entry(process.pid).or_insert_with(|| process.clone());
                seen.memory_bytes = seen.memory_bytes.max(process.memory_bytes);
            }
        }
    }

    pub(super) fn report(&self) -> GpuDevice {
        let last = &self.last;
        let mut device = GpuDevice {
            index: last.index,
            uuid: last.uuid.clone(),
            name: last.name.clone(),
            worked: (self.told > 0).then_some(self.worked > 0),
            utilization_pct: None,
            memory_utilization_pct: None,
            memory_used_bytes: None,
            memory_total_bytes: last.memory_total_bytes,
            mem_headroom_min_bytes: self.headroom_min,
            power_w: None,
            power_limit_w: last.power_limit_w,
            energy_j: None,
            energy_power_w: None,
            sm_clock_mhz: None,
            sm_clock_limit_mhz: last.sm_clock_limit_mhz,
            memory_clock_mhz: None,
            temperature_c: None,
            clock_reasons: (self.reasoned >= FEWEST).then(|| self.reasons()),
            clock_drop_pct: None,
            power_capped_ratio: None,
            pcie_sent_bytes_s: None,
            pcie_received_bytes_s: None,
            nvlink_sent_bytes_s: None,
            nvlink_received_bytes_s: None,
            ecc_uncorrected: None,
            processes: self.processes.as_ref().map(|all| all.values().cloned().collect()),
            missing: self.missing.clone(),
        };
        for (tally, (_, _, of)) in self.tallies.iter().zip(SERIES) {
            *of(&mut device) = tally.series();
        }
        self.verdicts(&mut device);
        self.increases(&mut device);
        explain(&mut device);
        device
    }

    fn reasons(&self) -> BTreeMap<String, Finite> {
        let ratio = |count: u64| Finite::ratio(count as f64, self.reasoned as f64);
        let reasons = self.reasons.iter().zip(REASONS);
        reasons
            .filter_map(|(count, (_, name))| Some((name.to_owned(), ratio(*count)?)))
            .collect()
    }

    fn verdicts(&self, device: &mut GpuDevice) {
        let few = |told: u64| format!("it worked at {told} readings, and {FEWEST} are needed");
        let clock = &self.clock_at_work;
        if clock.count >= FEWEST {
            let drop = clock.mean().map(|mean| clock.max - mean);
            device.clock_drop_pct = drop.and_then(|drop| Finite::ratio(drop * 100.0, clock.max));
        } else {
            missing(device, "clock_drop_pct", few(clock.count));
        }
        if self.reasoned >= FEWEST {
            device.power_capped_ratio = Finite::ratio(self.power_capped as f64, self.reasoned as f64);
        } else {
            missing(device, "power_capped_ratio", few(self.reasoned));
            missing(device, "clock_reasons", few(self.reasoned));
        }
    }

    fn increases(&self, device: &mut GpuDevice) {
        for (count, (name, _)) in self.counts.iter().zip(COUNTS) {
            let increase = if self.other_device {
                Err("the two readings are of different devices")
            } else {
                count.increase()
            };
            match (name, increase) {
                (_, Err(why)) => missing(device, name, why.to_owned()),
                ("energy_j", Ok((joules, seconds))) => {
                    device.energy_j = Finite::new(joules);
                    device.energy_power_w = Finite::ratio(joules, seconds);
                }
                ("nvlink_sent_bytes_s", Ok((bytes, seconds))) => {
                    device.nvlink_sent_bytes_s = Finite::ratio(bytes, seconds);
                }
                ("nvlink_received_bytes_s", Ok((bytes, seconds))) => {
                    device.nvlink_received_bytes_s = Finite::ratio(bytes, seconds);
                }
                // A window may cut the second in which one happened: that one is of the window.
                (_, Ok((errors, _))) => device.ecc_uncorrected = Some((errors - 1e-9).ceil() as u64),
            }
        }
    }
}

/// Says why a field is null, unless the driver already did.
fn missing(device: &mut GpuDevice, field: &str, why: String) {
    device.missing.entry(field.to_owned()).or_insert(why);
}

/// Fields that the driver gave at some reading are not missing; the others have a reason each.
fn explain(device: &mut GpuDevice) {
    let has = [
        ("uuid", device.uuid.is_some()),
        ("name", device.name.is_some()),
        ("worked", device.worked.is_some()),
        ("memory_total_bytes", device.memory_total_bytes.is_some()),
        ("mem_headroom_min_bytes", device.mem_headroom_min_bytes.is_some()),
        ("power_limit_w", device.power_limit_w.is_some()),
        ("energy_j", device.energy_j.is_some()),
        ("energy_power_w", device.energy_power_w.is_some()),
        ("sm_clock_limit_mhz", device.sm_clock_limit_mhz.is_some()),
        ("clock_reasons", device.clock_reasons.is_some()),
        ("clock_drop_pct", device.clock_drop_pct.is_some()),
        ("power_capped_ratio", device.power_capped_ratio.is_some()),
        ("nvlink_sent_bytes_s", device.nvlink_sent_bytes_s.is_some()),
        (
            "nvlink_received_bytes_s",
            device.nvlink_received_bytes_s.is_some(),
        ),
        ("ecc_uncorrected", device.ecc_uncorrected.is_some()),
        ("processes", device.processes.is_some()),
    ];
    let series = SERIES.map(|(name, _, of)| (name, of(device).is_some()));
    for (field, has) in has.into_iter().chain(series) {
        if has {
            device.missing.remove(field);
        } else {
            let why = match field {
                "worked" => device.missing.get("utilization_pct"),
                "mem_headroom_min_bytes" => device.missing.get("memory_used_bytes"),
                "energy_power_w" => device.missing.get("energy_j"),
                _ => None,
            };
            let why = why.cloned().unwrap_or_else(|| "it was not read".to_owned());
            missing(device, field, why);
        }
    }
}

/// The newest of what does not change, or only the last of which counts.
fn keep_known(last: &mut GpuDeviceReading, reading: &GpuDeviceReading) {
    last.index = reading.index;
    for (kept, new) in [(&mut last.uuid, &reading.uuid), (&mut last.name, &reading.name)] {
        if new.is_some() {
            kept.clone_from(new);
        }
    }
    last.memory_total_bytes = reading.memory_total_bytes.or(last.memory_total_bytes);
    last.power_limit_w = reading.power_limit_w.or(last.power_limit_w);
    last.sm_clock_limit_mhz = reading.sm_clock_limit_mhz.or(last.sm_clock_limit_mhz);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_work(clock: u64, bits: u64) -> GpuDeviceReading {
        GpuDeviceReading {
            utilization_pct: Some(97),
            sm_clock_mhz: Some(clock),
            clock_reason_bits: Some(bits),
            ..GpuDeviceReading::default()
        }
    }

    fn of(readings: &[GpuDeviceReading]) -> GpuDevice {
        let mut fold = DeviceFold::default();
        for (at, reading) in readings.iter().enumerate() {
            fold.add(at as f64, reading);
        }
        fold.report()
    }

    #[test]
    fn clocks_count_while_it_works() {
        let mut readings = vec![at_work(2000, 0); 4];
        readings.extend(vec![at_work(1000, 0x4); 4]);
        // Idle by its clocks, and idle by its kernels.
        readings.push(at_work(300, 0x1));
        readings.push(GpuDeviceReading {
            utilization_pct: Some(0),
            ..at_work(300, 0x4)
        });
        let device = of(&readings);
        assert_eq!(device.clock_drop_pct.map(Finite::get), Some(25.0));
        assert_eq!(device.power_capped_ratio.map(Finite::get), Some(0.5));
        let reasons = device.clock_reasons.unwrap();
        assert_eq!(
            (reasons["sw_power_cap"].get(), reasons["hw_thermal"].get()),
            (0.5, 0.0)
        );
        assert_eq!(device.worked, Some(true));
        assert_eq!(device.sm_clock_mhz.unwrap().min.get(), 300.0);
    }

    #[test]
    fn few_readings_are_no_verdict() {
        let device = of(&vec![at_work(2000, 0x4); 4]);
        assert_eq!((device.clock_drop_pct, device.power_capped_ratio), (None, None));
        assert!(device.missing["clock_drop_pct"].contains("at 4 readings"));
        assert!(device.missing["power_capped_ratio"].contains("5 are needed"));
    }

    #[test]
    fn every_null_has_its_reason() {
        let mut reading = GpuDeviceReading::default();
        reading
            .missing
            .insert("ecc_uncorrected".to_owned(), "not supported".to_owned());
        let device = of(&[reading.clone(), reading]);
        let value = serde_json::to_value(&device).unwrap();
        let nulls: Vec<&String> = value
            .as_object()
            .unwrap()
            .iter()
            .filter(|(_, v)| v.is_null())
            .map(|(k, _)| k)
            .collect();
        assert!(nulls.len() > 20, "{nulls:?}");
        for field in nulls {
            assert!(device.missing.contains_key(field), "{field} has no reason");
        }
        assert_eq!(device.missing["ecc_uncorrected"], "not supported");
        // And nothing that is there has one.
        for field in device.missing.keys() {
            assert!(value[field].is_null(), "{field}");
        }
    }

    #[test]
    fn energy_of_another_device_is_not_subtracted() {
        let reading = |uuid: &str, joules: f64| GpuDeviceReading {
            uuid: Some(uuid.to_owned()),
            energy_j: Finite::new(joules),
            ..GpuDeviceReading::default()
        };
        let same = of(&[reading("a", 100.0), reading("a", 150.0), reading("a", 700.0)]);
        assert_eq!(same.energy_j.map(Finite::get), Some(600.0));
        assert_eq!(same.energy_power_w.map(Finite::get), Some(300.0));
        let other = of(&[reading("a", 100.0), reading("b", 700.0)]);
        assert_eq!(other.energy_j, None);
        assert!(other.missing["energy_power_w"].contains("different devices"));
    }
}
