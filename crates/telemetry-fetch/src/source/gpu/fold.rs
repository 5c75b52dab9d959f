//! Readings of all devices as one report. Pure: what a reading is of, and when, stands in it.

use std::collections::BTreeMap;

use contracts::Finite;
use contracts::telemetry_fetch::gpu::{GpuDevice, GpuReading, GpuReport};
use jiff::Timestamp;

use super::device::DeviceFold;

/// All devices so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct GpuFold {
    first_at: Option<Timestamp>,
    readings: u64,
    driver_version: Option<String>,
    devices: BTreeMap<u32, DeviceFold>,
    /// Time between readings; none for snapshots.
    interval_ms: Option<f64>,
    /// Why nobody can say whose the processes are.
    owners_unknown: Option<String>,
}

impl GpuFold {
    /// Of readings that are so far apart.
    #[cfg(feature = "nvml")]
    pub(crate) fn sampled(every: std::time::Duration, owners_unknown: Option<String>) -> GpuFold {
        GpuFold {
            interval_ms: Some(every.as_secs_f64() * 1e3),
            owners_unknown,
            ..GpuFold::default()
        }
    }

    pub(crate) fn add(&mut self, reading: &GpuReading) {
        let first_at = *self.first_at.get_or_insert(reading.at);
        let at_s = reading.at.duration_since(first_at).as_secs_f64();
        self.readings += 1;
        if reading.driver_version.is_some() {
            self.driver_version.clone_from(&reading.driver_version);
        }
        for device in &reading.devices {
            self.devices.entry(device.index).or_default().add(at_s, device);
        }
    }

    /// The report, with the tokens that were generated in the window.
    pub(crate) fn report(&self, output_tokens: Option<f64>) -> GpuReport {
        let devices: Vec<GpuDevice> = self.devices.values().map(DeviceFold::report).collect();
        let mut missing = BTreeMap::new();
        let energy_j = energy(&devices, self.interval_ms.is_none())
            .map_err(|why| missing.insert("energy_j".to_owned(), why));
        let energy_j = energy_j.ok();
        let per_token = energy_j
            .zip(output_tokens)
            .and_then(|(joules, tokens)| Finite::ratio(joules, tokens));
        if per_token.is_none() {
            let why = missing.get("energy_j").cloned();
            let why = why.unwrap_or_else(|| {
                "the engine does not say how many tokens it generated, or it generated none".to_owned()
            });
            missing.insert("energy_per_output_token_j".to_owned(), why);
        }
        let foreign_process = self
            .foreign(&devices)
            .map_err(|why| missing.insert("foreign_process".to_owned(), why));
        let at_work = || devices.iter().filter(|device| device.worked != Some(false));
        let largest = |of: fn(&GpuDevice) -> Option<Finite>| {
            at_work()
                .filter_map(of)
                .max_by(|a, b| a.get().total_cmp(&b.get()))
        };
        let report = GpuReport {
            driver_version: self.driver_version.clone(),
            readings: self.readings,
            interval_ms: self.interval_ms.and_then(Finite::new),
            clock_drop_pct: largest(|device| device.clock_drop_pct),
            power_capped_ratio: largest(|device| device.power_capped_ratio),
            mem_headroom_min_bytes: at_work().filter_map(|device| device.mem_headroom_min_bytes).min(),
            foreign_process: foreign_process.ok(),
            energy_j: energy_j.and_then(Finite::new),
            energy_per_output_token_j: per_token,
            missing: BTreeMap::new(),
            devices,
        };
        explain(report, missing)
    }

    /// Whether any process is foreign.
    fn foreign(&self, devices: &[GpuDevice]) -> Result<bool, String> {
        let all = || {
            devices
                .iter()
                .flat_map(|device| device.processes.iter().flatten())
        };
        if all().any(|process| process.foreign == Some(true)) {
            return Ok(true);
        }
        if let Some(device) = devices.iter().find(|device| device.processes.is_none()) {
            return Err(reason(device, "processes"));
        }
        if all().any(|process| process.foreign.is_none()) {
            let why = self.owners_unknown.clone();
            return Err(why.unwrap_or_else(|| "some of the processes are not visible from here".to_owned()));
        }
        // In a container the driver lists none of them.
        let hides = |device: &GpuDevice| {
            device.worked == Some(true) && device.processes.as_ref().is_some_and(Vec::is_empty)
        };
        if devices.iter().any(hides) {
            return Err("a device worked, and the driver lists no process on it".to_owned());
        }
        Ok(false)
    }
}

/// Joules of the devices that worked. Two snapshots do not see who works, so there it is all of them.
fn energy(devices: &[GpuDevice], all: bool) -> Result<f64, String> {
    let counted = || {
        devices
            .iter()
            .filter(|device| all || device.worked != Some(false))
    };
    if let Some(device) = counted().find(|device| device.energy_j.is_none()) {
        return Err(format!("GPU {}: {}", device.index, reason(device, "energy_j")));
    }
    let joules = counted().filter_map(|device| device.energy_j).map(Finite::get);
    joules
        .reduce(|a, b| a + b)
        .ok_or_else(|| "no device worked".to_owned())
}

