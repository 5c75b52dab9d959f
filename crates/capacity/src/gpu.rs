//! Memory of devices.

/// A device with its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gpu {
    /// Name on the command line.
    pub name: &'static str,
    /// Memory as the driver counts it, MiB.
    pub total_mib: u64,
}

const fn gpu(name: &'static str, total_mib: u64) -> Gpu {
    Gpu { name, total_mib }
}

/// Devices by name. The memory is what `nvidia-smi` prints as total; the number in a product's name is more. Taken from
/// public listings, not measured here: with a device at hand, its own number is better.
pub const GPUS: [Gpu; 14] = [
    gpu("a100-40g", 40_960),
    gpu("a100-80g", 81_920),
    gpu("a10g", 23_028),
    gpu("b200", 183_359),
    gpu("h100", 81_559),
    gpu("h20", 97_368),
    gpu("h200", 143_771),
    gpu("l20", 49_140),
    gpu("l4", 23_034),
    gpu("l40s", 46_068),
    gpu("rtx-3090", 24_576),
    gpu("rtx-4090", 24_564),
    gpu("rtx-5090", 32_607),
    gpu("rtx-a6000", 49_140),
];

impl Gpu {
    /// The device of that name; letter case and dashes do not matter.
    pub fn find(name: &str) -> Option<Gpu> {
        let plain = |name: &str| name.to_ascii_lowercase().replace(['-', '_', ' '], "");
        let wanted = plain(name);
        GPUS.into_iter().find(|gpu| {
            plain(gpu.name) == wanted || plain(gpu.name).strip_prefix("rtx") == Some(wanted.as_str())
        })
    }

    /// Its memory in bytes.
    pub fn total_bytes(self) -> f64 {
        self.total_mib as f64 * 1_048_576.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        for gpu in GPUS {
            assert_eq!(Gpu::find(&gpu.name.to_uppercase()), Some(gpu));
        }
        assert_eq!(Gpu::find("4090").map(|gpu| gpu.total_mib), Some(24_564));
        assert_eq!(Gpu::find("h100"), Gpu::find("H-100"));
        assert_eq!(Gpu::find("voodoo2"), None);
    }
}
