//! GPUs as their driver sees them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Finite;

/// GPUs over a window. Each quantity is its mean and its extremes, so the document is as long for an hour as for a second.
/// Bound to a benchmark, readings are those of its window, in whole parts of a second (of 2, 4, 8 … s in windows of more than
/// 17 minutes, where parts are joined and none is dropped), and counters are cut to it by straight lines between readings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct GpuReport {
    /// Version of the driver.
    pub driver_version: Option<String>,
    /// How often the devices were read: two for a pair of snapshots, which then has energy and little else to say.
    pub readings: u64,
    /// Time between readings, milliseconds; null for a pair of snapshots.
    pub interval_ms: Option<Finite>,
    /// Largest `clock_drop_pct` of the devices that worked.
    pub clock_drop_pct: Option<Finite>,
    /// Largest `power_capped_ratio` of the devices that worked.
    pub power_capped_ratio: Option<Finite>,
    /// Smallest `mem_headroom_min_bytes` of the devices that worked.
    pub mem_headroom_min_bytes: Option<u64>,
    /// Whether a process that is neither the engine's nor ours was on a device: then the benchmark is contaminated.
    pub foreign_process: Option<bool>,
    /// Energy of the devices that worked, joules; of all devices for a pair of snapshots.
    pub energy_j: Option<Finite>,
    /// Energy / output tokens, joules. Bound to a benchmark: energy while its runs measured, without warm-up, / output tokens
    /// that its client received in them; null for a pair of snapshots, whose energy is also that of what lies around it.
    /// Otherwise `energy_j` / tokens that the engine counted, the warm-up of a benchmark included.
    pub energy_per_output_token_j: Option<Finite>,
    /// Why a field of this object is null, by its name.
    pub missing: BTreeMap<String, String>,
    /// The devices, by index.
    pub devices: Vec<GpuDevice>,
}

/// One device over a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct GpuDevice {
    /// Index of the driver, which `CUDA_VISIBLE_DEVICES` does not change.
    pub index: u32,
    /// Its identity.
    pub uuid: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Whether a kernel ran at any reading; null when the driver does not say.
    pub worked: Option<bool>,
    /// Share of the driver's sample period in which at least one kernel ran, percent: not how full the device was.
    pub utilization_pct: Option<GpuSeries>,
    /// Share of that period in which memory was read or written, percent.
    pub memory_utilization_pct: Option<GpuSeries>,
    /// Memory in use, bytes.
    pub memory_used_bytes: Option<GpuSeries>,
    /// All of its memory, bytes.
    pub memory_total_bytes: Option<u64>,
    /// Smallest free memory, bytes.
    pub mem_headroom_min_bytes: Option<u64>,
    /// Power, watts, as the driver averages it.
    pub power_w: Option<GpuSeries>,
    /// Power that is enforced, watts; the last reading.
    pub power_limit_w: Option<Finite>,
    /// Energy of the window, joules, from the device's own counter.
    pub energy_j: Option<Finite>,
    /// `energy_j` / time between its first and last reading, watts: the exact mean power.
    pub energy_power_w: Option<Finite>,
    /// Clock of the multiprocessors, MHz.
    pub sm_clock_mhz: Option<GpuSeries>,
    /// Highest clock that it can have, MHz.
    pub sm_clock_limit_mhz: Option<u64>,
    /// Clock of the memory, MHz.
    pub memory_clock_mhz: Option<GpuSeries>,
    /// Temperature, degrees Celsius.
    pub temperature_c: Option<GpuSeries>,
    /// Share of the readings while it worked with each reason for lower clocks: `sw_power_cap`, `hw_slowdown`, `sync_boost`,
    /// `sw_thermal`, `hw_thermal`, `hw_power_brake`, `applications_clocks`, `display_clock`; null when none can be read.
    pub clock_reasons: Option<BTreeMap<String, Finite>>,
    /// (highest - mean) / highest clock of the multiprocessors while it worked, percent; null below five such readings.
    pub clock_drop_pct: Option<Finite>,
    /// Share of the readings while it worked with `sw_power_cap` or `hw_power_brake`; null below five such readings.
    pub power_capped_ratio: Option<Finite>,
    /// Sent over PCIe, bytes a second, read once a second.
    pub pcie_sent_bytes_s: Option<GpuSeries>,
    /// Received over PCIe.
    pub pcie_received_bytes_s: Option<GpuSeries>,
    /// Sent over all NVLinks, bytes a second, from counters.
    pub nvlink_sent_bytes_s: Option<Finite>,
    /// Received over all NVLinks.
    pub nvlink_received_bytes_s: Option<Finite>,
    /// Memory errors of the window that could not be corrected.
    pub ecc_uncorrected: Option<u64>,
    /// Processes that were on it at any reading, by pid; null when they cannot be listed.
    pub processes: Option<Vec<GpuProcess>>,
    /// Why a field of this object is null, by its name.
    pub missing: BTreeMap<String, String>,
}

