//! Readings of all devices as one report. Pure: what a reading is of, and when, stands in it.

use std::collections::BTreeMap;

use contracts::Finite;
use contracts::telemetry_fetch::gpu::{GpuDevice, GpuReading, GpuReport};
use jiff::Timestamp;

use super::device::DeviceFold;
use super::parts::Parts;

/// The tokens that energy went into.
#[derive(Clone, Debug)]
pub(crate) enum Made {
    /// What the engine counted between its first reading and its last; none when it does not count.
    Counted(Option<f64>),
    /// What the client of a benchmark received, and from when to when each of its runs measured.
    Received {
        tokens: f64,
        runs: Vec<(Timestamp, Timestamp)>,
    },
}

/// All devices so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct GpuFold {
    first_at: Option<Timestamp>,
    driver_version: Option<String>,
    parts: Parts,
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
        self.parts.add(seconds(first_at, reading.at), &reading.devices);
        if reading.driver_version.is_some() {
            self.driver_version.clone_from(&reading.driver_version);
        }
    }

    /// Keeps the readings of a window, which is possible where there are many.
    pub(crate) fn narrow(&mut self, start: Timestamp, end: Timestamp) {
        if let (Some(first_at), Some(_)) = (self.first_at, self.interval_ms) {
            self.parts
                .narrow(seconds(first_at, start), seconds(first_at, end));
        }
    }

    /// The report, with the tokens that the energy went into.
    pub(crate) fn report(&self, made: &Made) -> GpuReport {
        let devices: Vec<GpuDevice> = self.parts.devices().iter().map(DeviceFold::report).collect();
        let mut missing = BTreeMap::new();
        let energy_j = energy(&devices, self.interval_ms.is_none())
            .map_err(|why| missing.insert("energy_j".to_owned(), why));
        let energy_j = energy_j.ok();
        let per_token = self
            .per_token(made, &devices, energy_j, missing.get("energy_j"))
            .map_err(|why| missing.insert("energy_per_output_token_j".to_owned(), why));
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
            readings: self.parts.readings(),
            interval_ms: self.interval_ms.and_then(Finite::new),
            clock_drop_pct: largest(|device| device.clock_drop_pct),
            power_capped_ratio: largest(|device| device.power_capped_ratio),
            mem_headroom_min_bytes: at_work().filter_map(|device| device.mem_headroom_min_bytes).min(),
            foreign_process: foreign_process.ok(),
            energy_j: energy_j.and_then(Finite::new),
            energy_per_output_token_j: per_token.ok(),
            missing: BTreeMap::new(),
            devices,
        };
        explain(report, missing)
    }

    /// Joules of a token: of a benchmark over its measured runs, else over all readings.
    fn per_token(
        &self,
        made: &Made,
        devices: &[GpuDevice],
        energy_j: Option<f64>,
        no_energy: Option<&String>,
    ) -> Result<Finite, String> {
        if let Some(why) = no_energy {
            return Err(why.clone());
        }
        let (joules, tokens) = match made {
            Made::Counted(tokens) => (energy_j, *tokens),
            Made::Received { tokens, runs } => (Some(self.energy_of(runs, devices)?), Some(*tokens)),
        };
        let ratio = joules
            .zip(tokens)
            .and_then(|(joules, tokens)| Finite::ratio(joules, tokens));
        ratio.ok_or_else(|| "nobody says how many tokens were generated, or there were none".to_owned())
    }

    /// Joules of the devices that worked, while a benchmark measured.
    fn energy_of(&self, runs: &[(Timestamp, Timestamp)], devices: &[GpuDevice]) -> Result<f64, String> {
        let (Some(first_at), Some(_)) = (self.first_at, self.interval_ms) else {
            return Err(
                "two snapshots have the energy of all that lies between them, of which the benchmark is a part"
                    .to_owned(),
            );
        };
        let mut joules = 0.0;
        for device in devices.iter().filter(|device| device.worked != Some(false)) {
            for (start, end) in runs {
                let (from_s, to_s) = (seconds(first_at, *start), seconds(first_at, *end));
                joules += self
                    .parts
                    .energy_between(device.index, from_s, to_s)
                    .ok_or_else(|| {
                        format!("GPU {} was not read during all of the benchmark", device.index)
                    })?;
            }
        }
        Ok(joules)
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

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64()
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
        let report = fold(Some(200.0)).report(&Made::Counted(Some(300.0)));
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
    fn a_benchmark_has_the_energy_of_its_measured_runs() {
        let mut fold = GpuFold {
            interval_ms: Some(1000.0),
            ..GpuFold::default()
        };
        // 100 W in the warm-up, 300 W while it measures, 50 W afterwards.
        let joules = [0.0, 100.0, 200.0, 500.0, 800.0, 850.0];
        for (second, joules) in joules.into_iter().enumerate() {
            fold.add(&reading(10 + second as i64, vec![device(0, 90, joules)]));
        }
        let at = |ms: i64| Timestamp::from_millisecond(ms).unwrap();
        let made = |start: i64, end: i64| Made::Received {
            tokens: 300.0,
            runs: vec![(at(start), at(end))],
        };
        let per_token = |made: &Made| fold.report(made).energy_per_output_token_j.map(Finite::get);
        assert_eq!(per_token(&made(12_000, 14_000)), Some(2.0));
        assert_eq!(
            per_token(&made(12_500, 13_500)),
            Some(1.0),
            "readings are joined by lines"
        );
        let beyond = fold.report(&made(12_000, 15_500));
        assert_eq!(beyond.energy_per_output_token_j, None);
        assert!(beyond.missing["energy_per_output_token_j"].contains("not read during all"));
        let mut narrow = fold.clone();
        narrow.narrow(at(12_000), at(14_000));
        assert_eq!(
            narrow.report(&Made::Counted(None)).energy_j.map(Finite::get),
            Some(600.0)
        );

        let mut pair = self::fold(None);
        pair.narrow(at(10_500), at(11_500));
        let report = pair.report(&made(10_500, 11_500));
        assert_eq!(
            (report.energy_j.map(Finite::get), report.energy_per_output_token_j),
            (Some(700.0), None)
        );
        assert!(report.missing["energy_per_output_token_j"].contains("two snapshots"));
    }

    #[test]
    fn two_snapshots_have_the_energy_of_all() {
        let report = fold(None).report(&Made::Counted(None));
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
        assert_eq!(foreign.report(&Made::Counted(None)).foreign_process, Some(true));
    }

    #[test]
    fn a_list_that_is_empty_while_the_device_works_says_nothing() {
        let mut fold = GpuFold::default();
        let mut hidden = device(0, 90, 100.0);
        hidden.processes = Some(Vec::new());
        fold.add(&reading(10, vec![hidden]));
        let report = fold.report(&Made::Counted(None));
        assert_eq!(report.foreign_process, None);
        assert!(report.missing["foreign_process"].contains("lists no process"));
    }
}
