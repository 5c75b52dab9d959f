//! The driver's own library, NVML. Every field may be missing, and says why.

use contracts::Finite;
use contracts::telemetry_fetch::gpu::{GpuDeviceReading, GpuProcess, GpuReading};
use contracts::text::clean;
use jiff::Timestamp;
use nvml_wrapper::enum_wrappers::device::{
    Clock, EccCounter, MemoryError, PcieUtilCounter, TemperatureSensor,
};
use nvml_wrapper::enums::device::{SampleValue, UsedGpuMemory};
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::structs::device::FieldId;
use nvml_wrapper::sys_exports::field_id::{
    NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_RX, NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_TX,
};
use nvml_wrapper::{Device, Nvml};

use super::owner::Owners;

/// Longest text of the driver that is kept.
const TEXT_CAP: usize = 200;
/// More devices than any machine has.
const MOST_DEVICES: u32 = 64;

/// The driver.
pub(super) struct Driver {
    nvml: Nvml,
    version: Option<String>,
    devices: u32,
}

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// What the driver knows at once.
    Quick,
    /// Also what it has to measure or look up: PCIe takes it 20 ms for each direction.
    Whole,
}

impl Driver {
    /// Loads the library.
    ///
    /// # Errors
    /// In words, when there is no driver or no device.
    pub(super) fn open() -> Result<Driver, String> {
        let nvml = Nvml::init().map_err(|error| why(&error))?;
        let devices = nvml
            .device_count()
            .map_err(|error| why(&error))?
            .min(MOST_DEVICES);
        if devices == 0 {
            return Err("the driver has no device".to_owned());
        }
        let version = nvml.sys_driver_version().ok();
        Ok(Driver {
            version: version.map(|version| clean(&version, TEXT_CAP)),
            nvml,
            devices,
        })
    }

    pub(super) fn read(&self, depth: Depth, owners: &mut Owners) -> GpuReading {
        GpuReading {
            at: Timestamp::now(),
            driver_version: self.version.clone(),
            devices: (0..self.devices)
                .map(|index| self.device(index, depth, owners))
                .collect(),
        }
    }

    fn device(&self, index: u32, depth: Depth, owners: &mut Owners) -> GpuDeviceReading {
        let mut reading = GpuDeviceReading {
            index,
            ..GpuDeviceReading::default()
        };
        match self.nvml.device_by_index(index) {
            Ok(device) => {
                quick(&device, &mut reading);
                if depth == Depth::Whole {
                    whole(&device, &mut reading, owners);
                }
            }
            Err(error) => {
                for field in [
                    "utilization_pct",
                    "memory_used_bytes",
                    "power_w",
                    "energy_j",
                    "sm_clock_mhz",
                    "processes",
                ] {
                    reading.missing.insert(field.to_owned(), why(&error));
                }
            }
        }
        reading
    }
}

/// Notes why a field is missing.
fn noted<T>(reading: &mut GpuDeviceReading, fields: &[&str], result: Result<T, NvmlError>) -> Option<T> {
    result
        .map_err(|error| {
            for &field in fields {
                reading.missing.insert(field.to_owned(), why(&error));
            }
        })
        .ok()
}

fn quick(device: &Device<'_>, reading: &mut GpuDeviceReading) {
    let fields = ["utilization_pct", "memory_utilization_pct"];
    if let Some(rates) = noted(reading, &fields, device.utilization_rates()) {
        reading.utilization_pct = Some(u64::from(rates.gpu));
        reading.memory_utilization_pct = Some(u64::from(rates.memory));
    }
    let fields = ["memory_used_bytes", "memory_total_bytes"];
    if let Some(memory) = noted(reading, &fields, device.memory_info()) {
        reading.memory_used_bytes = Some(memory.used);
        reading.memory_free_bytes = Some(memory.free);
        reading.memory_total_bytes = Some(memory.total);
    }
    let power = noted(reading, &["power_w"], device.power_usage());
    reading.power_w = power.and_then(|milliwatts| Finite::ratio(f64::from(milliwatts), 1e3));
    let energy = noted(reading, &["energy_j"], device.total_energy_consumption());
    reading.energy_j = energy.and_then(|millijoules| Finite::ratio(millijoules as f64, 1e3));
    let clock = noted(reading, &["sm_clock_mhz"], device.clock_info(Clock::SM));
    reading.sm_clock_mhz = clock.map(u64::from);
    let clock = noted(reading, &["memory_clock_mhz"], device.clock_info(Clock::Memory));
    reading.memory_clock_mhz = clock.map(u64::from);
    let temperature = device.temperature(TemperatureSensor::Gpu);
    reading.temperature_c = noted(reading, &["temperature_c"], temperature).map(u64::from);
    let reasons = noted(reading, &["clock_reasons"], device.current_throttle_reasons());
    reading.clock_reason_bits = reasons.map(|reasons| reasons.bits());
}