/// Readings of one quantity.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct GpuSeries {
    /// Mean.
    pub mean: Finite,
    /// Smallest.
    pub min: Finite,
    /// Largest.
    pub max: Finite,
    /// How many.
    pub readings: u64,
}

/// A process on a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct GpuProcess {
    /// Its number, as the driver says it.
    pub pid: u32,
    /// Its command name; null when it is not visible from here.
    pub name: Option<String>,
    /// Most memory that it had, bytes.
    pub memory_bytes: Option<u64>,
    /// Whether it is neither the engine's nor ours; null when that cannot be told.
    pub foreign: Option<bool>,
}

/// GPUs at one moment, of a snapshot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct GpuReading {
    /// When they were read, by our clock.
    pub at: Timestamp,
    /// Version of the driver.
    pub driver_version: Option<String>,
    /// The devices, by index.
    pub devices: Vec<GpuDeviceReading>,
}

/// One device at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct GpuDeviceReading {
    /// Index of the driver.
    pub index: u32,
    /// Its identity.
    pub uuid: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// See [`GpuDevice::utilization_pct`].
    pub utilization_pct: Option<u64>,
    /// See [`GpuDevice::memory_utilization_pct`].
    pub memory_utilization_pct: Option<u64>,
    /// Memory in use, bytes.
    pub memory_used_bytes: Option<u64>,
    /// Free memory, bytes.
    pub memory_free_bytes: Option<u64>,
    /// All of its memory, bytes.
    pub memory_total_bytes: Option<u64>,
    /// Power, watts.
    pub power_w: Option<Finite>,
    /// Power that is enforced, watts.
    pub power_limit_w: Option<Finite>,
    /// Energy since the driver was loaded, joules.
    pub energy_j: Option<Finite>,
    /// Clock of the multiprocessors, MHz.
    pub sm_clock_mhz: Option<u64>,
    /// Highest clock that it can have, MHz.
    pub sm_clock_limit_mhz: Option<u64>,
    /// Clock of the memory, MHz.
    pub memory_clock_mhz: Option<u64>,
    /// Temperature, degrees Celsius.
    pub temperature_c: Option<u64>,
    /// Reasons for lower clocks, as the driver's bits.
    pub clock_reason_bits: Option<u64>,
    /// Sent over PCIe, bytes a second.
    pub pcie_sent_bytes_s: Option<u64>,
    /// Received over PCIe, bytes a second.
    pub pcie_received_bytes_s: Option<u64>,
    /// Sent over all NVLinks since the driver was loaded, bytes.
    pub nvlink_sent_bytes: Option<u64>,
    /// Received over all NVLinks since the driver was loaded, bytes.
    pub nvlink_received_bytes: Option<u64>,
    /// Memory errors since the driver was loaded that could not be corrected.
    pub ecc_uncorrected: Option<u64>,
    /// Processes on it.
    pub processes: Option<Vec<GpuProcess>>,
    /// Why a field of this object is null, by its name.
    pub missing: BTreeMap<String, String>,
}