fn reason(device: &GpuDevice, field: &str) -> String {
    device
        .missing
        .get(field)
        .cloned()
        .unwrap_or_else(|| "it was not read".to_owned())
}

/// A reason for every field that is null.
fn explain(mut report: GpuReport, mut missing: BTreeMap<String, String>) -> GpuReport {
    let of_devices = |field: &str| {
        let at_work = report
            .devices
            .iter()
            .filter(|device| device.worked != Some(false));
        let first = at_work
            .filter_map(|device| Some(format!("GPU {}: {}", device.index, device.missing.get(field)?)))
            .next();
        first.unwrap_or_else(|| "no device worked".to_owned())
    };
    for (field, is_null) in [
        ("clock_drop_pct", report.clock_drop_pct.is_none()),
        ("power_capped_ratio", report.power_capped_ratio.is_none()),
        ("mem_headroom_min_bytes", report.mem_headroom_min_bytes.is_none()),
    ] {
        if is_null {
            missing.insert(field.to_owned(), of_devices(field));
        }
    }
    if report.driver_version.is_none() {
        missing.insert("driver_version".to_owned(), "the driver does not say".to_owned());
    }
    if report.interval_ms.is_none() {
        missing.insert(
            "interval_ms".to_owned(),
            "two snapshots have no interval".to_owned(),
        );
    }
    report.missing = missing;
    report
}

#[cfg(test)]
mod tests {
    use contracts::telemetry_fetch::gpu::{GpuDeviceReading, GpuProcess};

    use super::*;

    fn reading(at_s: i64, devices: Vec<GpuDeviceReading>) -> GpuReading {
        GpuReading {
            at: Timestamp::from_second(at_s).unwrap(),
            driver_version: Some("575.57".to_owned()),
            devices,
        }
    }

    fn device(index: u32, utilization: u64, joules: f64) -> GpuDeviceReading {
        GpuDeviceReading {
            index,
            utilization_pct: Some(utilization),
            energy_j: Finite::new(joules),
            memory_free_bytes: Some(1000 * u64::from(index + 1)),
            processes: Some(vec![GpuProcess {
                pid: 7,
                name: None,
                memory_bytes: Some(5),
                foreign: Some(false),
            }]),
            ..GpuDeviceReading::default()
        }
    }

    fn fold(interval_ms: Option<f64>) -> GpuFold {
        let mut fold = GpuFold {
            interval_ms,
            ..GpuFold::default()
        };
        // The second device idles all the time.
        fold.add(&reading(10, vec![device(0, 90, 100.0), device(1, 0, 10.0)]));
        fold.add(&reading(12, vec![device(0, 90, 700.0), device(1, 0, 110.0)]));
        fold
    }

    #[test]
    fn energy_is_that_of_devices_that_worked() {
        let report = fold(Some(200.0)).report(Some(300.0));
        assert_eq!(report.energy_j.map(Finite::get), Some(600.0));
        assert_eq!(report.energy_per_output_token_j.map(Finite::get), Some(2.0));
        assert_eq!(report.devices[0].energy_power_w.map(Finite::get), Some(300.0));
        assert_eq!(report.mem_headroom_min_bytes, Some(1000));
        assert_eq!(report.foreign_process, Some(false));
        assert!(!report.missing.contains_key("energy_j"));
        // Two readings are few.
        assert!(report.missing["clock_drop_pct"].contains("GPU 0"));
    }

    #[test]
    fn two_snapshots_have_the_energy_of_all() {
        let report = fold(None).report(None);
        assert_eq!(report.energy_j.map(Finite::get), Some(700.0));
        assert_eq!(report.energy_per_output_token_j, None);
        assert!(report.missing["energy_per_output_token_j"].contains("tokens"));
    }

    #[test]
    fn one_foreign_process_is_enough() {
        let mut foreign = fold(Some(200.0));
        let mut other = device(1, 0, 120.0);
        other.processes.as_mut().unwrap()[0] = GpuProcess {
            pid: 8,
            name: Some("other".to_owned()),
            memory_bytes: None,
            foreign: Some(true),
        };
        foreign.add(&reading(13, vec![other]));
        assert_eq!(foreign.report(None).foreign_process, Some(true));
    }

    #[test]
    fn a_list_that_is_empty_while_the_device_works_says_nothing() {
        let mut fold = GpuFold::default();
        let mut hidden = device(0, 90, 100.0);
        hidden.processes = Some(Vec::new());
        fold.add(&reading(10, vec![hidden]));
        let report = fold.report(None);
        assert_eq!(report.foreign_process, None);
        assert!(report.missing["foreign_process"].contains("lists no process"));
    }
}