fn whole(device: &Device<'_>, reading: &mut GpuDeviceReading, owners: &mut Owners) {
    let name = noted(reading, &["name"], device.name());
    reading.name = name.map(|name| clean(&name, TEXT_CAP));
    let uuid = noted(reading, &["uuid"], device.uuid());
    reading.uuid = uuid.map(|uuid| clean(&uuid, TEXT_CAP));
    let limit = noted(reading, &["power_limit_w"], device.enforced_power_limit());
    reading.power_limit_w = limit.and_then(|milliwatts| Finite::ratio(f64::from(milliwatts), 1e3));
    let highest = noted(reading, &["sm_clock_limit_mhz"], device.max_clock_info(Clock::SM));
    reading.sm_clock_limit_mhz = highest.map(u64::from);
    // nvml.h: KB/s over the last 20 ms.
    let sent = noted(
        reading,
        &["pcie_sent_bytes_s"],
        device.pcie_throughput(PcieUtilCounter::Send),
    );
    reading.pcie_sent_bytes_s = sent.map(|kilobytes| u64::from(kilobytes) * 1000);
    let received = device.pcie_throughput(PcieUtilCounter::Receive);
    let received = noted(reading, &["pcie_received_bytes_s"], received);
    reading.pcie_received_bytes_s = received.map(|kilobytes| u64::from(kilobytes) * 1000);
    nvlink(device, reading);
    let ecc = device.total_ecc_errors(MemoryError::Uncorrected, EccCounter::Volatile);
    reading.ecc_uncorrected = noted(reading, &["ecc_uncorrected"], ecc);
    let processes = noted(reading, &["processes"], device.running_compute_processes());
    reading.processes = processes.map(|processes| {
        let of = |process: nvml_wrapper::struct_wrappers::device::ProcessInfo| GpuProcess {
            pid: process.pid,
            name: owners.name(process.pid),
            memory_bytes: match process.used_gpu_memory {
                UsedGpuMemory::Used(bytes) => Some(bytes),
                UsedGpuMemory::Unavailable => None,
            },
            foreign: owners.foreign(process.pid),
        };
        processes.into_iter().map(of).collect()
    });
}

/// Counters over all links, KiB.
fn nvlink(device: &Device<'_>, reading: &mut GpuDeviceReading) {
    let names = ["nvlink_sent_bytes_s", "nvlink_received_bytes_s"];
    let ids = [
        FieldId(NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_TX),
        FieldId(NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_RX),
    ];
    let Some(samples) = noted(reading, &names, device.field_values_for(&ids)) else {
        return;
    };
    let mut values = [None; 2];
    for ((value, name), sample) in values.iter_mut().zip(names).zip(samples) {
        let sample = noted(reading, &[name], sample.and_then(|sample| sample.value));
        *value = sample.and_then(|sample| match sample {
            SampleValue::U64(kibibytes) => kibibytes.checked_mul(1024),
            SampleValue::U32(kibibytes) => Some(u64::from(kibibytes) * 1024),
            SampleValue::I64(kibibytes) => u64::try_from(kibibytes).ok()?.checked_mul(1024),
            SampleValue::F64(_) => None,
        });
    }
    [reading.nvlink_sent_bytes, reading.nvlink_received_bytes] = values;
}

/// Why the driver does not say it, in one line.
fn why(error: &NvmlError) -> String {
    match error {
        NvmlError::LibloadingError(error) => {
            clean(&format!("no NVIDIA driver on this machine ({error})"), TEXT_CAP)
        }
        NvmlError::FailedToLoadSymbol(_) => "the driver is too old to say it".to_owned(),
        error => clean(&error.to_string(), TEXT_CAP),
    }
}
