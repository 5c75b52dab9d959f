//! The accelerators that can be simulated, by their data sheets.

/// One accelerator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Hardware {
    /// Name as `--hardware` takes it.
    pub(crate) name: &'static str,
    /// Memory that a process sees, in bytes.
    pub(crate) memory_bytes: u64,
    /// Memory bandwidth in bytes per second.
    pub(crate) bandwidth: f64,
    /// Dense BF16 peak in floating point operations per second.
    pub(crate) peak: f64,
}

const fn hardware(name: &'static str, memory_mib: u64, gb_per_s: f64, tflops: f64) -> Hardware {
    Hardware {
        name,
        memory_bytes: memory_mib << 20,
        bandwidth: gb_per_s * 1e9,
        peak: tflops * 1e12,
    }
}

/// Data sheet values (NVIDIA's product pages): SXM versions where there are several, dense BF16 tensor throughput.
pub(crate) const HARDWARE: &[Hardware] = &[
    hardware("h100", 81_079, 3350.0, 989.0),
    hardware("h200", 143_156, 4800.0, 989.0),
    hardware("b200", 182_642, 8000.0, 2250.0),
    hardware("a100", 81_154, 2039.0, 312.0),
    hardware("a100-40gb", 40_339, 1555.0, 312.0),
    hardware("l40s", 45_458, 864.0, 362.0),
    hardware("l4", 22_563, 300.0, 121.0),
];
